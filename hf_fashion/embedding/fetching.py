"""Fetch a photo by its URL: from public addresses only, within a time and a size.

Nothing is fetched through a proxy: it would resolve the name itself, and so could reach a private address.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, urljoin, urlsplit


TIME_LIMIT = 10.0  # seconds, redirections included
SIZE_LIMIT = 20_000_000  # bytes
MOST_REDIRECTIONS = 5
REDIRECTIONS = (301, 302, 303, 307, 308)
CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}
# IPv6 addresses with an IPv4 address in their last 32 bits, of the internet and of networks within (RFC 6052, 8215).
TRANSLATED, TRANSLATED_WITHIN = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48")
IN_URLS = "%/:=&?~#+!$,;'@()*[]"  # characters that a path and its query may have


def fetch_photo(url: str) -> bytes:
    """Fetch the bytes of a photo.

    Args:
        url (`str`): with http or https.

    Raises:
        ValueError: the address is not a public one, the server does not answer in time or with a photo of this size,
            or there is no such address.
    """
    try:
        return _fetch(url, time.monotonic() + TIME_LIMIT)
    except (OSError, HTTPException, ValueError) as error:
        reason = f"no whole answer in {TIME_LIMIT:g} s" if isinstance(error, TimeoutError) else str(error)
        raise ValueError(f"the photo at {_shown(url)} cannot be fetched: {reason}") from error


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet.

    Args:
        address (`str`): IPv4 or IPv6.
    """
    known = ipaddress.ip_address(address)
    if known.version == 6:
        translated = ipaddress.IPv4Address(int(known) & 0xFFFFFFFF) if known in TRANSLATED else None
        known = known.ipv4_mapped or known.sixtofour or translated or known
    return known.is_global and not known.is_multicast and known not in TRANSLATED_WITHIN


def _fetch(url: str, deadline: float) -> bytes:
    for _ in range(MOST_REDIRECTIONS + 1):
        parts = urlsplit(url)
        with closing(_connected(parts, deadline)) as connection, _closed_at(deadline, connection):
            path = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=IN_URLS)
            connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "hf-fashion"})
            response = connection.getresponse()
            if response.status not in REDIRECTIONS:
                return _read(response, deadline)
            url = urljoin(url, response.getheader("Location", ""))
    raise ValueError(f"it is redirected more than {MOST_REDIRECTIONS} times")


def _connected(parts: SplitResult, deadline: float) -> HTTPConnection:
    """A connection to a public address."""
    if parts.scheme not in CONNECTIONS or not parts.hostname:
        raise ValueError(f"a URL of a photo begins with http:// or https:// and a name, got {parts.scheme}://")
    connection = CONNECTIONS[parts.scheme](parts.hostname, parts.port, timeout=_left(deadline))
    for *_, (address, *_) in socket.getaddrinfo(parts.hostname, connection.port, type=socket.SOCK_STREAM):
        _require_public(address)
    connection.connect()
    _require_public(connection.sock.getpeername()[0])  # the name may have been resolved to another address since
    return connection


def _require_public(address: str) -> None:
    if not is_public(address):
        raise ValueError("its address is in a private network or this machine, where photos are not fetched from")


@contextmanager
def _closed_at(deadline: float, connection: HTTPConnection) -> Iterator[None]:
    """Close the connection at the deadline: a socket's own time limit begins again with every byte."""
    timer = threading.Timer(_left(deadline), socket.socket.shutdown, (connection.sock, socket.SHUT_RDWR))
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException):
        _left(deadline)  # the deadline is the reason where it has passed
        raise
    finally:
        timer.cancel()


def _read(response: HTTPResponse, deadline: float) -> bytes:
    if response.status != 200:
        raise ValueError(f"the server answers {response.status} {response.reason}")
    content = response.read(SIZE_LIMIT + 1)
    _left(deadline)  # a connection that was closed looks like the end of the photo
    if len(content) > SIZE_LIMIT:
        raise ValueError(f"it has more than {SIZE_LIMIT // 1_000_000} MB")
    if response.length:
        raise ValueError(f"it was cut off, {response.length:,} bytes before its end")
    return content


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _shown(url: str) -> str:
    """The URL without a name and password, and without its query, which may hold a key."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return repr(f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"[:200])

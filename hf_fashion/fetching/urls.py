"""Fetch a photo by its URL: from public addresses only, within a time and a size.

Nothing is fetched through a proxy: it would resolve the name itself, and so could reach a private address.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from .addresses import require_public


TIME_LIMIT = 10.0  # seconds, redirections included
SIZE_LIMIT = 20_000_000  # bytes
SILENCE = 15.0  # seconds to wait for an address that does not answer
MOST_REDIRECTIONS = 5
REDIRECTIONS = (301, 302, 303, 307, 308)
IN_URLS = "%/:=&?~#+!$,;'@()*[]"  # characters that a path and its query may have
PART = 1 << 16


def fetch_photo(url: str) -> bytes:
    """Fetch the bytes of a photo of a query.

    Args:
        url (`str`): with http or https.

    Raises:
        ValueError: the address is not a public one, the server does not answer in time or with a photo of this size,
            or there is no such address. The message names the URL without what may be secret in it.
    """
    try:
        return fetch_bytes(url, SIZE_LIMIT, TIME_LIMIT)
    except ValueError as error:
        raise ValueError(f"the photo at {shown_url(url)} cannot be fetched: {error}") from error


def fetch_bytes(
    url: str, size_limit: int, time_limit: float, count: Callable[[int], object] = lambda number: None
) -> bytes:
    """Fetch what a URL leads to.

    Args:
        url (`str`): with http or https.
        size_limit (`int`): bytes.
        time_limit (`float`): seconds, redirections included.
        count (`Callable`, *optional*): called with the number of bytes of each part that has come.

    Raises:
        ValueError: it cannot be fetched, or not within the limits; the message is the reason.
    """
    try:
        return _fetch(url, size_limit, time.monotonic() + time_limit, count)
    except (OSError, HTTPException, ValueError) as error:
        reason = f"no whole answer in {time_limit:g} s" if isinstance(error, TimeoutError) else str(error)
        raise ValueError(reason or type(error).__name__) from error


def shown_url(url: str) -> str:
    """Return a URL, in quotes, without a name and password, and without query and fragment, which may hold a key.

    Args:
        url (`str`): the URL.
    """
    scheme, _, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    host, slash, path = rest.partition("/")
    return repr(f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"[:200])


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Connect to a host, if all of its addresses are public: to an address that was checked, not to the name again.

    Args:
        host (`str`): its name or address.
        port (`int`): its port.
        deadline (`float`): of `time.monotonic`.

    Raises:
        ValueError: an address is not public.
        OSError: the name is not known, or no address answers.
    """
    places = _addresses(host, port, deadline)
    for *_, place in places:
        require_public(place[0])
    error = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in places:
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(min(SILENCE, _left(deadline)))
            made.connect(place)
            made.settimeout(_left(deadline))  # a server that has accepted may take its time to answer
            return made
        except OSError as refused:
            made.close()
            error = refused
    raise error


def _addresses(host: str, port: int, deadline: float) -> list[tuple]:
    """The addresses of a name, from a thread: the system looks names up for as long as it likes."""
    found: Future[list[tuple]] = Future()

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:  # not only OSError: a name that is too long is a UnicodeError
            found.set_exception(error)

    threading.Thread(target=look_up, daemon=True).start()
    return found.result(_left(deadline))


def _fetch(url: str, size_limit: int, deadline: float, count: Callable[[int], object]) -> bytes:
    for _ in range(MOST_REDIRECTIONS + 1):
        parts = urlsplit(url)
        with closing(_connected(parts, deadline)) as connection, _closed_at(deadline, connection.sock):
            if isinstance(connection, HTTPSConnection):
                connection.sock.do_handshake()
            path = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=IN_URLS)
            connection.request("GET", path, headers={"Accept": "image/*", "User-Agent": "hf-fashion"})
            response = connection.getresponse()
            if response.status not in REDIRECTIONS:
                return _read(response, size_limit, deadline, count)
            url = urljoin(url, response.getheader("Location", ""))  # its own content is not read
    raise ValueError(f"it is redirected more than {MOST_REDIRECTIONS} times")


def _connected(parts: SplitResult, deadline: float) -> HTTPConnection:
    """A connection to a public address; the handshake of https is not made yet."""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"a URL of a photo begins with http:// or https:// and a name, got {parts.scheme}://")
    if parts.scheme == "http":
        connection = HTTPConnection(parts.hostname, parts.port)
        connection.sock = connect(parts.hostname, connection.port, deadline)
        return connection
    connection = HTTPSConnection(parts.hostname, parts.port, context=_tls())
    plain = connect(parts.hostname, connection.port, deadline)
    connection.sock = _tls().wrap_socket(plain, server_hostname=parts.hostname, do_handshake_on_connect=False)
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _closed_at(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Close the connection at the deadline: a socket's own time limit begins again with every byte."""

    def close() -> None:
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(_left(deadline), close)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException):
        _left(deadline)  # the deadline is the reason where it has passed
        raise
    finally:
        timer.cancel()


def _read(response: HTTPResponse, size_limit: int, deadline: float, count: Callable[[int], object]) -> bytes:
    if response.status != 200:
        raise ValueError(f"the server answers {response.status} {response.reason}")
    content = bytearray()
    while part := response.read(PART):
        count(len(part))
        content += part
        if len(content) > size_limit:
            raise ValueError(f"it has more than {size_limit / 1_000_000:g} MB")
    _left(deadline)  # a connection that was closed looks like the end of the photo
    if response.length:
        raise ValueError(f"it was cut off, {response.length:,} bytes before its end")
    return bytes(content)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

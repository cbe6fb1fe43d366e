"""Open URLs by HTTP and HTTPS, on checked addresses only, redirects included."""

import socket
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPSConnection
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    UnknownHandler,
)

from .addresses import require_public


@cache
def public_opener() -> OpenerDirector:
    """Return an opener of URLs that connects to public addresses only, and knows no protocol but HTTP and HTTPS.

    Every connection, that of a redirect too, resolves the name once, checks each address and connects to one that was
    checked. Proxies are not used: they would resolve the name themselves.
    """
    opener = OpenerDirector()
    redirects = (HTTPDefaultErrorHandler, HTTPErrorProcessor, HTTPRedirectHandler, UnknownHandler)
    for handler in (_PublicHTTP, _PublicHTTPS, *redirects):
        opener.add_handler(handler())
    return opener


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connect to a host, if all of its addresses are public.

    Args:
        host (`str`): its name or address.
        port (`int`): its port.
        timeout (`float`): seconds to wait for it.

    Raises:
        PrivateAddressError: an address is not public.
        OSError: the name is not known, or no address answers.
    """
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in places:
        require_public(place[0])
    error = OSError(f"{host} has no address")
    for family, kind, protocol, _, place in places:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(place)
            return connection
        except OSError as refused:
            connection.close()
            error = refused
    raise error


class _Connection(HTTPConnection):
    def connect(self):
        self.sock = connect(self.host, self.port, self.timeout)


class _SafeConnection(HTTPSConnection):
    def connect(self):
        self.sock = _tls().wrap_socket(connect(self.host, self.port, self.timeout), server_hostname=self.host)


class _PublicHTTP(HTTPHandler):
    def http_open(self, request):
        return self.do_open(_Connection, request)


class _PublicHTTPS(HTTPSHandler):
    def https_open(self, request):
        return self.do_open(_SafeConnection, request)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

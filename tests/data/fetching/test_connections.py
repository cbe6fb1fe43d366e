import socket
from urllib.error import HTTPError, URLError

import pytest

from hf_fashion.data.fetching import connections
from hf_fashion.data.fetching.addresses import PrivateAddressError, require_public
from hf_fashion.data.fetching.connections import connect, public_opener
from tests.photo_server import PhotoServer


@pytest.fixture
def server():
    with PhotoServer() as server:
        yield server


def open_url(url: str) -> bytes:
    with public_opener().open(url, timeout=5) as answer:
        return answer.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433"])
def test_loopback_is_refused_whatever_it_is_called(host, server):
    port = server.add("/1.jpg", b"photo").rsplit(":")[-1]
    with pytest.raises(PrivateAddressError, match="public internet"):
        open_url(f"http://{host}:{port}")
    assert not server.asked


def test_each_address_of_a_name_is_checked_before_any_is_connected(monkeypatch):
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("it was connected"))
    with pytest.raises(PrivateAddressError, match=r"10\.0\.0\.1"):
        connect("shop.example", 80, 1.0)


def test_a_redirect_is_checked_as_the_url_is(server, monkeypatch):
    inside = server.add("/inside.jpg", b"secret")
    outside = server.add("/outside.jpg", b"", 302, Location=inside.replace("127.0.0.1", "localhost"))
    checked = []

    def public_only_once(address: str) -> None:
        checked.append(address)
        if len(checked) > 1:
            require_public(address)

    monkeypatch.setattr(connections, "require_public", public_only_once)
    with pytest.raises(PrivateAddressError):
        open_url(outside)
    assert len(checked) >= 2 and server.asked == {"/outside.jpg": 1}


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/1.jpg"])
def test_a_redirect_to_another_protocol_is_refused(target, server, monkeypatch):
    monkeypatch.setattr(connections, "require_public", lambda address: None)
    with pytest.raises((HTTPError, URLError)):
        open_url(server.add("/1.jpg", b"", 302, Location=target))


def test_a_redirect_is_followed_and_proxies_are_not_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(connections, "require_public", lambda address: None)
    target = server.add("/2.jpg", b"photo")
    assert open_url(server.add("/1.jpg", b"", 301, Location=target)) == b"photo"


def test_https_is_encrypted(server, monkeypatch):
    monkeypatch.setattr(connections, "require_public", lambda address: None)
    url = server.add("/1.jpg", b"photo").replace("http:", "https:")  # which answers without TLS
    with pytest.raises(URLError, match="SSL"):
        open_url(url)


def test_a_host_that_does_not_answer_is_an_error_of_the_system(monkeypatch):
    monkeypatch.setattr(connections, "require_public", lambda address: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(URLError, match="refused"):
        open_url(f"http://127.0.0.1:{port}/1.jpg")

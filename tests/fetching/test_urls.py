"""Photos by URL: from public addresses, within limits. The server is a real one, on this machine."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hf_fashion.fetching import urls
from hf_fashion.fetching.addresses import require_public
from hf_fashion.fetching.urls import connect, fetch_bytes, fetch_photo, shown_url


class Answers(BaseHTTPRequestHandler):
    """A photo, and servers that misbehave."""

    def do_GET(self):
        self.server.asked.append(self.path)
        getattr(self, f"answer_{self.path.strip('/').partition('?')[0]}")()

    def answer_photo(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a photo")

    def answer_moved(self):
        self.redirect("/photo")

    def answer_flood(self):
        self.redirect("/photo", b"x" * 50_000_000)

    def answer_circle(self):
        self.redirect("/circle")

    def answer_inside(self):
        self.redirect(f"http://127.0.0.2:{self.server.server_port}/photo")

    def answer_file(self):
        self.redirect("file:///etc/passwd")

    def answer_large(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (urls.SIZE_LIMIT + 1))

    def answer_slow(self):
        self.send_response(200)
        self.end_headers()
        self.drip()

    def answer_late(self):
        time.sleep(0.5)
        self.answer_photo()

    def answer_header(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
        self.drip()

    def answer_cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"a part")

    def drip(self):
        """A byte at a time, for longer than is waited for."""
        for _ in range(40):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def redirect(self, place: str, content: bytes = b""):
        self.send_response(302)
        self.send_header("Location", place)
        self.end_headers()
        for start in range(0, len(content), 1_000_000):
            try:
                self.wfile.write(content[start : start + 1_000_000])
            except OSError:
                return
            self.server.written += 1_000_000

    def log_message(self, *_):
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("0.0.0.0", 0), Answers)
    server.asked, server.written = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(server, monkeypatch) -> str:
    """Of the server, whose address counts as public in the test."""
    monkeypatch.setattr(urls, "require_public", lambda address: address == "127.0.0.1" or require_public(address))
    return f"http://127.0.0.1:{server.server_port}"


def test_a_photo_is_fetched_also_where_it_has_moved_to(url, server):
    assert fetch_photo(f"{url}/photo?name=\u30b3\u30fc\u30c8 1#part") == b"a photo"
    assert fetch_photo(f"{url}/moved") == b"a photo"
    assert server.asked == ["/photo?name=%E3%82%B3%E3%83%BC%E3%83%88%201", "/moved", "/photo"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("circle", "redirected more than 5 times"),
        ("inside", "its address is in a private network"),
        ("file", "begins with http:// or https:// and a name, got file://"),
        ("large", "it has more than 20 MB"),
        ("cut", "it was cut off, 94 bytes before its end"),
    ],
)
def test_other_answers_are_refused(url, server, path, reason):
    with pytest.raises(ValueError, match=rf"the photo at 'http://127.0.0.1:\d+/{path}' cannot be fetched: .*{reason}"):
        fetch_photo(f"{url}/{path}")
    assert "/photo" not in server.asked


@pytest.mark.parametrize("path", ["slow", "header"])
def test_a_server_that_drips_is_left_in_time(url, path, monkeypatch):
    monkeypatch.setattr(urls, "TIME_LIMIT", 0.4)
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"no whole answer in 0\.4 s"):
        fetch_photo(f"{url}/{path}")
    assert time.monotonic() - begin < 1.2


def test_a_server_may_take_longer_to_answer_than_to_connect(url, monkeypatch):
    monkeypatch.setattr(urls, "SILENCE", 0.1)
    assert fetch_bytes(f"{url}/late", 100, 20) == b"a photo"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_this_machine_is_not_asked(server, host):
    with pytest.raises(ValueError, match="its address is in a private network or this machine"):
        fetch_photo(f"http://{host}:{server.server_port}/photo")
    assert server.asked == []


def places(*addresses: str) -> list[tuple]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


def test_each_address_of_a_name_is_checked_before_any_is_connected(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places("8.8.8.8", "10.0.0.1"))
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("it was connected"))
    with pytest.raises(ValueError, match="its address is in a private network"):
        connect("shop.example", 80, time.monotonic() + 1)


def test_addresses_that_do_not_answer_have_the_time_of_one(monkeypatch):
    class Silent(socket.socket):
        def connect(self, place):
            time.sleep(self.gettimeout())
            raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places(*["8.8.8.8"] * 9))
    monkeypatch.setattr(socket, "socket", Silent)
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"no whole answer in 0\.2 s"):
        fetch_bytes("http://shop.example/photo", 100, 0.2)
    assert time.monotonic() - begin < 1


def test_a_name_that_is_looked_up_for_long_is_left_in_time(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2))
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"no whole answer in 0\.2 s"):
        fetch_bytes("http://shop.example/photo", 100, 0.2)
    assert time.monotonic() - begin < 1.5


def test_a_name_that_cannot_be_looked_up_is_refused_with_the_reason():
    with pytest.raises(ValueError, match="label"):
        fetch_photo(f"http://{'a' * 64}.example/photo")


def test_what_a_redirect_says_besides_its_place_is_not_read(url, server):
    assert fetch_photo(f"{url}/flood") == b"a photo"
    assert server.written < 20_000_000


def test_the_bytes_of_what_is_refused_are_counted(url):
    parts = []
    with pytest.raises(ValueError, match=r"it has more than 0\.1 MB"):
        fetch_bytes(f"{url}/large", 100_000, 10, parts.append)
    assert 100_000 < sum(parts) < 300_000


def test_https_is_encrypted(url):
    with pytest.raises(ValueError, match="SSL"):
        fetch_photo(url.replace("http:", "https:") + "/photo")  # which answers without TLS


def test_proxies_are_not_used(url, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert fetch_photo(f"{url}/photo") == b"a photo"


def test_names_and_keys_of_a_url_are_not_repeated():
    with pytest.raises(ValueError, match=r"the photo at 'http://127.0.0.1:1/photo' cannot be fetched") as error:
        fetch_photo("http://user:secret@127.0.0.1:1/photo?key=secret")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://cdn.example?sig=secret", "'https://cdn.example'"),
        ("https://cdn.example#secret/1.jpg", "'https://cdn.example'"),
        ("https://cdn.example/1.jpg#secret", "'https://cdn.example/1.jpg'"),
        ("https://cdn.example?mail=a@secret", "'https://cdn.example'"),
        ("https://user:secret@cdn.example:8443/a/1.jpg?key=secret", "'https://cdn.example:8443/a/1.jpg'"),
    ],
)
def test_keys_are_cut_off_where_there_is_no_path_too(url, shown):
    assert shown_url(url) == shown

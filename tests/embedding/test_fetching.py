"""Photos by URL: from public addresses, within limits. The server is a real one, on this machine."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hf_fashion.embedding import fetching
from hf_fashion.embedding.fetching import fetch_photo, is_public


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

    def answer_circle(self):
        self.redirect("/circle")

    def answer_inside(self):
        self.redirect(f"http://127.0.0.2:{self.server.server_port}/photo")

    def answer_file(self):
        self.redirect("file:///etc/passwd")

    def answer_large(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (fetching.SIZE_LIMIT + 1))

    def answer_slow(self):
        self.send_response(200)
        self.end_headers()
        self.drip()

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

    def redirect(self, place: str):
        self.send_response(302)
        self.send_header("Location", place)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("0.0.0.0", 0), Answers)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(server, monkeypatch) -> str:
    """Of the server, whose address counts as public in the test."""
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")
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
    monkeypatch.setattr(fetching, "TIME_LIMIT", 0.4)
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"no whole answer in 0\.4 s"):
        fetch_photo(f"{url}/{path}")
    assert time.monotonic() - begin < 1.2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_this_machine_is_not_asked(server, host):
    with pytest.raises(ValueError, match="its address is in a private network or this machine"):
        fetch_photo(f"http://{host}:{server.server_port}/photo")
    assert server.asked == []


def test_a_name_that_is_resolved_to_another_address_later_is_not_asked(server, monkeypatch):
    addresses = iter(["93.184.216.34"])
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (next(addresses), 80))])
    monkeypatch.setattr(fetching.HTTPConnection, "connect", lambda self: setattr(self, "sock", connected(server)))
    with pytest.raises(ValueError, match="its address is in a private network"):
        fetch_photo("http://shop.example/photo")
    assert server.asked == []


def connected(server):
    import socket

    made = socket.socket()
    made.connect(("127.0.0.1", server.server_port))
    return made


PUBLIC = ("93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "2002:5db8:d822::")
WITHIN = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1", "0.0.0.0", "224.0.0.1")
WITHIN_6 = ("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.1.2.3", "2002:7f00:1::", "64:ff9b::a01:203", "64:ff9b:1::1")


@pytest.mark.parametrize("address", [*PUBLIC, *WITHIN, *WITHIN_6, "100.64.0.1"])
def test_addresses_of_networks_within_are_not_public(address):
    assert is_public(address) is (address in PUBLIC)


def test_names_and_keys_of_a_url_are_not_repeated():
    with pytest.raises(ValueError, match=r"the photo at 'http://127.0.0.1:1/photo' cannot be fetched") as error:
        fetch_photo("http://user:secret@127.0.0.1:1/photo?key=secret")
    assert "secret" not in str(error.value)

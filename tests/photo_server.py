"""A server of photos on loopback, which counts what it is asked for."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class PhotoServer:
    """Answers GET from `answers`: path -> (status, headers, content).

    Use it as a context manager.
    """

    def __init__(self):
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: Counter[str] = Counter()
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                served.asked[self.path] += 1
                status, headers, content = served.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> "PhotoServer":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, path: str, content: bytes, status: int = 200, **headers: str) -> str:
        """Serve a content, and return its URL."""
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)
        return f"http://127.0.0.1:{self._server.server_port}{path}"

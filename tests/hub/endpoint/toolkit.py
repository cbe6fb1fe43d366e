"""A small server that does what Hugging Face's inference toolkit does with a `handler.py`: read a body by its content
type, call `EndpointHandler`, answer with JSON, and with status 400 and the error's words whatever is raised.

Usage: python -I toolkit.py FOLDER [PACKAGE]. Prints its port. Without PACKAGE, the folder that hf_fashion is imported
from, hf_fashion cannot be imported.
"""

import importlib.util
import json
import resource
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


def load_handler(folder: Path):
    spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
    sys.path.insert(0, str(folder))
    module = importlib.util.module_from_spec(spec)
    sys.modules["handler"] = module
    spec.loader.exec_module(module)
    return module.EndpointHandler(str(folder))


class Server(BaseHTTPRequestHandler):
    handler = None

    def do_GET(self):
        self._send({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}, 200)

    def do_POST(self):
        try:
            body = self._read(self.rfile.read(int(self.headers["Content-Length"])))
            if "inputs" not in body:
                raise ValueError("Body needs to provide a inputs key")
            asked = parse_qsl(urlsplit(self.path).query)
            if asked and "parameters" not in body:
                body["parameters"] = {key: int(value) if value.isnumeric() else value for key, value in asked}
            self._send(type(self).handler(body), 200)
        except Exception as error:
            self._send({"error": str(error)}, 400)

    def _read(self, body: bytes):
        from PIL import Image

        kind = self.headers.get("Content-Type", "")
        if kind == "application/json":
            return json.loads(body)
        if kind.startswith("image/"):
            return {"inputs": Image.open(BytesIO(body)).convert("RGB")}
        raise ValueError(f"Content type {kind!r} not supported")

    def _send(self, answer, status: int):
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Silent."""


def main(folder: Path, package: str | None = None) -> None:
    if package is None:
        sys.modules["hf_fashion"] = None
    else:
        sys.path.insert(0, package)
    Server.handler = load_handler(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

"""Endpoints as processes of their own, and requests to them."""

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from PIL import Image


class Endpoint:
    """A running endpoint: answers of it as (status, what its JSON holds)."""

    def __init__(self, port: int):
        self.port = port

    def send(self, body: bytes, kind: str = "application/json", path: str = "/") -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def ask(self, inputs: Any, **parameters: Any) -> tuple[int, Any]:
        return self.send(json.dumps({"inputs": inputs, "parameters": parameters}).encode())

    def peak_mb(self) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())["peak_mb"]


@contextmanager
def started(
    folder: Path, home: Path, package: Path | None = None, variables: dict[str, str] | None = None
) -> Iterator[Endpoint]:
    """Start the endpoint of a repository's folder, without hf_fashion or with the one in `package`."""
    toolkit = str(Path(__file__).with_name("toolkit.py"))
    command = [sys.executable, "-I", toolkit, str(folder), *([str(package)] if package else [])]
    environment = {**os.environ, "HF_HOME": str(home), "OMP_NUM_THREADS": "1", **(variables or {})}
    with open(home / "log.txt", "w") as log:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=-1, stderr=log, text=True)
    try:
        line = process.stdout.readline()
        assert line, (home / "log.txt").read_text()
        yield Endpoint(int(line))
        assert process.poll() is None, "the endpoint has ended"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def encoded(photo: Image.Image) -> str:
    return base64.b64encode(as_png(photo)).decode()


def as_png(photo: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, format="png")
    return buffer.getvalue()

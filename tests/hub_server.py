"""A Hugging Face Hub on loopback: the routes that `huggingface_hub` calls to create, upload, list and download.

Everything is kept in memory. Use it as a context manager and hand `hub.environment()` to a subprocess: the client
libraries read HF_ENDPOINT once, at import.
"""

import hashlib
import json
import re
import sys
import threading
from base64 import b64decode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from huggingface_hub import ModelCard

from tests.hub_metadata_rules import metadata_errors


USER = "tester"
LFS_SUFFIXES = (".safetensors", ".parquet", ".npy", ".arrow", ".png", ".jpg")


class StoredFile(NamedTuple):
    content: bytes
    is_lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def git_oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()

    @property
    def oid(self) -> str:
        """By which `huggingface_hub` sees that a file has not changed."""
        return self.sha256 if self.is_lfs else self.git_oid

    def tree_entry(self, path: str) -> dict:
        entry = {"type": "file", "path": path, "size": len(self.content), "oid": self.git_oid}
        if self.is_lfs:
            entry["lfs"] = {"oid": self.sha256, "size": len(self.content), "pointerSize": 130}
        return entry


@dataclass
class Repository:
    """Commits from oldest to newest; a branch or tag names one of them."""

    commits: dict[str, dict[str, StoredFile]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    private: bool = False

    def __post_init__(self):
        self.commit({}, "main")

    def commit(self, files: dict[str, StoredFile], ref: str) -> str:
        listing = json.dumps([len(self.commits), {path: file.git_oid for path, file in files.items()}])
        oid = hashlib.sha1(listing.encode()).hexdigest()
        self.commits[oid] = files
        self.refs[ref] = oid
        return oid

    def resolve(self, revision: str) -> str | None:
        oid = self.refs.get(revision, revision)
        return oid if oid in self.commits else None


@dataclass
class Fault:
    """What goes wrong with the next requests of a route, as the client sees it.

    Args:
        route (`str`): the last word of a line of `ROUTES`, such as `"commit"`.
        times (`int`): requests that it happens to.
        status (`int`, *optional*): the answer, without doing anything.
        headers (`dict`): of this answer.
        cut_after (`int`, *optional*): bytes of the request that are read before the connection is closed.
        lose_answer (`bool`): do what is asked and close the connection without an answer.
        seconds (`float`): wait before anything else.
    """

    route: str
    times: int = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    lose_answer: bool = False
    seconds: float = 0.0


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code = status, code


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: "HubServer"
    is_silent = False

    ROUTES = (
        ("GET", r"/api/whoami-v2", "whoami"),
        ("POST", r"/api/validate-yaml", "validate_yaml"),
        ("POST", r"/api/repos/create", "create"),
        ("DELETE", r"/api/repos/delete", "delete"),
        ("POST", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/preupload/(?P<revision>[^/]+)", "preupload"),
        ("POST", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/commit/(?P<revision>[^/]+)", "commit"),
        ("POST", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/tag/(?P<revision>[^/]+)", "tag"),
        ("POST", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/branch/(?P<branch>[^/]+)", "branch"),
        ("POST", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/paths-info/(?P<revision>[^/]+)", "paths_info"),
        ("GET", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/tree/(?P<revision>[^/]+)(?:/(?P<path>.*))?", "tree"),
        ("GET", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+)/commits/(?P<revision>[^/]+)", "commits"),
        ("GET", r"/api/(?P<kind>\w+?)s/(?P<name>[^/]+/[^/]+?)(?:/revision/(?P<revision>[^/]+))?", "info"),
        ("POST", r"/(?:(?P<kind>\w+?)s/)?(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "lfs_batch"),
        ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", "lfs_upload"),
        ("POST", r"/lfs/verify", "lfs_verify"),
        ("GET", r"/(?:(?P<kind>\w+?)s/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "download"),
    )

    def _dispatch(self):
        path = urlsplit(self.path).path
        method = "GET" if self.command == "HEAD" else self.command
        for route_method, pattern, name in self.ROUTES:
            match = re.fullmatch(pattern, path) if route_method == method else None
            if match:
                arguments = {key: unquote(value) for key, value in match.groupdict().items() if value is not None}
                self._answer(name, arguments)
                return
        self.body = self._read_body()
        self._json({"error": f"the loopback Hub has no route {self.command} {path}"}, 404)

    def _answer(self, route: str, arguments: dict[str, str]):
        fault = self.hub.next_fault(route)
        threading.Event().wait(fault.seconds)
        if fault.cut_after is not None:
            is_chunked = "Transfer-Encoding" in self.headers
            self.rfile.read(
                min(fault.cut_after, sys.maxsize if is_chunked else int(self.headers["Content-Length"] or 0))
            )
            self.close_connection = True
            return
        self.body = self._read_body()
        if fault.status:
            self._json({"error": "a fault of the test"}, fault.status, fault.headers)
            return
        self.is_silent = fault.lose_answer
        try:
            self._require_token()
            getattr(self, f"_{route}")(**arguments)
        except Refusal as refusal:
            self._json({"error": str(refusal)}, refusal.status, {"X-Error-Code": refusal.code})

    def _require_token(self):
        """Raise where a write comes without a token, or any request with one that the Hub does not know."""
        # The URLs of the storage are signed, and anybody may have a card checked.
        is_open = self.path.startswith(("/lfs/", "/api/validate-yaml"))
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if given and given != self.hub.token:
            raise Refusal(401, "", f"Invalid credentials in Authorization header: {given}")
        if not given and self.command not in ("GET", "HEAD") and not is_open:
            raise Refusal(401, "", "Invalid username or password.")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _dispatch

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self._read_line().split(b";")[0], 16):
            chunks.append(self._read(size))
            self._read_line()
        self._read_line()
        return b"".join(chunks)

    def _read(self, size: int) -> bytes:
        content = self.rfile.read(size)
        if len(content) < size:
            raise ConnectionAbortedError("half a request, which is not acted upon")
        return content

    def _read_line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError("half a request, which is not acted upon")
        return line

    def _send(self, content: bytes, status: int = 200, headers: dict[str, str] | None = None):
        if self.is_silent:
            self.close_connection = True
            return
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _json(self, value, status: int = 200, headers: dict[str, str] | None = None):
        self._send(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def _repository(self, kind: str, name: str) -> Repository:
        repository = self.hub.repositories.get((kind, name))
        if repository is None:
            raise Refusal(404, "RepoNotFound", f"no {kind} {name}")
        if repository.private and not self.headers.get("Authorization"):
            raise Refusal(401, "RepoNotFound", "Invalid username or password.")
        return repository

    def _files(self, kind: str, name: str, revision: str) -> tuple[str, dict[str, StoredFile]]:
        repository = self._repository(kind, name)
        oid = repository.resolve(revision)
        if oid is None:
            raise Refusal(404, "RevisionNotFound", f"{name} has no revision {revision}")
        return oid, repository.commits[oid]

    def _whoami(self):
        self._json({"type": "user", "name": USER, "orgs": [], "auth": {"type": "access_token"}})

    def _validate_yaml(self):
        errors = metadata_errors(json.loads(self.body)["content"])
        self._json({"errors": [{"message": error} for error in errors], "warnings": []}, 400 if errors else 200)

    def _create(self):
        request = json.loads(self.body)
        kind, name = request.get("type") or "model", f"{request.get('organization') or USER}/{request['name']}"
        status = 409 if (kind, name) in self.hub.repositories else 200
        private = request.get("visibility") == "private"
        self.hub.repositories.setdefault((kind, name), Repository(private=private))
        prefix = "" if kind == "model" else f"{kind}s/"
        self._json({"url": f"{self.hub.endpoint}/{prefix}{name}", "name": name}, status)

    def _delete(self):
        request = json.loads(self.body)
        kind, name = request.get("type") or "model", f"{request.get('organization') or USER}/{request['name']}"
        self._repository(kind, name)
        del self.hub.repositories[kind, name]
        self._json({})

    def _preupload(self, kind: str, name: str, revision: str):
        _, there = self._files(kind, name, revision)
        files = []
        for path in (file["path"] for file in json.loads(self.body)["files"]):
            mode = "lfs" if path.endswith(LFS_SUFFIXES) else "regular"
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False})
            if path in there:
                files[-1]["oid"] = there[path].oid
        self._json({"files": files})

    def _commit(self, kind: str, name: str, revision: str):
        with self.hub.committing:
            parent, files = self._files(kind, name, revision)
            files = dict(files)
            for line in self.body.splitlines():
                operation = json.loads(line)
                value = operation["value"]
                if operation["key"] == "header" and value.get("parentCommit", parent) != parent:
                    raise Refusal(412, "", "A commit has happened since. Please refresh and try again.")
                if operation["key"] == "file":
                    files[value["path"]] = StoredFile(_decoded(value), is_lfs=False)
                elif operation["key"] == "lfsFile":
                    files[value["path"]] = StoredFile(self.hub.lfs_objects[value["oid"]], is_lfs=True)
                elif operation["key"] == "deletedFile":
                    files.pop(value["path"])
            oid = self._repository(kind, name).commit(files, revision)
        self._json({"success": True, "commitOid": oid, "commitUrl": f"{self.hub.endpoint}/{name}/commit/{oid}"})

    def _tag(self, kind: str, name: str, revision: str):
        oid, _ = self._files(kind, name, revision)
        self._repository(kind, name).refs[json.loads(self.body)["tag"]] = oid
        self._json({})

    def _branch(self, kind: str, name: str, branch: str):
        refs = self._repository(kind, name).refs
        if branch in refs:
            raise Refusal(409, "Conflict", f"{name} has a branch {branch} already")
        refs[branch] = refs["main"]
        self._json({})

    def _paths_info(self, kind: str, name: str, revision: str):
        _, files = self._files(kind, name, revision)
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        paths = json.loads(self.body)["paths"] if is_json else parse_qs(self.body.decode())["paths"]
        self._json([files[path].tree_entry(path) for path in paths if path in files])

    def _tree(self, kind: str, name: str, revision: str, path: str = ""):
        _, files = self._files(kind, name, revision)
        recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() == "true"
        prefix = f"{path}/" if path else ""
        entries = {}
        for file_path, file in sorted(files.items()):
            rest = file_path.removeprefix(prefix)
            if not file_path.startswith(prefix):
                continue
            for folder in _parents(rest) if recursive else _parents(rest)[:1]:
                entries[prefix + folder] = {"type": "directory", "path": prefix + folder, "size": 0, "oid": "0" * 40}
            if recursive or "/" not in rest:
                entries[file_path] = file.tree_entry(file_path)
        if path and not entries:
            raise Refusal(404, "EntryNotFound", f"{name} has no folder {path}")
        self._json(list(entries.values()))

    def _info(self, kind: str, name: str, revision: str = "main"):
        oid, files = self._files(kind, name, revision)
        private = self._repository(kind, name).private
        listing = {"_id": name, "id": name, "sha": oid, "private": private, "tags": [], "downloads": 0, "likes": 0}
        self._json({**listing, **_card_data(files), "siblings": [{"rfilename": path} for path in sorted(files)]})

    def _commits(self, kind: str, name: str, revision: str):
        """Of the repository, newest first; it knows no titles and no dates."""
        self._files(kind, name, revision)
        known = {"authors": [{"user": USER}], "date": "2026-01-01T00:00:00.000Z", "title": "", "message": ""}
        self._json([known | {"id": oid} for oid in reversed(self._repository(kind, name).commits)])

    def _lfs_batch(self, name: str, kind: str = "model"):
        self._repository(kind, name)
        actions = [
            {
                **object_,
                "actions": {
                    "upload": {"href": f"{self.hub.endpoint}/lfs/{object_['oid']}", "header": {}},
                    "verify": {"href": f"{self.hub.endpoint}/lfs/verify", "header": {}},
                },
            }
            for object_ in json.loads(self.body)["objects"]
        ]
        self._json({"transfer": "basic", "objects": actions})

    def _lfs_upload(self, oid: str):
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refusal(400, "BadRequest", f"the content sent is not {oid}")
        self.hub.lfs_objects[oid] = self.body
        self._json({})

    def _lfs_verify(self):
        request = json.loads(self.body)
        stored = self.hub.lfs_objects.get(request["oid"])
        self._json({}, 200 if stored is not None and len(stored) == request["size"] else 404)

    def _download(self, name: str, revision: str, path: str, kind: str = "model"):
        oid, files = self._files(kind, name, revision)
        if path not in files:
            self._json({"error": path}, 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid})
            return
        file = files[path]
        headers = {"X-Repo-Commit": oid, "ETag": f'"{file.oid}"'}
        if file.is_lfs:
            headers |= {"X-Linked-Size": str(len(file.content)), "X-Linked-Etag": f'"{file.sha256}"'}
        self._send(file.content, headers=headers)

    def log_message(self, *args):
        """Silent: a test that fails says so itself."""


def _card_data(files: dict[str, StoredFile]) -> dict:
    """What the Hub reads from a model's card: `pipeline` asks it for the task of a model."""
    if "README.md" not in files:
        return {}
    data = ModelCard(files["README.md"].content.decode(), ignore_metadata_errors=True).data.to_dict()
    return {"cardData": data, **{key: data[key] for key in ("pipeline_tag", "library_name", "tags") if key in data}}


def _decoded(value: dict) -> bytes:
    return b64decode(value["content"]) if value.get("encoding") == "base64" else value["content"].encode()


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Silent where a client has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HubServer:
    """The server.

    Attributes:
        repositories: by kind and name, such as `("model", "tester/a")`.
        faults: what goes wrong; the first one of a route goes first.
        token: the only one that it knows.
    """

    def __init__(self):
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.lfs_objects: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.token = "hf_x"
        self.committing = threading.Lock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def next_fault(self, route: str) -> Fault:
        """Return what goes wrong with a request, and count it; a fault that does nothing where there is none."""
        with self.committing:
            fault = next((each for each in self.faults if each.route == route and each.times), Fault(route))
            fault.times -= 1
            return fault

    def use_here(self, monkeypatch, endpoint: str | None = None) -> None:
        """Point huggingface_hub at this Hub in this process, for the rest of a test.

        Args:
            monkeypatch (`pytest.MonkeyPatch`): of the test.
            endpoint (`str`, *optional*): of a relay between them.
        """
        from huggingface_hub import close_session, constants
        from transformers.utils import hub as hub_of_transformers

        monkeypatch.setattr(hub_of_transformers, "_hf_api", None, raising=False)  # it knows another Hub
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.removeprefix(constants.ENDPOINT)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", (endpoint or self.endpoint) + template)
        monkeypatch.setattr(constants, "ENDPOINT", endpoint or self.endpoint)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)
        close_session()  # the old one knows its proxies

    def environment(self) -> dict[str, str]:
        """Environment variables that point a new process at this Hub."""
        offline = dict.fromkeys(("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"), "0")
        proxies = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        return {"HF_ENDPOINT": self.endpoint, "HF_TOKEN": self.token, "HF_HUB_DISABLE_XET": "1", **offline, **proxies}

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()

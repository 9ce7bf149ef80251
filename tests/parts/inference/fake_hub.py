"""A fake of the Hugging Face hub, which tests cannot reach: one repository with one revision, over real sockets."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REPOSITORY = "org/tiny-GGUF"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def fake_hub(files: Mapping[str, bytes], *, trouble: str | int | None = None) -> Iterator[str]:
    """The URL of a hub whose repository holds these files. trouble: the hub's code, or a status, for all requests."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            found: bytes | str | int = _find(self.path.partition("?")[0], files) if trouble is None else trouble
            if isinstance(found, int):
                self.send_response(found)
                found = b""
            elif isinstance(found, str):
                self.send_response(403 if found == "GatedRepo" else 404)
                self.send_header("X-Error-Code", found)
                found = b""
            else:
                self.send_response(200)
            for name, value in (("ETag", _tag(found)), ("X-Repo-Commit", COMMIT), ("Content-Length", str(len(found)))):
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(found)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _tag(content: bytes) -> str:
    """The hub's client keeps files under their tags."""
    return f'"{hashlib.sha256(content).hexdigest()}"'


def _find(path: str, files: Mapping[str, bytes]) -> bytes | str:
    """What is at a path, or the hub's code for why nothing is."""
    listing = {"id": REPOSITORY, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
    known = ("main", "v1", COMMIT)
    if path in (f"/api/models/{REPOSITORY}", *(f"/api/models/{REPOSITORY}/revision/{each}" for each in known)):
        return json.dumps(listing).encode()
    if path.startswith(f"/api/models/{REPOSITORY}/revision/"):
        return "RevisionNotFound"
    if path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
        tree = [{"type": "file", "path": name, "size": len(data), "oid": "0a"} for name, data in files.items()]
        return json.dumps(tree).encode()
    owner, _, rest = path.removeprefix("/").partition("/resolve/")
    name = rest.partition("/")[2]
    return files[name] if owner == REPOSITORY and name in files else "RepoNotFound"

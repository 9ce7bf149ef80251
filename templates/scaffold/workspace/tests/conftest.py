"""Builds a distribution with the specs of this workspace, starts it in this environment, and asks it over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WORKSPACE = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A server that answers. url: without a path."""

    url: str

    def get(self, path: str) -> Any:
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        return json.loads(self.post_raw(path, body))

    def post_raw(self, path: str, body: Mapping[str, object]) -> bytes:
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())

    def _ask(self, request: urllib.request.Request) -> Any:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


Serve = Callable[[str | Mapping[str, object]], Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve("example")` for a distribution of this workspace, `serve({"name": …})` for one of the test's own."""
    with ExitStack() as stack:
        yield lambda distribution: stack.enter_context(_serving(distribution, tmp_path))


@contextmanager
def _serving(distribution: str | Mapping[str, object], folder: Path) -> Iterator[Server]:
    name = distribution if isinstance(distribution, str) else str(distribution["name"])
    own = folder / "specs" / "distributions"
    own.mkdir(parents=True, exist_ok=True)
    if not isinstance(distribution, str):
        (own / f"{name}.yaml").write_text(json.dumps(distribution), "utf-8")  # JSON is YAML, too
    out, log = folder / name, folder / f"{name}.log"
    specs = ["--specs", str(WORKSPACE), "--specs", str(folder / "specs")]
    build = [sys.executable, "-m", "stackgen", "build", name, "--quiet", "--out", str(out), *specs]
    done = subprocess.run(build, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", f"{name.replace('-', '_')}_stack", "--port", str(port)]
    environ = {**os.environ, "PYTHONPATH": str(out / "src")}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environ, cwd=folder)
    try:
        server = Server(f"http://127.0.0.1:{port}")
        _wait(server, process, log)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/openapi.json", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not come up:\n{log.read_text(errors='replace')}")

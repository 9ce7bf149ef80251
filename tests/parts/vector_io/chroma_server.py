"""A Chroma server, as its own package runs it; one for a whole run of tests."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from real_servers import HOST, dismiss, free_port, watch

_SECONDS = 60.0


@dataclass
class ChromaServer:
    """folder: its data and its log."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    watch: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Starts it; returns when it answers."""
        command = Path(sys.executable).with_name("chroma")
        told = ["run", "--host", HOST, "--port", str(self.port), "--path", str(self.folder / "data")]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen([command, *told], stdout=log, stderr=log, cwd=self.folder)
        self.watch = watch(self.process)
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, "Chroma does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, as a crash does."""
        if self.process is not None:
            dismiss(self.watch)
            self.process.kill()
            self.process.wait(_SECONDS)
            self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=_SECONDS) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with running_chroma(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@contextmanager
def running_chroma(folder: Path) -> Iterator[ChromaServer]:
    server = ChromaServer(folder, free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()

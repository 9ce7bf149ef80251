"""Starting and stopping real servers for tests."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".stackgen"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. url: without a path. log: what it printed, both streams."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """SIGTERM, as a service manager would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environ(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server under test: nothing of whoever runs the tests, such as the keys of real services or
    what servers of theirs keep."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    state = tempfile.mkdtemp(prefix="stackgen-state-")
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    return {**kept, "SQLITE_STORE_DIR": state, "FILES_STORAGE_DIR": f"{state}/files", **extra}


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    port: int,
    ready: str,
    environ: Mapping[str, str],
    log: Path,
    seconds: float = START_SECONDS,
) -> Iterator[Running]:
    """A server, from when `ready` (a path) answers 200, within these seconds, until it is stopped."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], env=dict(environ), stdout=output, stderr=subprocess.STDOUT, cwd=log.parent
        )
    server = Running(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(server, ready, seconds)
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: Running, ready: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(server.url + ready, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"the server did not come up:\n{server.log.read_text(errors='replace')[-4000:]}")


def stackgen(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the stackgen of this checkout to its end."""
    program = "import sys; from stackgen.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
        capture_output=True,
        text=True,
        check=False,
    )

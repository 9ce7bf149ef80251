"""The tools of the machine that stackgen starts: uv, Python's venv and pip.

What goes wrong here is of the machine, not of a spec: `EnvironmentFailure`, exit code 3.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

EXIT_CODE = 3
_FINISHED = "stackgen-finished"
_LAST_LINES = 15

IDLE_DAYS = 30
"""After which an environment that nobody has used may be removed."""

Say = Callable[[str], None]


class EnvironmentFailure(Exception):
    """A tool is missing or failed; the message says which and what it said."""


def find_uv() -> list[str] | None:
    """The command that starts uv: the one on the path, or the installed package's. None without uv."""
    if command := shutil.which("uv"):
        return [command]
    return [sys.executable, "-m", "uv"] if find_spec("uv") else None


def run_tool(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    """Run a command to its end, silently; EnvironmentFailure with the end of its output where it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise EnvironmentFailure(f"cannot run {words[0]}: {error.strerror or error}") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        raise EnvironmentFailure(f"`{' '.join(words)}` failed with exit code {done.returncode}:\n{said}")


def environment_for(package: Path, home: Path, say: Say, extra: Sequence[str] = ()) -> Path:
    """The Python interpreter of an environment that holds a built package, its locked requirements, and `extra`.

    package: the folder with the package's requirements.txt and pyproject.toml. home: where environments are kept; one
    that is there already for the same requirements is used again, and the package installed anew where it has changed.
    One that was last used IDLE_DAYS ago, for the same name, is removed. extra: what nobody locks, as pip takes it.
    """
    requirements = (package / "requirements.txt").read_bytes()
    key = hashlib.sha256("\0".join([sys.version, *extra]).encode() + requirements).hexdigest()[:16]
    folder = home / f"{package.name}-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    finished = folder / _FINISHED
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / f".{folder.name}.lock", lambda: say(f"waiting for another that makes {folder}")):
        if not finished.is_file():
            say(f"making the environment {folder}")
            # An earlier attempt that was interrupted left no marker: it is not completed, but made anew.
            shutil.rmtree(folder, ignore_errors=True)
            _remove_idle(home, package.name)
            _create(folder)
            if extra:
                # First, so that the locked versions have the last word on what both need.
                say(f"installing {', '.join(extra)}")
                install(python, extra)
            say(f"installing {requirements.count(b'==')} locked packages")
            install(python, ["--no-deps", "--require-hashes", "-r", package / "requirements.txt"])
            finished.touch()
        content = _digest(package)
        if finished.read_text() != content:
            say(f"installing {package.name}")
            finished.write_text("")
            install(python, ["--no-deps", "--force-reinstall", package])
            finished.write_text(content)
        os.utime(finished)
    return python


@contextmanager
def _alone(path: Path, wait: Callable[[], None]) -> Iterator[None]:
    """One process at a time; the others wait, and are let in however it ends. wait: called by whoever has to."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_idle(home: Path, name: str) -> None:
    long_ago = time.time() - IDLE_DAYS * 24 * 3600
    for marker in home.glob(f"{name}-*/{_FINISHED}"):
        # The key has no dash, a name may: `nvidia-demo` is not `nvidia`.
        if marker.parent.name.rpartition("-")[0] == name and marker.stat().st_mtime < long_ago:
            shutil.rmtree(marker.parent, ignore_errors=True)


def _digest(package: Path) -> str:
    """Of all files of a package, without what running or building it leaves behind."""
    found = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and not {"__pycache__", "build"} & set(path.relative_to(package).parts):
            content = path.read_bytes()
            found.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _create(folder: Path) -> None:
    uv = find_uv()
    if uv:
        run_tool([*uv, "venv", "--quiet", "--no-project", "--no-config", "--python", sys.executable, folder])
    else:
        run_tool([sys.executable, "-m", "venv", folder])


def install(python: Path, arguments: Sequence[str | Path]) -> None:
    """`pip install`, into the environment of that interpreter; with uv where there is one."""
    uv = find_uv()
    if uv:
        forced = ["--reinstall" if word == "--force-reinstall" else word for word in arguments]
        run_tool([*uv, "pip", "install", "--quiet", "--python", python, *forced])
    else:
        run_tool([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments])

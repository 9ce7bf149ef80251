"""The tools of the machine that stackgen starts: uv, Python's venv and pip.

What goes wrong here is of the machine, not of a spec: `EnvironmentFailure`, exit code 3.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

EXIT_CODE = 3
_FINISHED = "stackgen-finished"
_LAST_LINES = 15

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
    """The Python interpreter of an environment that holds a built package's locked requirements, and `extra`.

    package: the folder with the package's requirements.txt and pyproject.toml. home: where environments are kept; one
    that is there already for the same requirements is used again. extra: what nobody locks, as pip takes it. The
    package itself is installed anew each time: that is cheap, and it may have changed.
    """
    requirements = (package / "requirements.txt").read_bytes()
    key = hashlib.sha256("\0".join([sys.version, *extra]).encode() + requirements).hexdigest()[:16]
    folder = home / f"{package.name}-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / _FINISHED).is_file():
        say(f"making the environment {folder}")
        # An earlier attempt that was interrupted left no marker: it is not completed, but made anew.
        shutil.rmtree(folder, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        _create(folder)
        if extra:
            # First, so that the locked versions have the last word on what both need.
            say(f"installing {', '.join(extra)}")
            install(python, extra)
        say(f"installing {requirements.count(b'==')} locked packages")
        install(python, ["--no-deps", "--require-hashes", "-r", package / "requirements.txt"])
        (folder / _FINISHED).touch()
    say(f"installing {package.name}")
    install(python, ["--no-deps", "--force-reinstall", package])
    return python


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

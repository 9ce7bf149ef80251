"""`stackgen run NAME`: build the server, make its environment, start it in place of this process.

Everything is kept under `.stackgen/` of the working directory, so that running never changes a tree of sources:
`.stackgen/build/NAME` is the package, `.stackgen/envs/NAME-…` its environment, used again while its requirements are
the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .environment import EXIT_CODE, EnvironmentFailure, environment_for

HOME = Path(".stackgen")


def run_server(
    name: str,
    module: str,
    build: Callable[[Path], int],
    *,
    extra: Sequence[str] = (),
    port: int | None,
    workers: int | None,
    home: Path = HOME,
) -> int:
    """Serve a distribution; returns only where that fails, with an exit code.

    module: of the server's package, "gateway_stack". build: writes the package into a folder and gives an exit code.
    extra: what is installed beside the locked packages, as pip takes it.
    port, workers: None for what the distribution says.
    """
    folder = (home / "build" / name).absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if code := build(folder):
            return code
        python = environment_for(folder, (home / "envs").absolute(), _say, extra)
        _say(f"starting {name}")
        return _become(server_command(python, module, port=port, workers=workers))
    except (EnvironmentFailure, OSError) as error:
        _say(str(error))
        return EXIT_CODE


def server_command(python: Path, module: str, *, port: int | None, workers: int | None) -> list[str]:
    """What starts a built server. -P: a file of the working directory must not stand in for one of its modules."""
    command = [str(python), "-P", "-m", module]
    for option, value in (("--port", port), ("--workers", workers)):
        command += [] if value is None else [option, str(value)]
    return command


def _become(command: Sequence[str]) -> int:
    """Go on as the server: signals and the exit code are its own. Windows has no exec, there it is a child."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "nt":
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], list(command))


def _say(text: str) -> None:
    sys.stderr.write(f"stackgen run: {text}\n")
    sys.stderr.flush()

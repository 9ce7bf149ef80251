"""Law 3: a built package passes its checks, imports and serves where only its own locked requirements are.

Installed as its README says, with pip alone.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import Built
from .servers import stackgen

pytestmark = pytest.mark.slow

DISTRIBUTIONS = ("gateway", "local", "nvidia", "starter")


def tool(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp(request.param)
    folder = home / request.param
    done = stackgen("build", request.param, "--out", folder)
    assert done.returncode == 0, done.stderr
    venv.create(home / "env", with_pip=True)
    python = home / "env" / "bin" / "python"
    tool(
        python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", "requirements.txt", cwd=folder
    )
    tool(python, "-m", "pip", "install", "--quiet", "--no-deps", ".", cwd=folder)
    return Built(request.param, folder, python)


def test_the_environment_holds_its_locked_requirements_and_nothing_else(installed: Built) -> None:
    text = (installed.folder / "requirements.txt").read_text()
    pins = [Requirement(line.removesuffix("\\")) for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    locked = {canonicalize_name(pin.name) for pin in pins if pin.marker is None or pin.marker.evaluate()}
    listed = json.loads(tool(installed.python, "-m", "pip", "list", "--format", "json", cwd=installed.folder))
    there = {canonicalize_name(each["name"]) for each in listed} - {"pip", "setuptools"}
    own = {name for name in there if name.replace("-", "_") in {installed.module, installed.name.replace("-", "_")}}
    assert len(own) == 1
    assert there - own == locked


def test_the_locked_requirements_fit_together(installed: Built) -> None:
    command = [installed.python, "-m", "pip", "check"]
    done = subprocess.run(command, cwd=installed.folder, capture_output=True, text=True, check=False)
    # Which build of torch is right nobody can lock; a server that can do without has none here.
    broken = [line for line in done.stdout.splitlines() if "requires torch, which is not installed" not in line]
    assert broken in ([], ["No broken requirements found."]), done.stdout


def test_it_is_formatted_and_linted(installed: Built) -> None:
    tool(sys.executable, "-m", "ruff", "check", ".", cwd=installed.folder)
    tool(sys.executable, "-m", "ruff", "format", "--check", ".", cwd=installed.folder)


def test_it_passes_mypy_against_its_own_environment(installed: Built) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", installed.python, "src"]
    tool(*command, cwd=installed.folder)


def test_it_starts_serves_and_stops(installed: Built) -> None:
    # The distribution nvidia asks for a key; others ignore this one.
    with installed.serve({"NVIDIA_API_KEY": "nv-not-a-secret"}) as server:
        for path in ("/v1/health", "/v1/version", "/v1/models", "/v1/providers", "/v1/inspect/routes"):
            with urllib.request.urlopen(server.url + path, timeout=10) as answer:
                assert answer.status == 200, path
                assert json.load(answer)
        assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "not-a-secret" not in log


def test_a_taken_port_is_said_and_is_a_failure(installed: Built) -> None:
    with installed.serve({"NVIDIA_API_KEY": "nv-not-a-secret"}) as server:
        port = server.url.rpartition(":")[2]
        command = [installed.python, "-m", installed.module, "--host", "127.0.0.1", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_share_the_port_and_stop_together(installed: Built) -> None:
    if not takes_workers(installed):
        command = [installed.python, "-m", installed.module, "--workers", "2"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
        assert "--workers: expected a whole number from 1 to 1" in done.stderr
        return
    with installed.serve({"NVIDIA_API_KEY": "nv-not-a-secret"}, "--workers", "2") as server:
        for _ in range(8):
            with urllib.request.urlopen(server.url + "/v1/health", timeout=10) as answer:
                assert json.load(answer)["status"] == "OK"
        assert server.stop() == 0


def takes_workers(installed: Built) -> bool:
    """Not where something in the server must be in one process: a model loaded into it."""
    assert installed.name in DISTRIBUTIONS
    return installed.name != "local"

"""The same specs give the same bytes, whoever builds, where and when; and quickly."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from stackgen.workspace import find_roots

GENERATOR = Path(__file__).parents[2] / "generator"
DISTRIBUTIONS = find_roots(()).names("distributions")


def build(name: str, out: Path, cwd: Path, mask: int, **environ: str) -> None:
    command = [sys.executable, "-m", "stackgen", "build", name, "--quiet", "--out", str(out)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(GENERATOR), **environ}
    subprocess.run(command, cwd=cwd, env=environment, check=True, umask=mask)


def digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_two_builds_are_the_same(name: str, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "somewhere" / "else"
    here.mkdir()
    there.mkdir(parents=True)
    one = {"PYTHONHASHSEED": "1", "TZ": "UTC", "HOME": str(here), "LC_ALL": "C.UTF-8"}
    two = {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "HOME": str(there), "LC_ALL": "C", "PYTHONUTF8": "0"}
    build(name, here / "out", here, 0o022, **one)
    build(name, there / "other", there, 0o077, **two)
    assert digest(here / "out") == digest(there / "other")


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_build_takes_less_than_two_seconds_of_cpu(name: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    build(name, tmp_path / "out", tmp_path, 0o022)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 2.0


@pytest.mark.parametrize("name", ["gateway", "nvidia"])
def test_the_committed_packages_are_what_the_specs_say(name: str) -> None:
    command = [sys.executable, "-m", "stackgen", "build", name, "--check"]
    environment = {**os.environ, "PYTHONPATH": str(GENERATOR)}
    run = subprocess.run(command, cwd=GENERATOR.parent, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_no_path_of_this_machine_is_written(tmp_path: Path) -> None:
    build("nvidia", tmp_path / "out", tmp_path, 0o022)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            assert str(GENERATOR.parent).encode() not in text, path
            assert str(tmp_path).encode() not in text, path

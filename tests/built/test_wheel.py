"""stackgen itself as a wheel: it carries its schema, specs and templates, and needs no checkout."""

from __future__ import annotations

import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from .servers import ROOT, stackgen

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "maker", with_pip=True)
    run(
        folder / "maker" / "bin" / "python",
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "-w",
        folder,
        ROOT,
        cwd=folder,
    )
    return next(folder.glob("stackgen-*.whl"))


def test_it_carries_what_it_compiles_from(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "stackgen/data/specs/lock/requirements.txt" in names
    assert "stackgen/data/specs/distributions/gateway.yaml" in names
    assert any(name.startswith("stackgen/data/schema/") for name in names)
    assert any(name.startswith("stackgen/data/templates/jinja/") for name in names)
    assert not any("__pycache__" in name or name.startswith("tests/") for name in names)


def test_it_builds_the_same_bytes_as_the_checkout_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    command = tmp_path / "env" / "bin" / "stackgen"
    run(tmp_path / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "gateway" in run(command, "list", "distributions", cwd=empty)
    run(command, "build", "gateway", "--out", "out", cwd=empty)
    done = stackgen("build", "gateway", "--out", tmp_path / "of-checkout")
    assert done.returncode == 0, done.stderr
    assert files(empty / "out") == files(tmp_path / "of-checkout")


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_missing_tool_is_no_traceback(wheel: Path, tmp_path: Path) -> None:
    """Without uv, `lock` says what to install; the wheel's plain requirements have none."""
    venv.create(tmp_path / "env", with_pip=True)
    run(tmp_path / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    done = subprocess.run(
        [tmp_path / "env" / "bin" / "stackgen", "lock"],
        cwd=tmp_path,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "stackgen[lock]" in done.stderr

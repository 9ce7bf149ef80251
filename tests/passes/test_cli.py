"""The command line: exit codes, what goes where, and no traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from stackgen.cli import build_parser, main

GENERATOR = Path(__file__).parents[2] / "generator"

BROKEN = """\
name: broken
summary: Wrong in two ways.
apis: [inference, models]
providers:
  inference:
    - {id: a, type: remote::opena}
    - {id: b, type: remote::nvidia, config: {base_ulr: "https://b.example"}}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "ws/distributions").mkdir(parents=True)
    (tmp_path / "ws/distributions/broken.yaml").write_text(BROKEN)
    return tmp_path / "ws"


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_build_writes_a_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "nvidia"
    assert main(["build", "nvidia", "--out", str(out)]) == 0
    assert (out / "src/nvidia_stack/__main__.py").is_file()
    assert str(out) in told(capsys)[0]


def test_build_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "nvidia", "--quiet", "--out", str(tmp_path / "o")]) == 0
    assert told(capsys) == ("", "")


def test_build_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "nvidia", "--json", "--out", str(tmp_path / "o")]) == 0
    said = json.loads(told(capsys)[0])
    assert said["distribution"] == "nvidia"
    assert "MANIFEST.json" in said["files"]


def test_build_all_gives_each_a_folder(tmp_path: Path) -> None:
    assert main(["build", "--all", "--out", str(tmp_path)]) == 0
    assert {"gateway", "nvidia", "starter"} <= {path.name for path in tmp_path.iterdir()}


def test_check_finds_drift_and_tells_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "nvidia"
    command = ["build", "nvidia", "--out", str(out)]
    assert main(command) == 0
    assert main([*command, "--check"]) == 0
    wiring = out / "src/nvidia_stack/wiring.py"
    wiring.write_text("# edited\n")
    (out / "src/nvidia_stack/extra.py").write_text("")
    (out / "README.md").unlink()
    told(capsys)
    assert main([*command, "--check"]) == 1
    said = told(capsys)[1]
    assert f"changed: {wiring}" in said
    assert f"orphaned: {out}/src/nvidia_stack/extra.py" in said
    assert f"missing: {out}/README.md" in said
    assert f"stackgen build nvidia --out {out}" in said
    assert wiring.read_text() == "# edited\n"


def test_spec_errors_are_told_at_their_place_and_nothing_is_written(
    tmp_path: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["build", "broken", "--specs", str(workspace), "--out", str(out)]) == 1
    said = told(capsys)[1]
    assert "distributions/broken.yaml:6:21: error SG303" in said
    assert "did you mean  'remote::openai'" in said
    assert "distributions/broken.yaml:7:" in said
    assert not out.exists()


def test_a_former_build_survives_an_error(tmp_path: Path, workspace: Path) -> None:
    good = BROKEN.replace("opena}", "openai}").replace("base_ulr", "base_url")
    (workspace / "distributions/broken.yaml").write_text(good)
    out = tmp_path / "out"
    command = ["build", "broken", "--specs", str(workspace), "--out", str(out)]
    assert main(command) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (workspace / "distributions/broken.yaml").write_text(BROKEN)
    assert main(command) == 1
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_problems_as_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "broken", "--json", "--specs", str(workspace)]) == 1
    assert "SG303" in {each["code"] for each in json.loads(told(capsys)[0])}


def test_check_of_sound_specs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nvidia"]) == 0
    assert main(["check", "nvidia", "--json"]) == 0
    assert json.loads(told(capsys)[0]) == []


def test_a_folder_that_is_not_ours_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious").write_text("mine")
    assert main(["build", "nvidia", "--out", str(tmp_path)]) == 2
    assert "not empty" in told(capsys)[1]
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["build"],
        ["build", "nvidia", "--all"],
        ["explain", "SG999"],
        ["show", "provider", "remote::nothing"],
        ["check", "--specs", "/nowhere/at/all"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert told(capsys)[1].startswith("stackgen: ")


@pytest.mark.parametrize(
    "arguments", [[], ["biuld"], ["list", "things"], ["build", "a", "b"], ["run", "nvidia", "--port", "x"]]
)
def test_what_is_no_command_line_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o500)
    assert main(["build", "nvidia", "--out", str(tmp_path / "o")]) == 3
    assert told(capsys)[1].startswith("stackgen: ")


def test_a_path_through_a_file_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["build", "nvidia", "--out", str(tmp_path / "file" / "o")]) == 3
    assert told(capsys)[1].startswith("stackgen: ")


def test_plan_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "nvidia"]) == 0
    assert told(capsys)[0].startswith("nvidia → nvidia_stack")
    assert main(["plan", "nvidia", "--json"]) == 0
    assert json.loads(told(capsys)[0])["name"] == "nvidia"


@pytest.mark.parametrize("kind", ["apis", "providers", "distributions"])
def test_list(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    assert told(capsys)[0]
    assert main(["list", kind, "--json"]) == 0
    assert json.loads(told(capsys)[0])


@pytest.mark.parametrize(
    ("kind", "name"), [("api", "inference"), ("provider", "remote::nvidia"), ("distribution", "nvidia")]
)
def test_show(kind: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", kind, name]) == 0
    assert told(capsys)[0]


def test_explain_takes_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sg709"]) == 0
    assert told(capsys)[0].startswith("SG709: ")


def test_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "nvidia", "yarl"]) == 0
    assert "aiohttp" in told(capsys)[0]


def test_no_locale_turns_a_message_into_an_error() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "stackgen", "plan", "nvidia"],
        env={**os.environ, "PYTHONPATH": str(GENERATOR), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert run.stderr == b""
    assert run.returncode == 0


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m stackgen plan starter | head -n 1"
    run = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(GENERATOR)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    assert run.stdout.startswith("starter")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], {"yaml", "jsonschema", "jinja2"}),
        (["explain", "SG303"], {"yaml", "jsonschema", "jinja2"}),
        (["show", "provider", "remote::vllm"], {"jinja2"}),
        (["plan", "nvidia"], {"jinja2"}),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_a_command_loads_only_what_it_uses(arguments: list[str], absent: set[str]) -> None:
    program = (
        "import sys\nfrom stackgen.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(', '.join({absent!r} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(GENERATOR)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_explain_without_a_code_lists_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    assert "SG303  unknown provider type" in told(capsys)[0].splitlines()


def test_show_tells_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "provider", "remote::vlm"]) == 2
    assert told(capsys)[1] == "stackgen: there is no provider remote::vlm; did you mean remote::vllm?\n"


def test_build_all_says_one_piece_of_json(tmp_path: Path, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = BROKEN.replace("name: broken", "name: good").replace("opena}", "openai}").replace("base_ulr", "base_url")
    (workspace / "distributions/good.yaml").write_text(good)
    command = ["build", "--all", "--json", "--specs", str(workspace), "--out", str(tmp_path / "all")]
    assert main(command) == 1
    said = {each["distribution"]: each for each in json.loads(told(capsys)[0])}
    assert [each["code"] for each in said["broken"]["problems"]] == ["SG303", "SG501"]
    assert "MANIFEST.json" in said["good"]["files"]
    assert not (tmp_path / "all/broken").exists()


def test_a_server_may_be_called_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", "nvidia", "--name", "my-nim", "--out", str(tmp_path / "o")]
    assert main(command) == 0
    assert (tmp_path / "o/src/my_nim_stack/__main__.py").is_file()
    assert 'name = "my-nim-stack"' in (tmp_path / "o/pyproject.toml").read_text()
    assert main([*command, "--check"]) == 0
    (tmp_path / "o/README.md").write_text("other")
    told(capsys)
    assert main([*command, "--check"]) == 1
    assert f"stackgen build nvidia --name my-nim --out {tmp_path / 'o'}" in told(capsys)[1]
    assert main(["build", "nvidia", "--name", "My NIM"]) == 2
    assert main(["build", "--all", "--name", "mine"]) == 2


def test_list_deps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "deps", "nvidia"]) == 0
    pins = told(capsys)[0].splitlines()
    assert pins == sorted(pins)
    assert {each.partition("==")[0] for each in pins} >= {"aiohttp", "pydantic", "uvicorn", "yarl"}
    assert main(["list", "deps", "nvidia", "--json"]) == 0
    assert json.loads(told(capsys)[0]) == pins
    assert main(["list", "deps", "nvidia", "--format", "uv"]) == 0
    words = shlex.split(told(capsys)[0])
    assert words[:3] == ["uv", "pip", "install"]
    assert [each.replace('"', "'") for each in words[3:]] == pins
    assert main(["list", "deps"]) == 2
    assert main(["list", "apis", "nvidia"]) == 2
    assert main(["list", "apis", "--format", "pip"]) == 2


def test_bash_completes_commands_and_options() -> None:
    program = (
        'source <("$0" -m stackgen completion bash)\n'
        'COMP_WORDS=(stackgen "$@"); COMP_CWORD=$#; _shtab_stackgen; echo "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(GENERATOR)}

    def completed(*words: str) -> list[str]:
        command = ["bash", "-c", program, sys.executable, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert completed("im") == ["import"]
    assert completed("import", "--st") == ["--strict"]
    assert completed("list", "ap") == ["apis"]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_names_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    said = told(capsys)[0]
    assert [name for name in commands() if name not in said] == []


def commands() -> list[str]:
    parser = build_parser()
    return [name for action in parser._actions if isinstance(action.choices, dict) for name in action.choices]


@pytest.mark.parametrize("name", commands())
def test_help_of_a_command_shows_it_at_work(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    said = told(capsys)[0]
    assert "for example:\n  " in said
    assert f"stackgen {name}" in said.partition("for example:")[2]

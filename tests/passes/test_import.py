"""`stackgen import` as a command: files, exit codes, what goes where. What it makes of a config is shown by cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from stackgen.cli import main

CONFIG = """\
version: 2
image_name: starter
providers:
  inference:
  - {provider_id: openai, provider_type: remote::openai, config: {api_key: "${env.OPENAI_API_KEY:=}"}}
"""
WITH_MORE = CONFIG + "telemetry: {enabled: true}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.yaml").write_text(CONFIG)
    (tmp_path / "more.yaml").write_text(WITH_MORE)
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_it_goes_into_the_working_directory(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "run.yaml"]) == 0
    assert files(here) == ["distributions/starter.yaml", "more.yaml", "run.yaml"]
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out == "starter: distributions/starter.yaml; to serve it: stackgen run starter --specs .\n"
    assert main(["check", "starter", "--specs", "."]) == 0


def test_a_bundled_name_is_replaced_in_the_workspace_only(here: Path) -> None:
    assert main(["import", "run.yaml", "--quiet"]) == 0
    assert yaml.safe_load((here / "distributions/starter.yaml").read_text())["replaces"] is True
    assert main(["import", "run.yaml", "--quiet", "--name", "mine"]) == 0
    assert "replaces" not in yaml.safe_load((here / "distributions/mine.yaml").read_text())


def test_it_goes_into_a_workspace(here: Path) -> None:
    assert main(["import", "run.yaml", "--specs", "ws", "--name", "mine"]) == 0
    assert files(here / "ws") == ["distributions/mine.yaml"]


def test_notices_are_told_on_stderr_and_are_no_failure(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "more.yaml"]) == 0
    said = capsys.readouterr()
    assert said.err == ("more.yaml:6:1: notice SG814: telemetry is left out: stackgen has no such section\n1 notice\n")
    assert main(["import", "more.yaml", "--force", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_strict_writes_nothing_where_there_is_a_notice(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "more.yaml", "--strict"]) == 1
    assert "SG814" in capsys.readouterr().err
    assert main(["import", "run.yaml", "--strict"]) == 0
    assert files(here / "distributions") == ["starter.yaml"]


def test_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "more.yaml", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["distribution"], said["file"]) == ("starter", "distributions/starter.yaml")
    assert [(each["code"], each["severity"], each["line"]) for each in said["notices"]] == [("SG814", "notice", 6)]


def test_what_is_there_is_kept(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "distributions").mkdir()
    (here / "distributions/starter.yaml").write_text("mine")
    assert main(["import", "run.yaml"]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert (here / "distributions/starter.yaml").read_text() == "mine"
    assert main(["import", "run.yaml", "--force"]) == 0
    assert (here / "distributions/starter.yaml").read_text() != "mine"


@pytest.mark.parametrize("text", ["a: [", "- a\n", "version: 1\n", "providers: []\n", CONFIG + "server: 1\n"])
def test_a_bad_file_writes_nothing(text: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run.yaml").write_text(text)
    assert main(["import", "run.yaml"]) == 1
    assert capsys.readouterr().err.startswith("run.yaml:")
    assert files(here) == ["more.yaml", "run.yaml"]


def test_a_name_comes_from_the_config_or_the_file(here: Path) -> None:
    plain = CONFIG.replace("image_name: starter\n", "")
    (here / "My_House.yaml").write_text(plain)
    (here / "town").mkdir()
    (here / "town/run.yaml").write_text(plain)
    for source in ("My_House.yaml", "town/run.yaml"):
        assert main(["import", source]) == 0
    assert files(here / "distributions") == ["my-house.yaml", "town.yaml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "none.yaml"], "stackgen: there is no file none.yaml\n"),
        (["import", "run.yaml", "--name", "My House"], "stackgen: 'My House' is no name of a distribution; "),
        (["run", "./none.yaml"], "stackgen: there is no file none.yaml\n"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(said)


def test_secrets_of_a_config_are_not_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = CONFIG.replace('"${env.OPENAI_API_KEY:=}"', "sk-secret, token: sk-secret, base_url: sk-secret")
    (here / "run.yaml").write_text(secret + "auth: {token: sk-secret}\n")
    assert main(["import", "run.yaml"]) == 0
    assert "sk-secret" not in capsys.readouterr().err
    assert (here / "distributions/starter.yaml").read_text().count("sk-secret") == 1


def test_a_name_too_long_for_a_file_is_an_unknown_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run.yaml").write_text(CONFIG.replace("remote::openai", "remote::" + "o" * 300))
    assert main(["import", "run.yaml"]) == 0
    assert "notice SG812: openai is left out: there is no provider 'remote::ooo" in capsys.readouterr().err


def test_a_description_that_looks_like_a_slot_is_not_taken(here: Path) -> None:
    spec = "distribution_spec: {description: 'For ${env.X}', providers: {inference: [remote::openai]}}\n"
    (here / "build.yaml").write_text(f"version: 2\nimage_name: mine\n{spec}")
    assert main(["import", "build.yaml"]) == 0
    assert main(["check", "mine", "--specs", "."]) == 0

"""The values file and the command line of a built server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from parts.runtime.command import read_options
from parts.runtime.errors import SettingsError
from parts.runtime.serve import ServerConfig, refuse
from parts.runtime.values import read_values


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("a.yaml", "server: {port: 1}\n", {"server": {"port": 1}}),
        ("a.json", '{"server": {"port": 1}}', {"server": {"port": 1}}),
        ("a.yml", "", {}),
        ("a.yaml", "# nothing\n", {}),
    ],
)
def test_a_file_of_values(tmp_path: Path, name: str, text: str, values: dict[str, object]) -> None:
    (tmp_path / name).write_text(text)
    assert read_values(tmp_path / name) == values


def test_no_file_is_no_values() -> None:
    assert read_values(None) == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "api_key: hush\nserver: {port", "not YAML at line 2"),
        ("a.json", "{", "Expecting"),
        ("a.yaml", "- 1\n", "expected settings by name"),
        ("a.yaml", "1: 2\n", "expected settings by name"),
        ("a.yaml", "hush: !!python/object:os.system {}\n", "not YAML at line 1"),
    ],
)
def test_a_bad_file_is_told_without_its_text(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError) as error:
        read_values(tmp_path / name)
    assert message in str(error.value)
    assert "hush" not in str(error.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError):
        read_values(tmp_path / "a.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: No such file"):
        read_values(tmp_path / "gone.yaml")


def test_yaml_is_imported_only_for_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert read_values(tmp_path / "a.json") == {}


def test_the_command_line_stands_over_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--port", "0", "--host", "::"])
    server = read_options("gateway_stack", "").over(ServerConfig(port=5, workers=3))
    assert (server.host, server.port, server.workers) == ("::", 0, 3)


def test_a_server_that_cannot_be_shared_takes_one_worker(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--workers", "2"])
    with pytest.raises(SystemExit) as exit_:
        read_options("local_stack", "", most_workers=1)
    assert exit_.value.code == 2
    assert "from 1 to 1" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["--port x", "--port 65536", "--port -1", "--workers 0", "--workers ²", "--nothing"])
def test_a_wrong_command_line_ends_with_2(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *line.split()])
    with pytest.raises(SystemExit) as exit_:
        read_options("gateway_stack", "")
    assert exit_.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_every_problem_of_the_settings_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("gateway", SettingsError(["A is required", "B is no URL"])) == 2
    said = capsys.readouterr().err
    assert "A is required" in said
    assert "B is no URL" in said

"""`stackgen init` and `stackgen new`: what they write, and that it checks and builds at once.

Cases take specs as they are given; here they are made.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stackgen.cli import main
from stackgen.requirements import API_PACKAGE, API_VERSION
from stackgen.scaffold.init import RECORD
from stackgen.scaffold.least import least
from stackgen.scaffold.update import Step, steps
from stackgen.workspace import MARKER, find_workspace


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace as `init` makes it; not to be changed."""
    folder = tmp_path_factory.mktemp("made") / "our-servers"
    assert main(["init", str(folder)]) == 0
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, and the working folder."""
    folder = tmp_path / "our-servers"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


# ── init ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_workspace_has_all_its_folders(made: Path) -> None:
    assert {"apis", "providers", "distributions", "parts", "lock"} <= {each.name for each in made.iterdir()}
    assert (made / ".github/workflows/check.yml").is_file()
    assert "# our-servers\n" in (made / "README.md").read_text()


def test_it_is_found_from_every_folder_below(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["check", "example"]) == 0
    monkeypatch.chdir(here / "parts/providers/inference")
    assert main(["build", "example", "--quiet"]) == 0
    assert (here / "generated/example/src/example_stack/providers/inference/hello.py").is_file()
    assert main(["build", "example", "--quiet", "--check", "--specs", str(here)]) == 0


def test_outside_of_it_there_is_none(tmp_path: Path) -> None:
    assert find_workspace(tmp_path) is None
    (tmp_path / MARKER).mkdir()
    assert find_workspace(tmp_path) is None


def test_its_lock_fits(here: Path) -> None:
    assert main(["lock", "--check"]) == 0
    assert main(["contracts", "--check"]) == 0


def test_nothing_is_overwritten(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "."]) == 2
    assert "--update" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("mine")
    assert main(["init", str(other)]) == 2
    assert "README.md: there already" in capsys.readouterr().err
    assert [each.name for each in other.iterdir()] == ["README.md"]


# ── update ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def older(folder: Path, path: str, new: str, old: str) -> None:
    """Make it as if the template had had another text when the workspace was made."""
    record = json.loads((folder / RECORD).read_text())
    assert new in record["files"][path]
    record["files"][path] = record["files"][path].replace(new, old)
    (folder / RECORD).write_text(json.dumps(record))
    file = folder / path
    file.write_text(file.read_text().replace(new, old))


def test_an_update_of_the_same_version_does_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert main(["init", "--update"]) == 0
    assert "up to date" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_an_update_keeps_what_was_changed_here(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older(here, "requirements.txt", "pytest>=8", "pytest>=7")
    older(here, ".github/workflows/check.yml", "ubuntu-latest", "ubuntu-20.04")
    workflow = here / ".github/workflows/check.yml"
    workflow.write_text(workflow.read_text() + "      - run: echo ours\n")
    assert main(["init", "--update"]) == 0
    assert capsys.readouterr().out == "merged: .github/workflows/check.yml\nwritten: requirements.txt\n"
    assert "pytest>=8" in (here / "requirements.txt").read_text()
    assert "ubuntu-latest" in workflow.read_text()
    assert workflow.read_text().endswith("echo ours\n")
    assert main(["init", "--update"]) == 0


def test_an_update_marks_lines_that_both_changed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older(here, "requirements.txt", "pytest>=8", "pytest>=7")
    file = here / "requirements.txt"
    file.write_text(file.read_text().replace("pytest>=7", "pytest==7.4"))
    assert main(["init", "--update"]) == 1
    assert "conflict: requirements.txt" in capsys.readouterr().out
    assert {"<<<<<<< here", "pytest==7.4", "pytest>=8"} <= set(file.read_text().splitlines())


def test_an_update_follows_a_workspace_that_was_moved(here: Path, tmp_path: Path) -> None:
    """Its name is the one it was made with, whatever its folder is called now."""
    moved = here.rename(tmp_path / "elsewhere")
    assert main(["init", "--update", str(moved)]) == 0
    assert "# our-servers\n" in (moved / "README.md").read_text()


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x", "files": 3}', '{"name": "x", "files": {"../x": ""}}'])
def test_a_record_that_is_none(here: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (here / RECORD).write_text(text)
    assert main(["init", "--update"]) == 2
    assert RECORD in capsys.readouterr().err


def test_what_becomes_of_each_file() -> None:
    base = {"gone here": "a", "gone there": "a", "edited, gone there": "a", "same change": "a", "new, and here": ""}
    del base["new, and here"]
    mine = {"gone there": "a", "edited, gone there": "b", "same change": "c", "new, and here": "mine"}
    new = {"gone here": "c", "same change": "c", "new": "n", "new, and here": "n"}
    assert [(step.path, step.what, step.text) for step in steps(base, mine, new)] == [
        ("edited, gone there", "left", None),
        ("gone there", "removed", None),
        ("new", "written", "n"),
        ("new, and here", "left", None),
    ]


def test_without_git_files_that_nobody_changed_are_still_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert steps({"a": "1"}, {"a": "1"}, {"a": "2"}) == [Step("a", "written", "2")]


def test_without_git_a_merge_is_an_error_of_the_machine(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    older(here, "requirements.txt", "pytest>=8", "pytest>=7")
    (here / "requirements.txt").write_text("pytest\n")
    monkeypatch.setenv("PATH", "")
    assert main(["init", "--update"]) == 3
    assert "git" in capsys.readouterr().err
    assert (here / "requirements.txt").read_text() == "pytest\n"


# ── new ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_provider_is_sound(here: Path) -> None:
    assert main(["new", "provider", "parrot"]) == 0
    assert main(["check", "inference/parrot"]) == 0
    example = here / "distributions/example.yaml"
    example.write_text(example.read_text().replace("inline::hello", "inline::parrot"))
    assert main(["build", "example", "--quiet"]) == 0


def test_a_new_api_is_sound_with_its_provider_and_another(here: Path) -> None:
    assert main(["new", "api", "weather_maps"]) == 0
    assert main(["new", "provider", "almanac", "--api", "weather_maps"]) == 0
    assert main(["contracts", "--check"]) == 0
    text = "name: maps\napis: [weather_maps]\n"
    (here / "distributions/maps.yaml").write_text(text)
    (here / "distributions/others.yaml").write_text(
        text.replace("maps\n", "others\n", 1) + "providers:\n  weather_maps: [{id: a, type: inline::almanac}]\n"
    )
    assert main(["check", "weather_maps", "weather_maps/builtin", "weather_maps/almanac", "maps", "others"]) == 0


@pytest.mark.parametrize("api", ["inspect", "models", "providers"])
def test_a_new_provider_of_a_bundled_api_fits_its_contract(here: Path, api: str) -> None:
    assert main(["new", "provider", "own", "--api", api]) == 0
    assert main(["check", f"{api}/own"]) == 0


@pytest.mark.parametrize("api", ["inference", "inspect", "models"])
def test_a_new_provider_of_a_package_is_sound_and_is_its_spec_alone(
    here: Path, api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path for path in here.rglob("*") if path.is_file()}
    assert main(["new", "provider", "acme-cloud", "--package", "Acme.Stack[fast]==1.2", "--api", api]) == 0
    spec = here / f"providers/{api}/acme-cloud.yaml"
    assert {path for path in here.rglob("*") if path.is_file()} - before == {spec}
    assert main(["check", f"{api}/acme-cloud"]) == 0
    assert {"package: Acme.Stack[fast]==1.2", "import: acme_stack:open_acme_cloud", "class: AcmeCloudConfig"} <= set(
        spec.read_text().splitlines()
    )
    capsys.readouterr()
    assert main(["lock", "--check"]) == 1
    assert f"providers/{api}/acme-cloud.yaml" in capsys.readouterr().err


def test_a_new_provider_of_a_package_can_be_wired_once_it_is_locked(here: Path) -> None:
    assert main(["new", "provider", "acme", "--package", "acme-stack==1.2"]) == 0
    example = here / "distributions/example.yaml"
    text = example.read_text().replace("inline::hello", "remote::acme")
    example.write_text(text.replace('greeting: "${env.GREETING:=You said}"', 'api_key: "${env.ACME_KEY}"'))
    assert main(["build", "example", "--quiet"]) == 1
    pins = [f"acme-stack==1.2 \\\n    --hash=sha256:{'0' * 64}\n    # via specs\n"]
    pins += [f"{API_PACKAGE}=={API_VERSION} \\\n    --hash=sha256:{'0' * 64}\n    # via acme-stack\n"]
    (here / "lock/requirements.txt").write_text("".join(pins))
    assert main(["build", "example", "--quiet"]) == 0
    wiring = (here / "generated/example/src/example_stack/wiring.py").read_text()
    assert "from acme_stack import open_acme" in wiring


def test_a_package_of_an_api_of_ones_own_is_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "api", "weather"]) == 0
    assert main(["new", "provider", "acme", "--api", "weather", "--package", "acme-stack==1.2"]) == 2
    assert "leave --package out" in capsys.readouterr().err


def test_a_new_distribution_is_sound(here: Path) -> None:
    assert main(["new", "distribution", "our-models"]) == 0
    assert main(["build", "our-models", "--quiet"]) == 0


def test_a_part_of_ours_keeps_its_path(here: Path) -> None:
    """`openai_compatible` is a part of stackgen's, and the type of no provider."""
    assert main(["new", "provider", "openai-compatible"]) == 0
    assert (here / "parts/providers/inference/openai_compatible_own.py").is_file()
    assert main(["check", "inference/openai-compatible"]) == 0


def test_new_works_in_any_folder_of_specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    assert main(["new", "provider", "parrot", "--specs", "specs"]) == 0
    assert main(["check", "inference/parrot", "--specs", "specs"]) == 0
    assert (tmp_path / "specs/tests/conftest.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["provider", "Parrot"], "lower-case words"),
        (["provider", "openai"], "replaces: true"),
        (["provider", "hello"], "already"),
        (["provider", "x", "--api", "inferense"], "did you mean inference?"),
        (["api", "inference"], "already"),
        (["api", "our-api"], "joined by `_`"),
        (["distribution", "gateway"], "already"),
        (["distribution", "x", "--api", "inference"], "--api goes with"),
        (["distribution", "x", "--package", "acme-stack==1.2"], "--package goes with"),
        (["provider", "x", "--package", "acme-stack>=1.2"], "a package in one version, like acme-stack==1.2"),
        (["provider", "openai", "--package", "acme-stack==1.2"], "replaces: true"),
    ],
)
def test_what_new_refuses(here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(here.rglob("*"))
    assert main(["new", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_new_outside_of_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "provider", "x"]) == 2
    assert "stackgen init" in capsys.readouterr().err
    assert main(["init", "--update"]) == 2


def test_the_least_value_of_a_schema() -> None:
    assert least(
        {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string", "minLength": 2}}}, {}
    ) == {
        "a": "xx",
        "b": None,
    }
    assert least({"oneOf": [{"const": "x"}, {"type": "null"}]}, {}) == "x"
    assert least({"type": ["integer", "null"], "minimum": 3}, {}) == 3
    assert least({"type": "array", "minItems": 1, "items": {"enum": ["e"]}}, {}) == ["e"]
    assert least({"allOf": [{"type": "object", "required": ["a"]}, {"required": ["b"]}]}, {}) == {"a": None, "b": None}


def test_all_is_all_of_the_workspace(here: Path, tmp_path: Path) -> None:
    """A bundled distribution may break where a provider of ours is replaced: whoever does so does not serve it."""
    replaced = (here / "providers/inference/hello.yaml").read_text().replace("inline::hello", "remote::ollama")
    (here / "providers/inference/ollama.yaml").write_text(f"{replaced}replaces: true\n")
    assert main(["check", "gateway"]) == 1
    assert main(["check"]) == 0
    assert main(["build", "--all", "--out", str(tmp_path / "all")]) == 0
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["example"]


def test_without_what_makes_contracts_a_new_api_is_there_and_the_mend_is_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "datamodel_code_generator", None)
        assert main(["new", "api", "weather"]) == 3
        assert "stackgen[contracts]" in capsys.readouterr().err
    assert main(["contracts"]) == 0
    assert main(["check", "weather"]) == 0

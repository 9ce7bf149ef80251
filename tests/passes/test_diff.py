"""`stackgen diff`, the rest of a package: settings, requirements, parts, wiring; and what can be compared."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sample_plan import sample_inputs, sample_plan
from stackgen.cli import main
from stackgen.diff import (
    NoOperand,
    NoPackage,
    Package,
    changes_json,
    compare,
    format_changes,
    read_operand,
    read_package,
)
from stackgen.plan import Component, Config, External, Plan, Slot, Value
from stackgen.render import render
from stackgen.workspace import find_roots

REQUIREMENTS = "aiohttp==3.14.5 \\\n    --hash=sha256:00\n"


def files(plan: Plan, requirements: str = REQUIREMENTS) -> Mapping[str, bytes]:
    return render(replace(sample_inputs(plan), requirements=requirements))


def package(plan: Plan, requirements: str = REQUIREMENTS) -> Package:
    return read_package(files(plan, requirements))


def rules(old: Plan, new: Plan) -> dict[str, str]:
    """rule → place, without what follows from a change: other files are rendered from the same Plan."""
    found = compare(package(old), package(new))
    return {each.rule: each.place for each in found if each.rule != "changed-file"}


def with_component(plan: Plan, index: int, **changes: object) -> Plan:
    components = list(plan.components)
    components[index] = replace(components[index], **changes)  # type: ignore[arg-type]  # a test's shorthand
    return replace(plan, components=tuple(components))


def with_key(each: Component, **changes: object) -> Config:
    """The config of a component with another api_key."""
    assert each.config is not None
    fields = dict(each.config.fields)
    key = fields["api_key"]
    assert isinstance(key, Value)
    fields["api_key"] = replace(key, **changes)  # type: ignore[arg-type]  # a test's shorthand
    return replace(each.config, fields=tuple(fields.items()))


PLAN = sample_plan()
NVIDIA = PLAN.components[1]
REQUIRED = {"parts": (Slot("NVIDIA_API_KEY", "required"),), "required": True, "optional": False}


def without(plan: Plan, index: int) -> Plan:
    return replace(plan, components=tuple(each for n, each in enumerate(plan.components) if n != index))


PLANS: list[tuple[Plan, dict[str, str], dict[str, str]]] = [
    (
        with_component(PLAN, 1, config=with_key(NVIDIA, **REQUIRED)),
        {"narrowed-setting-type": "providers.inference.nvidia.api_key", "variable-became-required": "NVIDIA_API_KEY"},
        {"widened-setting-type": "providers.inference.nvidia.api_key", "variable-became-optional": "NVIDIA_API_KEY"},
    ),
    (
        with_component(PLAN, 1, config=with_key(NVIDIA, parts=(Slot("OTHER_KEY", "default"),))),
        {"removed-variable": "NVIDIA_API_KEY", "new-variable": "OTHER_KEY"},
        {"removed-variable": "OTHER_KEY", "new-variable": "NVIDIA_API_KEY"},
    ),
    (
        with_component(PLAN, 1, config=with_key(NVIDIA, **{**REQUIRED, "parts": (Slot("TOKEN", "required"),)})),
        {
            "narrowed-setting-type": "providers.inference.nvidia.api_key",
            "removed-variable": "NVIDIA_API_KEY",
            "new-required-variable": "TOKEN",
        },
        {
            "widened-setting-type": "providers.inference.nvidia.api_key",
            "removed-variable": "TOKEN",
            "new-variable": "NVIDIA_API_KEY",
        },
    ),
    (
        with_component(PLAN, 1, config=with_key(NVIDIA, parts=(Slot("OPENAI_API_KEY", "default"),))),
        {"removed-variable": "NVIDIA_API_KEY"},
        {"new-variable": "NVIDIA_API_KEY", "changed-variable": "OPENAI_API_KEY"},
    ),
    (
        with_component(PLAN, 1, type="remote::other"),
        {"changed-type": "inference/nvidia"},
        {"changed-type": "inference/nvidia"},
    ),
    (
        with_component(PLAN, 1, gate="NVIDIA_API_KEY"),
        {"gate-added": "inference/nvidia"},
        {"gate-removed": "inference/nvidia"},
    ),
    (
        with_component(PLAN, 0, gate="OPENAI_BASE_URL"),
        {"changed-gate": "inference/openai"},
        {"changed-gate": "inference/openai"},
    ),
    (
        with_component(PLAN, 0, part="providers/inference/heavy.py"),
        {"new-part": "providers/inference/heavy.py"},
        {"removed-part": "providers/inference/heavy.py"},
    ),
]


@pytest.mark.parametrize(("plan", "forwards", "backwards"), PLANS)
def test_a_package_changes_by_its_rules(plan: Plan, forwards: dict[str, str], backwards: dict[str, str]) -> None:
    assert rules(PLAN, plan) == forwards
    assert rules(plan, PLAN) == backwards


def test_an_instance_goes_with_its_settings_and_variables() -> None:
    places = {(each.rule, each.place) for each in compare(package(PLAN), package(without(PLAN, 1))) if each.breaking}
    assert places == {
        ("removed-setting", "providers.inference.nvidia"),
        ("removed-variable", "NVIDIA_API_KEY"),
        ("removed-variable", "NVIDIA_BASE_URL"),
        ("removed-instance", "inference/nvidia"),
    }


def test_what_a_new_instance_requires_breaks_nobody_who_leaves_it_switched_off() -> None:
    new = with_component(PLAN, 1, gate="NVIDIA", config=with_key(NVIDIA, **REQUIRED))
    assert not [each for each in compare(package(without(PLAN, 1)), package(new)) if each.breaking]
    always = with_component(PLAN, 1, config=with_key(NVIDIA, **REQUIRED))
    found = compare(package(without(PLAN, 1)), package(always))
    assert [each.place for each in found if each.breaking] == ["NVIDIA_API_KEY"]


def test_requirements_change_by_name_version_and_hashes() -> None:
    old = package(PLAN, "aiohttp==3.14.5\nyarl==1.0\nidna==3.1 \\\n    --hash=sha256:00\n")
    new = package(PLAN, "aiohttp==3.15.0\nidna==3.1 \\\n    --hash=sha256:01\nattrs==1.0 ; python_version < '3.12'\n")
    told = [(each.rule, each.place, each.old, each.new) for each in compare(old, new)]
    assert told == [
        ("changed-version", "aiohttp", "3.14.5", "3.15.0"),
        ("new-requirement", "attrs", None, "1.0 ; python_version < '3.12'"),
        ("changed-hashes", "idna", 1, 1),
        ("removed-requirement", "yarl", "1.0", None),
    ]


def test_what_no_lock_has_is_the_operators_business() -> None:
    def of(*externals: External) -> Package:
        return package(replace(PLAN, externals=externals))

    torch = External("torch", ">=2.6,<3", "", ())
    old, new = of(torch), of(replace(torch, versions=">=2.7,<3"))
    assert [(each.rule, each.breaking) for each in compare(of(), old) if "external" in each.rule] == [
        ("new-external", True)
    ]
    assert [(each.rule, each.old, each.new) for each in compare(old, new) if "external" in each.rule] == [
        ("changed-external", "torch>=2.6,<3", "torch>=2.7,<3")
    ]
    assert [each.rule for each in compare(old, of()) if "external" in each.rule] == ["removed-external"]


def test_an_edited_file_is_a_change() -> None:
    edited = {**files(PLAN), "src/tiny_stack/wiring.py": b"", "src/tiny_stack/providers/models/builtin.py": b""}
    found = compare(package(PLAN), read_package(edited))
    assert [(each.rule, each.place, each.breaking) for each in found] == [
        ("changed-part", "providers/models/builtin.py", False),
        ("changed-file", "wiring.py", False),
    ]


def test_a_package_of_an_older_stackgen_is_refused() -> None:
    manifest = json.loads(files(PLAN)["MANIFEST.json"])
    del manifest["components"]
    with pytest.raises(NoPackage, match="build it anew"):
        read_package({**files(PLAN), "MANIFEST.json": json.dumps(manifest).encode()})


def test_a_name_that_is_not_served_any_more_breaks_who_asks_for_it() -> None:
    ((kind, (entry,)),) = PLAN.resources

    def of(*names: str) -> Package:
        value = dict(entry.fields)["model_id"]
        assert isinstance(value, Value)
        entries = [replace(entry, fields=(("model_id", replace(value, parts=(), default=name)),)) for name in names]
        return package(replace(PLAN, resources=((kind, tuple(entries)),)))

    found = [
        (each.rule, each.place) for each in compare(of("fast", "slow"), of("slow", "new")) if each.area == "wiring"
    ]
    assert found == [("removed-resource", "models/fast"), ("new-resource", "models/new")]
    assert package(PLAN).resources == {"models/${env.MODEL}": {"model_id": "${env.MODEL}"}}


@pytest.mark.parametrize("path", ["config.schema.json", "requirements.txt", "src/tiny_stack/openapi.json"])
def test_a_package_that_is_not_whole_is_refused(path: str) -> None:
    with pytest.raises(NoPackage, match=path.rpartition("/")[2]):
        read_package({name: content for name, content in files(PLAN).items() if name != path})
    with pytest.raises(NoPackage, match=path.rpartition("/")[2]):
        read_package({**files(PLAN), path: b"[!"})


def test_breaking_changes_come_first_and_long_values_are_cut() -> None:
    changes = compare(package(PLAN), package(PLANS[2][0]))
    lines = format_changes("a", "b", changes).splitlines()
    assert lines[0] == f"a → b: 3 breaking changes, {len(changes) - 3} other"
    assert [line.split()[0] for line in lines[3:6]] == ["breaking"] * 3
    told = json.loads(changes_json("a", "b", changes))
    assert told["breaking"]
    assert {each["rule"] for each in told["changes"]} >= {"new-required-variable", "removed-variable"}


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────

OURS = """\
name: ours
summary: One instance.
apis: [inference, models]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {api_key: "${env.OPENAI_API_KEY:=}"}}
"""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=us", "-c", "user.email=us@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace inside a git repository, whose last commit is not what is there now."""
    folder = tmp_path / "repository" / "specs of ours"
    (folder / "distributions").mkdir(parents=True)
    (folder / "distributions/ours.yaml").write_text(OURS)
    git(tmp_path / "repository", "init", "--quiet")
    git(tmp_path / "repository", "add", ".")
    git(tmp_path / "repository", "commit", "--quiet", "--message", "Ours")
    changed = OURS.replace("${env.OPENAI_API_KEY:=}", "${env.OPENAI_API_KEY}")
    (folder / "distributions/ours.yaml").write_text(changed)
    return folder


def test_a_distribution_and_its_folder_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "nvidia", "--quiet", "--out", str(tmp_path / "o")]) == 0
    assert main(["diff", "nvidia", str(tmp_path / "o"), "--fail-on", "any"]) == 0
    assert capsys.readouterr().out == f"nvidia → {tmp_path / 'o'}: no change\n"


def test_a_revision_is_read_from_git(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["diff", "HEAD:ours", "ours", "--specs", str(workspace), "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["rule"] for each in told["changes"] if each["breaking"]] == ["variable-became-required"]
    assert main([*command, "--fail-on", "breaking"]) == 1
    turned = ["diff", "ours", "HEAD:ours", "--specs", str(workspace)]
    assert main([*turned, "--fail-on", "breaking"]) == 0
    assert main([*turned, "--fail-on", "any"]) == 1


def test_specs_that_git_ignores_stay_as_they_are(workspace: Path) -> None:
    """As where stackgen is installed in an environment inside the repository."""
    installed = workspace.parent / ".venv"
    own = find_roots(()).trees[0]
    shutil.copytree(own.specs, installed / "specs")
    (installed / ".gitignore").write_text("*\n")
    bundled = replace(own, specs=installed / "specs")
    roots = replace(find_roots([workspace]), trees=(bundled, *find_roots([workspace]).trees[1:]))
    then = read_operand(roots, "HEAD:ours")
    assert isinstance(then, Package)
    assert then.variables["OPENAI_API_KEY"].required_by == ()
    with pytest.raises(NoOperand, match=r"has no .*\.venv"):
        read_operand(replace(roots, trees=(bundled,)), "HEAD:gateway")


def test_what_is_wrong_with_the_specs_of_a_side_is_told(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "distributions/ours.yaml").write_text(OURS.replace("remote::openai", "remote::opena"))
    assert main(["diff", "HEAD:ours", "ours", "--specs", str(workspace)]) == 1
    assert "distributions/ours.yaml:6:26: error SG303" in capsys.readouterr().err
    assert main(["diff", "HEAD:other", "nvidia", "--specs", str(workspace)]) == 1
    assert "error SG301" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("operand", "said"),
    [
        ("nowhere/at/all", "there is no folder nowhere/at/all"),
        ("v99:ours", "there is no git revision v99"),
        ("--output=x:ours", "there is no git revision --output=x"),
        (".", "it has no MANIFEST.json"),
    ],
)
def test_what_names_no_side_is_2(
    operand: str, said: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert main(["diff", "--specs", str(workspace), "--", operand, "ours"]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_outside_of_git_has_no_revisions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "distributions").mkdir()
    (tmp_path / "distributions/ours.yaml").write_text(OURS)
    assert main(["diff", "HEAD:ours", "ours", "--specs", str(tmp_path)]) == 2
    assert "is in no git repository" in capsys.readouterr().err

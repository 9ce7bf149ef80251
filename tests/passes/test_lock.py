"""The lock: read, cut into a distribution's requirements, checked without network."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from stackgen.build import build
from stackgen.lock import read_lock, run_lock, stale_lines, wanted
from stackgen.lockfile import Lock, Locked, Weight, closure, combined, digest, parse_lock, render_lock, unlocked
from stackgen.plan import Plan, Requirement
from stackgen.requirements import merged, requirement_name
from stackgen.resolve import compile_plan
from stackgen.workspace import Root, Roots, find_roots

HASH = "sha256:" + "0" * 64


def locked(name: str, version: str, *via: str, marker: str = "", weight: Weight | None = None) -> Locked:
    return Locked(name=name, version=version, marker=marker, hashes=(HASH,), via=via, weight=weight)


LOCK = Lock(
    "sha256:" + "a" * 64,
    (
        locked("aiohttp", "3.1", "specs", weight=Weight(1929915, HASH)),
        locked("fastapi", "0.9", "specs", weight=Weight(None)),
        locked("idna", "3.2", "yarl", weight=Weight(0)),
        locked("pydantic", "2.1", "fastapi", "specs"),
        locked("uvloop", "0.2", "specs", marker="sys_platform != 'win32'"),
        locked("yarl", "1.2", "aiohttp"),
    ),
)


def asked(text: str, who: str = "inference/remote::openai", place: str = "specs/openai.yaml:12:3") -> Requirement:
    return Requirement(text, (f"{who}: {place}",))


def test_a_lock_is_read_as_it_is_written() -> None:
    assert parse_lock(render_lock(LOCK)) == LOCK


def test_a_line_that_is_not_of_the_format_is_refused_by_number() -> None:
    with pytest.raises(ValueError, match="line 2 of the lock"):
        parse_lock("# head\nfastapi @ https://example.com/fastapi.whl\n")


def test_the_closure_holds_what_is_reached_and_nothing_else() -> None:
    pins = [line.removesuffix(" \\") for line in closure(LOCK, [asked("aiohttp")]).splitlines() if "==" in line]
    assert pins == ["aiohttp==3.1", "idna==3.2", "yarl==1.2"]


def test_the_closure_names_everybody_who_asked() -> None:
    both = Requirement("aiohttp", (*asked("aiohttp").wanted_by, "safety/remote::x: specs/x.yaml:7:1"))
    lines = closure(LOCK, [both]).splitlines()
    at = lines.index("aiohttp==3.1 \\")
    assert lines[at - 2 : at] == [
        "# inference/remote::openai (specs/openai.yaml:12)",
        "# safety/remote::x (specs/x.yaml:7)",
    ]
    assert lines[lines.index("yarl==1.2 \\") - 1] == "# via aiohttp"


def test_the_closure_of_a_package_needed_by_another_distribution_too_names_only_this_one() -> None:
    lines = closure(LOCK, [asked("pydantic")]).splitlines()
    assert "# via fastapi" not in lines


def test_the_closure_keeps_markers_and_hashes() -> None:
    assert f"uvloop==0.2 ; sys_platform != 'win32' \\\n    --hash={HASH}\n" in closure(LOCK, [asked("uvloop")])


def test_every_line_of_the_closure_is_read_by_pips_own_parser_rules() -> None:
    text = closure(LOCK, [asked("aiohttp"), asked("fastapi"), asked("uvloop")])
    assert {each.name for each in parse_lock(text).packages} == {each.name for each in LOCK.packages}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch", "the lock has no torch"),
        ("aiohttp>=4", "the lock has aiohttp 3.1, not >=4"),
    ],
)
def test_a_requirement_the_lock_does_not_meet(text: str, message: str) -> None:
    assert [each.message for each in unlocked(LOCK, [asked(text)])] == [message]


def test_requirements_the_lock_meets() -> None:
    assert unlocked(LOCK, [asked("AioHTTP[speedups]>=3"), asked("uvloop; sys_platform != 'win32'")]) == []


def test_the_first_lock_decides_versions_and_all_add_askers() -> None:
    both = combined([LOCK, Lock("", (locked("yarl", "9.9", "acme"), locked("acme", "1", "specs")))])
    assert both.by_name()["yarl"] == (locked("yarl", "1.2", "aiohttp", "acme"),)
    assert both.by_name()["acme"] == (locked("acme", "1", "specs"),)


def test_one_requirement_of_several_askers_is_one() -> None:
    found = merged([asked("aiohttp", "a"), asked("aiohttp", "b"), asked("aiohttp", "a")])
    assert [len(each.wanted_by) for each in found] == [2]


@pytest.mark.parametrize("text", ["acme @ https://example.com/a.whl", "../acme", "a b"])
def test_what_is_no_requirement_by_name(text: str) -> None:
    assert requirement_name(text) is None


# ── the bundled lock ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def own(tmp_path: Path) -> Roots:
    """stackgen's own tree of specs, in a copy that may be changed."""
    roots = find_roots([])
    shutil.copytree(roots.specs, tmp_path / "specs")
    tree = Root(tmp_path / "specs", roots.trees[0].parts, "specs/", "templates/parts/")
    return Roots((tree,), roots.schema, roots.templates)


def test_the_committed_lock_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_lock(find_roots([]), upgrade=False, check=True) == 0, capsys.readouterr().err


def test_the_committed_lock_names_no_host_and_hashes_everything() -> None:
    roots = find_roots([])
    text = (roots.specs / "lock" / "requirements.txt").read_text()
    assert "://" not in text
    assert "index" not in text
    assert all(each.hashes for each in read_lock(roots.trees[0]).packages)


def test_a_new_requirement_makes_the_lock_stale_and_says_how_to_mend_it(
    own: Roots, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = own.specs / "providers" / "inference" / "acme.yaml"
    spec.write_text("type: remote::acme\nrequires: [aiohttp, acme-sdk]\n")
    assert run_lock(own, upgrade=False, check=True) == 1
    said = capsys.readouterr().err
    assert "inference/remote::acme: specs/providers/inference/acme.yaml:2:21: the lock has no acme-sdk" in said
    assert "run `stackgen lock`" in said


def test_a_range_that_moved_away_makes_the_lock_stale(own: Roots) -> None:
    base = own.specs / "base.yaml"
    base.write_text(base.read_text().replace("- uvicorn", "- uvicorn<0.1"))
    assert any("not <0.1" in line for line in stale_lines(own, own.trees[0]))


def test_a_workspace_has_a_lock_of_its_own(own: Roots, tmp_path: Path) -> None:
    workspace = Root(tmp_path / "mine", tmp_path / "mine" / "parts", "mine/")
    spec = workspace.specs / "providers" / "inference" / "acme.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text("type: remote::acme\nrequires: [aiohttp]\n")
    roots = Roots((*own.trees, workspace), own.schema, own.templates)
    assert [each.text for each in wanted(roots, workspace)] == ["aiohttp"]
    assert stale_lines(roots, workspace)[-1] == "run `stackgen lock --specs mine`"

    lock = workspace.specs / "lock" / "requirements.txt"
    lock.parent.mkdir()
    pinned = read_lock(own.trees[0]).by_name()["aiohttp"]
    lock.write_text(render_lock(Lock(digest(wanted(roots, workspace)), pinned)))
    assert stale_lines(roots, workspace) == []

    lock.write_text(lock.read_text().replace(pinned[0].version, "0.0.1"))
    assert "aiohttp==0.0.1 is not the version of stackgen's own lock" in stale_lines(roots, workspace)


def without_weights(lock: str) -> str:
    return re.sub(r"\n +# weighs .*", "", lock)


def test_a_lock_without_weights_is_stale_and_builds_all_the_same(own: Roots) -> None:
    lock = own.specs / "lock" / "requirements.txt"
    lock.write_text(without_weights(lock.read_text()))
    packages = read_lock(own.trees[0]).packages
    assert stale_lines(own, own.trees[0]) == [
        f"specs/lock/requirements.txt does not say what {packages[0].pin} and {len(packages) - 1} more weigh",
        "run `stackgen lock`",
    ]
    plan = compile_plan(own, "gateway")
    assert isinstance(plan, Plan)
    assert b"requirements.txt has 21 packages, whose weight is unknown.\n" in build(own, plan).files["README.md"]


def test_a_weight_of_another_version_makes_the_lock_stale(own: Roots) -> None:
    """As a tool leaves it that updates versions and hashes, and no comment."""
    lock = own.specs / "lock" / "requirements.txt"
    known = read_lock(own.trees[0])
    (package,) = known.by_name()["yarl"]
    updated = replace(package, hashes=(HASH,))
    assert updated.size is None
    lock.write_text(
        render_lock(replace(known, packages=tuple(updated if each == package else each for each in known.packages)))
    )
    assert f"specs/lock/requirements.txt does not say what {package.pin} weighs" in stale_lines(own, own.trees[0])


def test_without_uv_resolving_says_what_to_install(
    own: Roots, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stackgen.lock.find_uv", lambda: None)
    assert run_lock(own, upgrade=False, check=False) == 3
    assert "pip install 'stackgen[lock]'" in capsys.readouterr().err


@pytest.mark.slow
def test_resolving_again_keeps_every_version(own: Roots) -> None:
    """Needs the package index. So is what each of them weighs, also where the lock did not know it yet."""
    lock = own.specs / "lock" / "requirements.txt"
    before = lock.read_text()
    lock.write_text(without_weights(before))
    assert run_lock(own, upgrade=False, check=False) == 0
    assert lock.read_text() == before

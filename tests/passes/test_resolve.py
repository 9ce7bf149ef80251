"""What the cases cannot show: stackgen's own specs, what is read, and that the order of things does not matter."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from stackgen.load import load
from stackgen.plan import Plan
from stackgen.resolve import DistributionRow, apis, check, compile_plan, distributions, find_roots, providers, show
from stackgen.resolve import desk as desk_module
from stackgen.workspace import SpecFile

SPEC = """\
type: remote::name
api: inference
summary: One of very many.
part: providers/inference/openai_compatible.py
open: open_openai_compatible
capabilities: [chat]
config: {$ref: ../shared/remote.yaml, properties: {base_url: {default: "http://localhost"}}}
arguments: {credential: openai_api_key}
takes: {instance: id}
"""
DISTRIBUTION = "name: case\napis: [inference, models]\nproviders:\n  inference:\n" + "".join(
    f"    - {{id: p{number}, type: 'remote::p{number}'}}\n" for number in range(5)
)


def test_the_bundled_specs_are_right() -> None:
    assert check(find_roots(()), ()) == []


@pytest.mark.parametrize("row", distributions(find_roots(())), ids=lambda row: row.name)
def test_every_bundled_distribution_compiles(row: DistributionRow) -> None:
    name = row.name
    first, second = compile_plan(find_roots(()), name), compile_plan(find_roots(()), name)
    assert isinstance(first, Plan)
    assert first == second


def workspace_of(folder: Path, count: int) -> Path:
    (folder / "providers" / "inference").mkdir(parents=True)
    (folder / "distributions").mkdir()
    (folder / "distributions" / "case.yaml").write_text(DISTRIBUTION)
    for number in range(count):
        text = SPEC.replace("remote::name", f"remote::p{number}")
        (folder / "providers" / "inference" / f"p{number}.yaml").write_text(text)
    return folder


def test_a_provider_that_is_not_named_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(path: Path, file: str) -> object:
        read.append(file)
        return load(path, file)

    monkeypatch.setattr(desk_module, "load", counting)
    counts = []
    for count in (50, 1000):
        roots = find_roots([workspace_of(tmp_path / str(count), count)])
        read.clear()
        assert isinstance(compile_plan(roots, "case"), Plan)
        counts.append(len(read))
    assert counts[0] == counts[1]
    assert len([file for file in read if file.startswith("providers/")]) == 5


def test_the_same_specs_give_the_same_plan_in_any_folder(tmp_path: Path) -> None:
    first = workspace_of(tmp_path / "one", 5)
    second = Path(shutil.copytree(first, tmp_path / "two" / "deeper"))
    assert compile_plan(find_roots([first]), "case") == compile_plan(find_roots([second]), "case")


def test_listing_and_showing() -> None:
    roots = find_roots(())
    assert {"inference", "models"} <= {row.name for row in apis(roots)}
    assert ("inference", "remote::openai") in {(row.api, row.type) for row in providers(roots)}
    for kind, name in [("api", "models"), ("provider", "inference/openai"), ("provider", "remote::openai")]:
        assert show(roots, kind, name)
    gateway = roots.specs / "distributions" / "gateway.yaml"
    assert show(roots, "distribution", "gateway") == gateway.read_text("utf-8")
    assert show(roots, "provider", "remote::nobody") is None
    assert show(roots, "api", "../base") is None


def test_a_part_is_looked_for_below_parts_only(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("x = 1\n")
    (tmp_path / "parts").mkdir()
    found = find_roots([tmp_path]).part("../secret.py")
    assert found == list[SpecFile]()

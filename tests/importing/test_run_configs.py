"""Every run config that Llama Stack and OGX ship is imported: what comes out compiles, and nothing is lost in silence.

The table holds them all; what an import says, word for word, is shown by cases of the compiler.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet
from run_configs import Wiring, build_config, run_config, wirings
from stackgen.importing.write import Written, import_file
from stackgen.load import Document, parse
from stackgen.plan import Plan
from stackgen.problems import format_problems
from stackgen.resolve import compile_plan
from stackgen.workspace import find_roots

WIRINGS = list(wirings())
BRIEFLY = [each for each in WIRINGS if each.version in ("V2", "V4") and each.file in ("run.yaml", "config.yaml")]
"""One wiring of each distribution and form; the others are slow only because they are many."""
BUILDS = [each for each in WIRINGS if each.file == "run.yaml" and each.version == "V2"]

STORES = {
    "metadata": "models",
    "inference": "stored_completions",
    "conversations": "conversations",
    "prompts": "prompts",
}
"""The API whose provider keeps it."""

FIRST = {"metadata_store": "kv_default", "inference_store": "sql_default"}
"""The backend that a store of the first run configs becomes."""

PLACED = {
    "max_tokens_in_context": "tool_runtime",
    "header_template": "tool_runtime",
    "footer_template": "tool_runtime",
    "chunk_annotation_template": "tool_runtime",
    "context_template": "tool_runtime",
    "default_shield_id": "shields",
    "safety": "",
    "vector_stores": "",
}
"""Values of sections, and the API whose instances have them where that is not vector_stores; and the sections."""

NAMED = {"max_concurrent_files_per_batch": "max_concurrent_files"}

RENAMED = {"inline::meta-reference": "inline::transformers"}


def imported(text: str, folder: Path) -> tuple[Written, Any]:
    """What was said, and the distribution, which compiles."""
    source = folder / "source.yaml"
    source.write_text(text)
    written = import_file(source, folder, specs=[], name="case", force=False, strict=False)
    assert isinstance(written, Written), format_problems(written)
    plan = compile_plan(find_roots([folder]), "case")
    assert isinstance(plan, Plan), format_problems(plan)
    return written, yaml.safe_load(written.path.read_text())


def lost(document: Document, result: Any, told: set[int]) -> Iterator[str]:
    """What of a run config is neither in the result nor told at its line, nor at that of what it stands in."""
    data: Any = document.data
    for api, entries in data["providers"].items():
        served = {each["id"]: each for each in result.get("providers", {}).get(api, [])}
        for number, entry in enumerate(entries):
            where = ("providers", api, number)
            if not {document.key(*where).line, document.key(*where[:2]).line} & told:
                got = served.get(entry["provider_id"])
                if got is None:
                    yield f"{api}/{entry['provider_id']}"
                    continue
                kept = [key for key in entry["config"] if document.key(*where, "config", key).line not in told]
                if len(got.get("config", {})) < len(kept):
                    yield f"values of {entry['provider_id']}: {kept}"
    for kind, entries in (data.get("registered_resources") or data).items():
        top = () if kind in data else ("registered_resources",)
        if isinstance(entries, list) and kind != "apis":
            names = {str(each) for each in result.get("resources", {}).get(kind, [])}
            for number, _ in enumerate(entries):
                where = (*top, kind, number)
                if not {document.key(*where).line, document.key(*where[:-1]).line} & told and not names:
                    yield f"{kind} {number}"
    kept = result.get("storage", {}).get("backends", {})
    for kind, entries in (data.get("storage") or {}).items():
        lines = {document.key("storage").line, document.key("storage", kind).line}
        for name in entries or {}:
            at = document.key("storage", kind, name).line
            if name not in kept and kind == "backends" and not {*lines, at} & told:
                yield f"the backend {name}"
            if kind == "stores" and STORES.get(name) not in result["apis"] and not {*lines, at} & told:
                yield f"the store {name}"
    for section in data.keys() - {
        "storage",
        "version",
        "image_name",
        "distro_name",
        "apis",
        "providers",
        "registered_resources",
    }:
        value = data[section]
        if section in PLACED:
            yield from unplaced(document, result, told, section, value)
        elif value and not isinstance(value, list) and section not in result and FIRST.get(section) not in kept:
            inner = [document.key(section, key).line for key in value]
            if not {document.key(section).line, *inner} & told:
                yield section


def unplaced(document: Document, result: Any, told: set[int], *where: Any) -> Iterator[str]:
    """Values below a place that are neither config of an instance nor told of."""
    *path, value = where
    if document.key(*path).line in told or value is None:
        return
    if isinstance(value, dict) and "model_id" not in value:
        for key, inner in value.items():
            yield from unplaced(document, result, told, *path, key, inner)
        return
    api = PLACED.get(path[-1], "vector_stores")
    kept = json.dumps(result.get("providers", {}).get(api, []))
    wanted = f"{value['provider_id']}/{value['model_id']}" if isinstance(value, dict) else value
    if f'"{NAMED.get(path[-1], path[-1])}": {json.dumps(wanted)}' not in kept:
        yield ".".join(path)


def params() -> Iterator[ParameterSet]:
    for each in WIRINGS:
        yield pytest.param(each, id=each.title, marks=() if each in BRIEFLY else pytest.mark.slow)


@pytest.mark.parametrize("wiring", list(params()))
def test_a_run_config_is_imported(wiring: Wiring, tmp_path: Path) -> None:
    source = run_config(wiring)
    written, result = imported(source, tmp_path)
    told = {each.position.line for each in written.notices}
    assert list(lost(parse(source, "")[0], result, told)) == []
    assert len({(each.code, each.position) for each in written.notices}) == len(written.notices)


@pytest.mark.parametrize("wiring", BUILDS, ids=lambda each: each.title)
def test_a_build_config_is_imported(wiring: Wiring, tmp_path: Path) -> None:
    written, result = imported(build_config(wiring), tmp_path)
    told = {each.message.partition(" ")[0] for each in written.notices}
    types = {each["type"] for each in result.get("providers", {}).get("inference", [])}
    wanted = {entry.rpartition("→")[2] for entry in wiring.providers["inference"]}
    wanted = {RENAMED.get(each, each) for each in wanted}
    assert {each for each in wanted - types if each.rpartition("::")[2] not in told} == set()
    assert types <= wanted


@pytest.mark.parametrize("wiring", [each for each in BUILDS if "agents" in each.providers], ids=lambda each: each.title)
def test_responses_were_part_of_agents(wiring: Wiring, tmp_path: Path) -> None:
    _, result = imported(run_config(wiring), tmp_path)
    assert ("responses" in result["apis"]) == ("agents" in result["apis"])

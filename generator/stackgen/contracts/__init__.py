"""API documents in, contracts out: the pydantic models and Protocols under `templates/parts/contracts/`.

    specs/apis/inference.yaml      →  inference/__init__.py   class Chat(Protocol): async def create_chat_completion(…)
                                      inference/requests.py   what requests are made of
                                      inference/responses.py  what only answers are made of
    specs/apis/shared/health.yaml  →  shared/health.py        what several APIs use

`render_contracts` is pure; `sync` writes its files or says which are out of date. Contracts do not depend on any
distribution, so they are committed, and a build copies the ones it needs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..load import load
from ..openapi import Operation, operations, parameters
from ..openapi.components import SCHEMAS, Component, Components, Json, components, reachable, shared_components
from ..problems import format_problems
from ..workspace import Root, Roots
from .layout import ModelFile, model_file, protocol_file
from .models import WIDTH, ContractError, definitions

REGENERATE = "stackgen contracts"


def render_contracts(apis: Mapping[str, Json], shared: Mapping[str, Json]) -> dict[str, bytes]:
    """The files of all contracts by their path under `contracts/`.

    apis: the documents by API. shared: those of specs/apis/shared/, by "shared/<file>.yaml".
    Raises ContractError for a document that no contract can be made of.
    """
    texts: dict[str, str] = {}
    homes: set[str] = set()
    for name, document in sorted(apis.items()):
        try:
            schemas = _contract_schemas(document, shared)
            texts |= _api_files(name, document, schemas)
        except ContractError as error:
            raise ContractError(f"apis/{name}.yaml: {error}") from None
        homes |= {each.home for each in schemas.values() if each.home}
    for home in sorted(homes):
        texts |= _shared_files(home, shared)
    return {path: _formatted(text) for path, text in sorted(texts.items())}


def _api_files(name: str, document: Json, schemas: Mapping[str, Component]) -> dict[str, str]:
    """The three files of one API."""
    found = definitions(schemas)
    asked = reachable((op.request for op in operations(document)), schemas)
    own = [each for each in found if not schemas[each].home]
    cut = [
        ModelFile(
            f"{name}/{file}.py",
            f"What the {what} of the {name} API are made of.",
            f"apis/{name}.yaml",
            tuple(each for each in own if (each in asked) == (file == "requests")),
        )
        for file, what in (("requests", "requests"), ("responses", "answers"))
    ]
    files = {each: file.path for file in cut for each in file.names}
    files |= {each: _shared_path(schemas[each].home) for each in found if schemas[each].home}
    return {
        f"{name}/__init__.py": protocol_file(name, document, files),
        **{file.path: model_file(file, found, files) for file in cut},
    }


def _shared_files(home: str, shared: Mapping[str, Json]) -> dict[str, str]:
    """The file of one shared document, and the package it is in."""
    schemas = _sound(shared_components(home, shared)).schemas
    found = definitions(schemas)
    own = tuple(each for each in found if schemas[each].home == home)
    file = ModelFile(_shared_path(home), "What several APIs use.", f"apis/{home}", own)
    files = {each: _shared_path(schemas[each].home) for each in found}
    return {
        "shared/__init__.py": '"""What several APIs use."""\n',
        file.path: model_file(file, found, files),
    }


def _contract_schemas(document: Json, shared: Mapping[str, Json]) -> dict[str, Component]:
    """What requests and successful answers reach, with a request for every operation that takes more than a body."""
    sound = _sound(components(document, shared))
    known = dict(sound.schemas)
    found = operations(document)
    for operation in found:
        if operation.request != operation.body or operation.path_parameters or operation.query:
            known[operation.request] = Component(_request(operation, sound.paths, known), "")
    roots = [name for op in found for name in (op.request, op.response, op.event)]
    wanted = reachable(roots, known)
    return {name: each for name, each in known.items() if name in wanted}


def _request(operation: Operation, paths: Json, known: Mapping[str, Component]) -> Json:
    """The schema of a request made of path, query and, if there is one, body. paths: with references in one form."""
    item = _mapping(paths[operation.path])
    given = parameters(item, _mapping(item[operation.method.lower()]))
    described = {
        each["name"]: _mapping(each.get("description") and {"description": each["description"]}) for each in given
    }
    own: dict[str, object] = {
        "type": "object",
        "description": operation.summary,
        "required": [each["name"] for each in given if each.get("required") is True],
        "properties": {each["name"]: {**_mapping(each.get("schema")), **described[each["name"]]} for each in given},
    }
    if not operation.body:
        return own
    if operation.body != operation.request:
        return {"description": operation.summary, "allOf": [{"$ref": SCHEMAS + operation.body}, own]}
    body = known[operation.body].schema
    required = [*_sequence(body.get("required")), *_sequence(own["required"])]
    return {
        **body,
        "required": required,
        "properties": {**_mapping(body.get("properties")), **_mapping(own["properties"])},
    }


def _sound(found: Components) -> Components:
    if found.faults:
        raise ContractError("; ".join(each.message for each in found.faults))
    return found


def _shared_path(home: str) -> str:
    return home.removesuffix(".yaml").replace("-", "_") + ".py"


def _formatted(text: str) -> bytes:
    """The text as ruff lays it out; its own defaults, whatever directory or home this runs in."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        f"--line-length={WIDTH}",
        "--target-version=py311",
        "-",
    ]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return done.stdout


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sync(specs: Path, contracts: Path, *, check: bool, base: Root | None = None) -> list[str]:
    """Bring the files under `contracts` up to date with `specs`/apis, and name those that were not, sorted.

    check: change nothing. base: the tree whose shared schemas a workspace may use; what it has is not made again.
    Raises ContractError for documents that no contract can be made of.
    """
    folders = [specs] if base is None else [base.specs, specs]
    files = [path for folder in folders for path in sorted((folder / "apis/shared").glob("*.yaml"))]
    shared = {f"shared/{path.name}": _read(path) for path in files}
    made = render_contracts({path.stem: _read(path) for path in sorted((specs / "apis").glob("*.yaml"))}, shared)
    known = base.parts / "contracts" if base is not None else None
    wanted = {path: text for path, text in made.items() if known is None or not (known / path).is_file()}
    there = {path.relative_to(contracts).as_posix(): path.read_bytes() for path in contracts.glob("*/*.py")}
    stale = sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
    for path in () if check else stale:
        file = contracts / path
        if path in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wanted[path])
        else:
            file.unlink()
    return stale


def run_contracts(roots: Roots, *, check: bool) -> int:
    """The contracts of each workspace; stackgen's own where there is none.

    Exit code: 0 all is well, 1 out of date (with `check`) or an API document is wrong.
    """
    own, *workspaces = roots.trees
    try:
        stale = [
            f"{tree.parts_label}contracts/{path}"
            for tree in workspaces or [own]
            for path in sync(tree.specs, tree.parts / "contracts", check=check, base=own if tree is not own else None)
        ]
    except ContractError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for path in stale:
        sys.stdout.write(f"{path}: {'not up to date' if check else 'written'}\n")
    if check and stale:
        sys.stderr.write(f"run `{REGENERATE}`\n")
    return 1 if check and stale else 0


def _read(path: Path) -> Json:
    document, problems = load(path, f"apis/{path.name}")
    if problems:
        raise ContractError(format_problems(problems).rstrip())
    return _mapping(document.data)

"""`stackgen new`: an API, a provider or a distribution that checks, builds and answers as soon as it is written.

new_provider(roots, "parrot", "inference")  →  {"providers/inference/parrot.yaml": …, "parts/…", "tests/…"}

The support of the tests, tests/conftest.py, comes along where the workspace has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import yaml

from ..load import load
from ..openapi import Mount, Operation, mounts, operations
from ..openapi.components import SCHEMAS, Component, Json, components
from ..plan import JsonValue
from ..render.code import Code, call, from_imports, layout, literal, mapping, sequence, string
from ..workspace import Roots
from . import files
from .least import least

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
API_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
CHAT = "inference"
"""The API whose new provider is a chat model, rather than the least that the contract allows."""

_SUPPORT = "tests/conftest.py"


class NoScaffold(Exception):
    """The name will not do, or something is there already; the message says what to do."""


def new_provider(roots: Roots, name: str, api: str) -> dict[str, str]:
    """The files of a provider of an API that any root has. Raises NoScaffold."""
    return _provider(roots, name, api, _document_for(roots, name, api), default=False)


def _document_for(roots: Roots, name: str, api: str) -> Json:
    """The document of an API that is to have a provider of that name."""
    _check_name(name, NAME, "a provider", "lower-case words joined by `-`")
    document = _document(roots, api)
    if roots.find(f"providers/{api}/{name}.yaml"):
        raise NoScaffold(
            f"{api} has a provider {name} already; choose another name, or write providers/{api}/{name}.yaml with "
            "`replaces: true`, which stands in place of it"
        )
    return document


def new_packaged(roots: Roots, name: str, api: str, package: str) -> dict[str, str]:
    """The spec of a provider that a package has: it checks, and says what is to be filled in. Raises NoScaffold.

    package: in one version, `acme-stack==1.2`.
    """
    document = _document_for(roots, name, api)
    form = json.loads((roots.schema / "provider.schema.json").read_text("utf-8"))["properties"]["package"]
    if not re.fullmatch(form["pattern"], package):
        raise NoScaffold(f"{package!r} is not {form['x-says']}")
    contract = roots.part(f"contracts/{api}/__init__.py")
    if not contract or not contract[-1].label.startswith(roots.trees[0].parts_label):
        raise NoScaffold(
            f"the contract of {api} is this workspace's own, and a package is written against stackgen's; "
            "leave --package out"
        )
    distribution = package.partition("==")[0].partition("[")[0]
    view: dict[str, object] = {
        "name": name,
        "api": api,
        "cls": _camel(name),
        "package": package,
        "distribution": distribution,
        "module": re.sub("[-.]", "_", distribution.lower()),
        "opener": f"open_{name.replace('-', '_')}",
        "capabilities": list(dict.fromkeys(op.capability for op in operations(document) if op.capability)),
    }
    return files(roots, "packaged", view)


def new_api(roots: Roots, name: str) -> dict[str, str]:
    """The files of an API, and of the provider that answers it by default. Raises NoScaffold."""
    _check_name(name, API_NAME, "an API", "lower-case words joined by `_`")
    if roots.find(f"apis/{name}.yaml"):
        raise NoScaffold(f"there is an API {name} already; choose another name")
    view = {"name": name, "module": name, "cls": _camel(name), "path": name.replace("_", "-")}
    written = files(roots, "api", view)
    document = yaml.safe_load(written[f"apis/{name}.yaml"])
    return {**written, **_provider(roots, "builtin", name, document, default=True)}


def new_distribution(roots: Roots, name: str) -> dict[str, str]:
    """The files of a distribution. Raises NoScaffold."""
    _check_name(name, NAME, "a distribution", "lower-case words joined by `-`")
    if roots.find(f"distributions/{name}.yaml"):
        raise NoScaffold(f"there is a distribution {name} already; choose another name")
    return {**files(roots, "distribution", {"name": name, "module": name.replace("-", "_")}), **_support(roots)}


def _provider(roots: Roots, name: str, api: str, document: Json, *, default: bool) -> dict[str, str]:
    chat = api == CHAT
    # A part of stackgen's own keeps its path to itself.
    module = name.replace("-", "_") + ("_own" if roots.part(f"providers/{api}/{name.replace('-', '_')}.py") else "")
    found = operations(document)
    view: dict[str, object] = {
        "name": name,
        "module": module,
        "api": api,
        "cls": _camel(name if name != "builtin" else f"builtin-{api}"),
        "opener": f"open_{name.replace('-', '_')}" if name != "builtin" else f"open_{api}",
        "default": default,
        "summary": f"A provider of {api}, to be written.",
        "docstring": f"A provider of the {api} API. Replace: what it is, and where it differs from its likes.",
        "capabilities": "chat" if chat else ", ".join(dict.fromkeys(op.capability for op in found if op.capability)),
        "field": "greeting" if chat else "note",
        "value": "You said" if chat else "nothing yet",
        "meaning": "What stands before every answer." if chat else "What its health check says.",
    }
    written = files(roots, "provider", {**view, **_methods(roots, document, api)})
    return {**written, **(files(roots, "chat", view) if chat else {}), **_support(roots)}


def _methods(roots: Roots, document: Json, api: str) -> dict[str, object]:
    """What the part says of the operations of an API."""
    known = components(document, _shared(roots)).schemas
    imports: dict[str, set[str]] = {"...runtime.wiring": {"Health"}}
    typing: dict[str, set[str]] = {"...runtime.context": {"Context"}}
    rows = []
    asked = [_asked(mount, known) for mount in mounts(document) if not mount.deprecated]
    for op in operations(document):
        typing.setdefault(f"...contracts.{api}.requests", set()).add(op.request)
        if op.response:
            # What answers only hold is in responses.py; what requests hold too, beside them.
            imports.setdefault(_home(op, document, known, api), set()).add(op.response)
        if op.relay:
            imports.setdefault("...runtime.reply", set()).add("Answer")
        rows.append({"name": op.name, "request": op.request, "summary": op.summary, **_answer(op, known)})
    return {
        "operations": rows,
        "asked": asked,
        "imports": from_imports(imports),
        "typing_imports": from_imports(typing, indent=4),
    }


def _asked(mount: Mount, known: Mapping[str, Component]) -> list[str]:
    """Lines of a test: what has only a body is really asked, of other operations the path is looked for."""
    op = mount.operation
    if op.method != "POST" or not op.body or op.path_parameters or op.query or not op.response or op.relay:
        return [f'assert {string(mount.path)} in server.get("/openapi.json")["paths"]']
    body, answer = (_code(least({"$ref": SCHEMAS + name}, known)) for name in (op.body, op.response))
    return [
        layout(call("server.post", string(mount.path), body), 4, before="answer = "),
        layout(answer, 4, before="assert answer == "),
    ]


def _answer(op: Operation, known: Mapping[str, Component]) -> dict[str, str]:
    """The type of an operation's answer, and the line that gives the least there is."""
    if not op.response:
        return {"result": "None", "line": "return None"}
    value = call(f"{op.response}.model_validate", _code(least({"$ref": SCHEMAS + op.response}, known)))
    made = call("Answer.of", value) if op.relay else value
    return {
        "result": f"Answer[{op.response}]" if op.relay else op.response,
        "line": layout(made, 8, before="return "),
    }


def _home(op: Operation, document: Json, known: Mapping[str, Component], api: str) -> str:
    """The module of contracts/ that holds the class of an answer."""
    from ..openapi.components import reachable

    if home := known[op.response].home:
        return f"...contracts.{home.removesuffix('.yaml').replace('/', '.').replace('-', '_')}"
    asked = reachable((each.body for each in operations(document) if each.body), known)
    return f"...contracts.{api}.{'requests' if op.response in asked else 'responses'}"


def _code(value: JsonValue) -> Code:
    """JSON as Python has it; lists stay lists."""
    if isinstance(value, list):
        return sequence(map(_code, value))
    if isinstance(value, dict):
        return mapping((key, _code(each)) for key, each in value.items())
    return literal(value)


def _document(roots: Roots, api: str) -> Json:
    from ..problems.nearest import nearest

    found = roots.find(f"apis/{api}.yaml")
    if not found:
        close = nearest(api, roots.names("apis"))
        hint = f"did you mean {close}?" if close else "`stackgen new api NAME` makes one"
        raise NoScaffold(f"there is no API {api}; {hint}")
    document, problems = load(found[-1].path, found[-1].label)
    if problems or not isinstance(document.data, dict):
        raise NoScaffold(f"{found[-1].label} cannot be read; `stackgen check {api}` says why")
    return document.data


def _shared(roots: Roots) -> dict[str, Json]:
    """The shared schemas of all roots, by "shared/<file>.yaml"."""
    return dict(_shared_files(roots))


def _shared_files(roots: Roots) -> Iterator[tuple[str, Json]]:
    for name in roots.names("apis/shared"):
        file = roots.find(f"apis/shared/{name}.yaml")[-1]
        document, _ = load(file.path, file.label)
        if isinstance(document.data, dict):
            yield f"shared/{name}.yaml", document.data


def _support(roots: Roots) -> dict[str, str]:
    return {_SUPPORT: (roots.templates / "scaffold" / "workspace" / _SUPPORT).read_text("utf-8")}


def _check_name(name: str, pattern: re.Pattern[str], what: str, asked: str) -> None:
    if not pattern.fullmatch(name):
        raise NoScaffold(f"{name!r} is no name of {what}: {asked}")


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in re.split("[-_]", name))

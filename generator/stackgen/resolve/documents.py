"""Whether API documents are sound: each by itself, and together in one server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..load import Document
from ..openapi.faults import Fault, Place, faults
from ..plan import JsonValue, Position
from ..problems.nearest import nearest
from .apis import Api
from .desk import Desk, mapping, text

_CODES = {"reference": "SG309", "component": "SG407", "operation": "SG411"}


def check_documents(desk: Desk, apis: Iterable[Api]) -> None:
    """Report references that lead nowhere and names that two APIs of one server give to different things."""
    documents = {api.name: api.document for api in apis}
    shared = dict(_shared(desk, list(documents.values())))
    plain = {name: mapping(document.data) for name, document in documents.items()}
    for fault in faults(plain, {path: mapping(document.data) for path, document in shared.items()}):
        _report(desk, fault)


def file_references(node: JsonValue) -> set[str]:
    """The other files that the `$ref`s below a node name, as they are written."""
    if isinstance(node, list):
        return {each for item in node for each in file_references(item)}
    own = text(mapping(node).get("$ref")).partition("#")[0]
    return ({own} if own else set()) | {each for item in mapping(node).values() for each in file_references(item)}


def _shared(desk: Desk, documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """The shared files that these documents refer to, directly or through one another, by "shared/<file>.yaml"."""
    seen: set[str] = set()
    while documents:
        document = documents.pop()
        for reference in sorted(file_references(document.data)):
            found, path = desk.shared(document, reference)
            if path not in seen and found is not None:
                seen.add(path)
                documents.append(found)
                yield path.removeprefix("apis/"), found


def _report(desk: Desk, fault: Fault) -> None:
    at = _position(desk, fault.at, key=fault.kind == "component")
    if fault.first is not None:
        first = _position(desk, fault.first, key=fault.kind == "component")
        desk.report(_CODES[fault.kind], at, fault.message, found=f"the first, at {first}")
    else:
        near = nearest(fault.found, fault.known)
        desk.report(_CODES[fault.kind], at, fault.message, found=fault.found, nearest=near)


def _position(desk: Desk, place: Place, *, key: bool) -> Position:
    file, where = place
    document = desk.document(file)
    if document is None:
        return Position(file, 1, 1)
    return document.key(*where) if key else document.at(*where)


def unused_components(desk: Desk, api: Api) -> None:
    """Report schemas of an API document that no operation reaches."""
    schemas = _schemas(api)
    data = mapping(api.document.data)
    reached: set[str] = set()
    waiting = _references({key: value for key, value in data.items() if key != "components"})
    waiting |= _references({k: v for k, v in mapping(data.get("components")).items() if k != "schemas"})
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in reached:
            reached.add(name)
            waiting |= _references(schemas[name])
    for name in schemas:
        if name not in reached:
            at = api.document.key("components", "schemas", name)
            desk.report("SG408", at, f"no operation uses the schema {name}", found=name)


def _schemas(api: Api) -> Mapping[str, JsonValue]:
    return mapping(mapping(mapping(api.document.data).get("components")).get("schemas"))


def _references(node: JsonValue) -> set[str]:
    """The component schemas of the same document that a node refers to."""
    found: set[str] = set()
    waiting: list[JsonValue] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            reference = each.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
                found.add(reference.rsplit("/", 1)[-1])
            found |= {
                text(v).rsplit("/", 1)[-1] for v in mapping(mapping(each.get("discriminator")).get("mapping")).values()
            }
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return found

"""Two OpenAPI documents in, what changed for their clients out. A document compared with itself changed nothing.

    GET /v1/models is not there any more          Change("removed-operation", "GET /v1/models")
    Model.owned_by is not there any more          Change("removed-response-property", "Model.owned_by",
                                                         operations=("GET /v1/models", …))

Operations are the same by method and path, whatever their path's parameters are called. What a schema changed is told
once, with every operation that it reaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ..plan import JsonValue
from .changes import Change
from .references import Json, mapping, resolved
from .schemas import Walk, schema_changes

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def api_changes(old: Json, new: Json) -> tuple[Change, ...]:
    """Every change, in the order of the old document's operations, then of the new one's."""
    before, after = _operations(old), _operations(new)
    found: dict[str, tuple[Change, list[str]]] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        name = (after.get(key) or before[key])[0]
        if key not in after:
            changes = [_told("removed-operation", name)]
        elif key not in before:
            changes = [_told("new-operation", name)]
        else:
            changes = list(_operation(old, new, before[key][1], after[key][1], name))
        for change in changes:
            _, operations = found.setdefault(repr(change), (change, []))
            if change.place != name:
                operations.append(name)
    if not found and old != new:
        return (_told("changed-documentation", "openapi.json"),)
    return tuple(replace(change, operations=tuple(dict.fromkeys(names))) for change, names in found.values())


def _told(rule: str, place: str, old: JsonValue = None, new: JsonValue = None) -> Change:
    return Change(area="api", rule=rule, place=place, old=old, new=new)


def _operations(document: Json) -> dict[tuple[str, str], tuple[str, Json]]:
    """(its name, what is said of it) by method and path without parameters' names."""
    found: dict[tuple[str, str], tuple[str, Json]] = {}
    for path, item in mapping(document.get("paths")).items():
        shared = {key: value for key, value in mapping(item).items() if key == "parameters"}
        for method in _METHODS:
            if method in mapping(item):
                operation = {**mapping(mapping(item)[method])}
                operation["parameters"] = [*_list(shared.get("parameters")), *_list(operation.get("parameters"))]
                found[method, re.sub(r"\{[^}]*\}", "{}", path)] = (f"{method.upper()} {path}", operation)
    return found


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _operation(old: Json, new: Json, before: Json, after: Json, name: str) -> Iterator[Change]:
    sent = Walk(old, new, "api", "request")
    got = Walk(old, new, "api", "response")
    if bool(before.get("deprecated")) != bool(after.get("deprecated")):
        yield _told("deprecated-operation" if after.get("deprecated") else "undeprecated-operation", name)
    if before.get("operationId") != after.get("operationId"):
        yield _told("changed-operation-id", name, before.get("operationId"), after.get("operationId"))
    if bool(before.get("x-public")) != bool(after.get("x-public")):
        yield _told("credential-not-required" if after.get("x-public") else "credential-required", name)
    yield from _parameters(sent, before, after, name)
    yield from _body(sent, before, after, name)
    yield from _responses(got, before, after, name)


# ── what clients send ───────────────────────────────────────────────────────────────────────────────────────────────


def _parameters(walk: Walk, before: Json, after: Json, name: str) -> Iterator[Change]:
    old, new = _by_place(walk.old, before), _by_place(walk.new, after)
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            yield _told("removed-parameter", name, _named(old[key]))
        elif key not in old:
            how = "required" if new[key].get("required") else "optional"
            yield _told(f"new-{how}-parameter", name, None, _named(new[key]))
        else:
            was, is_ = bool(old[key].get("required")), bool(new[key].get("required"))
            if was != is_:
                yield _told(f"parameter-became-{'required' if is_ else 'optional'}", name, None, _named(new[key]))
            schemas = old[key].get("schema", {}), new[key].get("schema", {})
            yield from schema_changes(walk, *schemas, _named(new[key]))


def _by_place(document: Json, operation: Json) -> dict[tuple[str, str], Json]:
    """Parameters by where they stand and their name; those of the path by their number, as nobody sends their name."""
    found: dict[tuple[str, str], Json] = {}
    for each in _list(operation.get("parameters")):
        parameter = resolved(document, each)
        where = str(parameter.get("in"))
        number = sum(1 for known in found if known[0] == "path")
        found[where, str(number if where == "path" else parameter.get("name"))] = parameter
    return found


def _named(parameter: Json) -> str:
    return f"{parameter.get('in')} {parameter.get('name')}"


def _body(walk: Walk, before: Json, after: Json, name: str) -> Iterator[Change]:
    old, new = resolved(walk.old, before.get("requestBody")), resolved(walk.new, after.get("requestBody"))
    needed, needs = bool(old.get("required")), bool(new.get("required"))
    if old and not new:
        yield _told("removed-request-body", name)
    elif new and not old:
        yield _told(f"new-{'required' if needs else 'optional'}-request-body", name)
    elif needed != needs:
        yield _told(f"request-body-became-{'required' if needs else 'optional'}", name)
    if old and new:
        yield from _content(walk, old, new, name, "request", "request")


def _content(walk: Walk, old: Json, new: Json, name: str, rule: str, place: str) -> Iterator[Change]:
    """The media types of a body, and the schema of each."""
    before, after = mapping(old.get("content")), mapping(new.get("content"))
    for kind in [*before, *(kind for kind in after if kind not in before)]:
        if kind not in after:
            yield _told(f"removed-{rule}-media-type", name, f"{place} {kind}")
        elif kind not in before:
            yield _told(f"new-{rule}-media-type", name, None, f"{place} {kind}")
        else:
            was, is_ = (mapping(side[kind]).get("schema", {}) for side in (before, after))
            yield from schema_changes(walk, was, is_, place)


# ── what clients get ────────────────────────────────────────────────────────────────────────────────────────────────


def _responses(walk: Walk, before: Json, after: Json, name: str) -> Iterator[Change]:
    old, new = mapping(before.get("responses")), mapping(after.get("responses"))
    for status in [*old, *(status for status in new if status not in old)]:
        how = "success" if status.startswith(("1", "2", "3")) else "error"
        if status not in new:
            yield _told(f"removed-{how}-status", name, status)
        elif status not in old:
            yield _told(f"new-{how}-status", name, None, status)
        else:
            was, is_ = resolved(walk.old, old[status]), resolved(walk.new, new[status])
            yield from _headers(walk, was, is_, name, status)
            yield from _content(walk, was, is_, name, "response", f"response {status}")


def _headers(walk: Walk, old: Json, new: Json, name: str, status: str) -> Iterator[Change]:
    before, after = mapping(old.get("headers")), mapping(new.get("headers"))
    for header in [*before, *(header for header in after if header not in before)]:
        place = f"response {status} header {header}"
        if header not in after:
            yield _told("removed-response-header", name, place)
        elif header not in before:
            yield _told("new-response-header", name, None, place)
        else:
            was, is_ = resolved(walk.old, before[header]), resolved(walk.new, after[header])
            yield from schema_changes(walk, was.get("schema", {}), is_.get("schema", {}), place)

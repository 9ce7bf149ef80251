"""`stackgen diff`, the API: each rule has a pair of documents, read in both directions; a document equals itself."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stackgen.diff.api import api_changes
from stackgen.diff.changes import RULES
from stackgen.diff.schemas import Walk, schema_changes

GATEWAY: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "generated/gateway/src/gateway_stack/openapi.json").read_text()
)
THING = {"$ref": "#/components/schemas/Thing"}

# (what, forwards, backwards, the schema before, the schema after); {} stands for the direction.
SCHEMAS: list[tuple[str, str, object, object]] = [
    ("narrowed-{}-type", "widened-{}-type", {"type": ["string", "null"]}, {"type": "string"}),
    ("narrowed-{}-type", "widened-{}-type", {"type": "number"}, {"type": "integer"}),
    ("narrowed-{}-type", "widened-{}-type", {}, {"type": "string"}),
    ("narrowed-{}-type", "widened-{}-type", {}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ("changed-{}-type", "changed-{}-type", {"type": "string"}, {"type": "integer"}),
    ("changed-{}-type", "changed-{}-type", {"type": ["string", "null"]}, {"type": ["integer", "null"]}),
    ("narrowed-{}-enum", "widened-{}-enum", {"enum": ["a", "b"]}, {"enum": ["a"]}),
    ("narrowed-{}-enum", "widened-{}-enum", {"type": "string"}, {"type": "string", "const": "a"}),
    ("changed-{}-enum", "changed-{}-enum", {"enum": ["a", "b"]}, {"enum": ["a", "c"]}),
    ("changed-{}-enum", "changed-{}-enum", {"enum": ["1"]}, {"enum": [1]}),
    ("narrowed-{}-limit", "widened-{}-limit", {"minimum": 0}, {"minimum": 1}),
    ("narrowed-{}-limit", "widened-{}-limit", {}, {"minimum": -5}),
    ("narrowed-{}-limit", "widened-{}-limit", {"maximum": 9}, {"maximum": 8.5}),
    ("narrowed-{}-limit", "widened-{}-limit", {"type": "array"}, {"type": "array", "uniqueItems": True}),
    ("narrowed-{}-limit", "widened-{}-limit", {"type": "integer"}, {"type": "integer", "multipleOf": 2}),
    ("changed-{}-limit", "changed-{}-limit", {"multipleOf": 2}, {"multipleOf": 3}),
    ("narrowed-{}-pattern", "widened-{}-pattern", {"type": "string"}, {"type": "string", "pattern": "^a"}),
    ("changed-{}-pattern", "changed-{}-pattern", {"pattern": "^a"}, {"pattern": "^b"}),
    ("narrowed-{}-format", "widened-{}-format", {"type": "string"}, {"type": "string", "format": "uri"}),
    ("changed-{}-format", "changed-{}-format", {"format": "uri"}, {"format": "uuid"}),
    (
        "narrowed-{}-union",
        "widened-{}-union",
        {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
    ),
    ("narrowed-{}-union", "widened-{}-union", {"oneOf": [THING, {"type": "string"}]}, THING),
    ("changed-{}-schema", "changed-{}-schema", {"not": {"type": "string"}}, {"not": {"type": "null"}}),
    ("changed-{}-default", "changed-{}-default", {"default": 1}, {"default": 2}),
    ("closed-{}-object", "opened-{}-object", {"type": "object"}, {"type": "object", "additionalProperties": False}),
    (
        "narrowed-{}-type",
        "widened-{}-type",
        {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        {"type": "object", "additionalProperties": {"type": "string"}},
    ),
    ("narrowed-{}-type", "widened-{}-type", {"items": {"type": "number"}}, {"items": {"type": "integer"}}),
    ("removed-{}-property", "new-{}-property", {"properties": {"a": {}, "b": {}}}, {"properties": {"b": {}}}),
    (
        "removed-{}-property",
        "new-required-{}-property",
        {"properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": ["string", "integer", "number", "object", "array", "boolean", "null"]},
    ),
    (
        "{}-property-became-optional",
        "{}-property-became-required",
        {"properties": {"a": {}}, "required": ["a"]},
        {"properties": {"a": {}}},
    ),
    (
        "removed-{}-property",
        "new-{}-property",
        {"allOf": [THING, {"properties": {"extra": {"type": "string"}}}]},
        {"allOf": [THING]},
    ),
    ("deprecated-{}-property", "undeprecated-{}-property", {"type": "string"}, {"type": "string", "deprecated": True}),
]

OPERATION: dict[str, Any] = {
    "operationId": "answer",
    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": THING}}},
    "responses": {
        "200": {
            "headers": {"x-id": {"schema": {"type": "string"}}},
            "content": {"application/json": {"schema": THING}},
        },
        "404": {"content": {"application/json": {"schema": THING}}},
    },
}


def document(path: str = "/v1/a/{id}", **operation: Any) -> dict[str, Any]:
    schemas = {"Thing": {"type": "object", "properties": {"n": {"type": "integer"}, "next": THING}}}
    return {"paths": {path: {"post": {**OPERATION, **operation}}}, "components": {"schemas": schemas}}


def parameters(*extra: dict[str, Any]) -> dict[str, Any]:
    return document(parameters=[*OPERATION["parameters"], *extra])


def body(**content: Any) -> dict[str, Any]:
    return document(requestBody={**OPERATION["requestBody"], **content})


def responses(**given: Any) -> dict[str, Any]:
    return document(responses={**OPERATION["responses"], **given})


LIMIT: dict[str, Any] = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
JSON = {"application/json": {"schema": THING}}
BARE = {key: value for key, value in OPERATION.items() if key != "requestBody"}

OPERATIONS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("removed-operation", "new-operation", document(), {**document(), "paths": {}}),
    ("deprecated-operation", "undeprecated-operation", document(), document(deprecated=True)),
    ("changed-operation-id", "changed-operation-id", document(), document(operationId="reply")),
    ("credential-required", "credential-not-required", document(**{"x-public": True}), document()),
    ("new-optional-parameter", "removed-parameter", document(), parameters(LIMIT)),
    ("new-required-parameter", "removed-parameter", document(), parameters({**LIMIT, "required": True})),
    (
        "parameter-became-required",
        "parameter-became-optional",
        parameters(LIMIT),
        parameters({**LIMIT, "required": True}),
    ),
    (
        "narrowed-request-limit",
        "widened-request-limit",
        parameters(LIMIT),
        parameters({**LIMIT, "schema": {"type": "integer", "minimum": 1}}),
    ),
    (
        "removed-request-body",
        "new-required-request-body",
        document(),
        {**document(), "paths": {"/v1/a/{id}": {"post": BARE}}},
    ),
    (
        "removed-request-body",
        "new-optional-request-body",
        body(required=False),
        {**document(), "paths": {"/v1/a/{id}": {"post": BARE}}},
    ),
    ("request-body-became-optional", "request-body-became-required", document(), body(required=False)),
    ("new-request-media-type", "removed-request-media-type", document(), body(content={**JSON, "text/plain": {}})),
    ("new-success-status", "removed-success-status", document(), responses(**{"202": {}})),
    ("new-error-status", "removed-error-status", document(), responses(default={})),
    (
        "new-response-media-type",
        "removed-response-media-type",
        document(),
        responses(**{"404": {"content": {**JSON, "text/plain": {}}}}),
    ),
    ("removed-response-header", "new-response-header", document(), responses(**{"200": {"content": JSON}})),
    ("changed-documentation", "changed-documentation", document(), document(summary="An answer.")),
]


def schema_rules(direction: Any, old: Any, new: Any) -> list[str]:
    components = document()
    return [each.rule for each in schema_changes(Walk(components, components, "api", direction), old, new, "here")]


@pytest.mark.parametrize("direction", ["request", "response", "setting"])
@pytest.mark.parametrize(("forwards", "backwards", "old", "new"), SCHEMAS)
def test_a_schema_changes_by_one_rule(direction: str, forwards: str, backwards: str, old: object, new: object) -> None:
    assert schema_rules(direction, old, new) == [named(forwards, direction)]
    assert schema_rules(direction, new, old) == [named(backwards, direction)]


def named(rule: str, direction: str) -> str:
    return rule.format(direction).replace("setting-property", "setting")


@pytest.mark.parametrize(
    ("forwards", "backwards", "old", "new"), OPERATIONS, ids=lambda each: each if isinstance(each, str) else ""
)
def test_an_operation_changes_by_one_rule(
    forwards: str, backwards: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert [each.rule for each in api_changes(old, new)] == [forwards]
    assert [each.rule for each in api_changes(new, old)] == [backwards]


def test_every_rule_of_the_api_has_an_example() -> None:
    shown = {rule for forwards, backwards, _, _ in OPERATIONS for rule in (forwards, backwards)}
    for direction in ("request", "response", "setting"):
        shown |= {named(rule, direction) for forwards, backwards, _, _ in SCHEMAS for rule in (forwards, backwards)}
    package = list(RULES)[list(RULES).index("new-variable") :]
    assert shown == RULES.keys() - set(package)


def test_who_sends_minds_less_and_who_gets_minds_more() -> None:
    breaking = {rule for rule, breaks in RULES.items() if breaks}
    assert {"narrowed-request-enum", "widened-response-enum", "new-required-request-property"} <= breaking
    assert {"removed-response-property", "response-property-became-optional", "changed-request-type"} <= breaking
    assert not {"widened-request-enum", "narrowed-response-enum", "new-response-property"} & breaking
    assert not {"new-required-response-property", "request-property-became-optional"} & breaking


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"enum": ["a"]}, {"const": "a"}),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}),
        (
            {"oneOf": [{"oneOf": [{"type": "null"}, {"type": "string"}]}]},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "string"}, {"type": "string", "minLength": 0, "description": "A text."}),
        (THING, {"description": "It.", **THING}),
        ({"allOf": [{"type": "string"}]}, {"type": "string"}),
    ],
)
def test_two_ways_to_say_the_same_are_no_change(old: object, new: object) -> None:
    assert schema_rules("request", old, new) == []
    assert schema_rules("request", new, old) == []


def test_members_of_a_union_are_told_apart_by_their_constant() -> None:
    def content(kind: str, *names: str) -> dict[str, Any]:
        return {"properties": {"type": {"const": kind}, **{name: {"type": "string"} for name in names}}}

    old = {"oneOf": [content("text", "text"), content("image", "url", "detail")]}
    new = {"oneOf": [content("image", "url"), content("text", "text")]}
    assert schema_rules("response", old, new) == ["removed-response-property"]


def test_the_name_of_a_path_parameter_is_nobodys_business() -> None:
    renamed = document("/v1/a/{name}", parameters=[{**OPERATION["parameters"][0], "name": "name"}])
    assert [each.rule for each in api_changes(document(), renamed)] == ["changed-documentation"]


def test_a_change_of_a_schema_is_told_once_with_all_it_reaches() -> None:
    new = copy.deepcopy(GATEWAY)
    del new["components"]["schemas"]["Model"]["properties"]["owned_by"]
    new["components"]["schemas"]["Model"]["required"].remove("owned_by")
    (change,) = api_changes(GATEWAY, new)
    assert (change.rule, change.place, change.breaking) == ("removed-response-property", "Model.owned_by", True)
    assert {"GET /v1/models", "GET /v1/models/{model}", "GET /v1/openai/v1/models"} <= set(change.operations)


def test_a_reference_that_leads_nowhere_or_round_ends() -> None:
    circle = {"components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}}
    walk = Walk(circle, circle, "api", "request")
    assert not list(schema_changes(walk, {"$ref": "#/components/schemas/A"}, {"$ref": "#/nowhere"}, "here"))


# ── any document ────────────────────────────────────────────────────────────────────────────────────────────────────

TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
LEAVES = st.one_of(
    st.just({}),
    st.just(THING),
    st.builds(lambda each: {"type": each}, st.sampled_from(TYPES)),
    st.builds(lambda each: {"type": each}, st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)),
    st.builds(lambda each: {"enum": each}, st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=3)),
    st.builds(lambda low, high: {"type": "integer", "minimum": low, "maxLength": high}, st.integers(), st.integers(0)),
    st.fixed_dictionaries(
        {"type": st.just("string"), "pattern": st.text(max_size=3), "default": st.none() | st.text()}
    ),
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["a", "b", "c"])
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(names, inner), "required": st.lists(names)},
        optional={"additionalProperties": st.booleans() | inner},
    )
    members = st.lists(inner, min_size=1, max_size=3)
    unions = st.builds(lambda word, each: {word: each}, st.sampled_from(["oneOf", "anyOf", "allOf"]), members)
    return objects | unions | st.builds(lambda each: {"type": "array", "items": each}, inner)


DOCUMENTS = st.builds(
    lambda sent, got, thing: {
        "paths": document(
            requestBody={"content": {"application/json": {"schema": sent}}},
            responses={"200": {"content": {"application/json": {"schema": got}}}},
        )["paths"],
        "components": {"schemas": {"Thing": thing}},
    },
    *[st.recursive(LEAVES, nested, max_leaves=8)] * 3,
)


@given(DOCUMENTS)
def test_a_document_compared_with_itself_changed_nothing(document: dict[str, Any]) -> None:
    assert api_changes(document, copy.deepcopy(document)) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_documents_that_differ_have_a_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert bool(api_changes(old, new)) == (old != new)


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_narrower_one_way_is_wider_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    opposite = {"narrowed": "widened", "widened": "narrowed", "closed": "opened", "opened": "closed"}

    def verbs(changes: Any, turn: bool) -> list[tuple[str, str]]:
        found = [each.rule.partition("-") for each in changes if each.rule.partition("-")[0] in opposite]
        return sorted((opposite[verb] if turn else verb, what) for verb, _, what in found)

    assert verbs(api_changes(old, new), False) == verbs(api_changes(new, old), True)


def test_the_gateways_own_document_equals_itself() -> None:
    assert api_changes(GATEWAY, GATEWAY) == ()

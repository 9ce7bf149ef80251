"""API documents: what is read of them, where they are served, and the server's own document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from stackgen.load import load
from stackgen.openapi import Operation, mounts, operations, snake_case
from stackgen.openapi.document import compile_openapi
from stackgen.openapi.faults import faults
from stackgen.plan import Position, Route

ROOT = Path(__file__).resolve().parents[2]
APIS = ("inference", "models", "inspect", "providers", "files", "conversations", "prompts")


def read(path: Path) -> Mapping[str, Any]:
    document, problems = load(path, path.name)
    assert not problems
    assert isinstance(document.data, dict)
    return document.data


DOCUMENTS = {api: read(ROOT / f"specs/apis/{api}.yaml") for api in APIS}
SHARED = {f"shared/{path.name}": read(path) for path in (ROOT / "specs/apis/shared").glob("*.yaml")}
VALIDATOR = Draft202012Validator(json.loads((ROOT / "schema/api.schema.json").read_text()))


def routes(documents: Mapping[str, Mapping[str, Any]]) -> list[Route]:
    return [
        Route(
            api=api,
            method=operation.method,
            path=mount.path,
            component=api,
            operation=operation.name,
            request=operation.request,
            has_body=operation.has_body,
            upload=operation.form,
            download=operation.download,
            relay=operation.relay,
            stream=operation.stream,
            level=mount.level,
            deprecated=mount.deprecated,
            public=operation.public,
            provider_data=operation.provider_data,
            greedy=operation.greedy,
            query=operation.query,
            errors="openai",
            provider_types=(),
            because=Position("x.yaml", 1, 1),
        )
        for api, document in documents.items()
        for mount in mounts(document)
        for operation in [mount.operation]
    ]


def compiled() -> str:
    return compile_openapi(title="demo", description="A demo.", apis=DOCUMENTS, shared=SHARED, routes=routes(DOCUMENTS))


def operation(api: str, name: str) -> Operation:
    return next(each for each in operations(DOCUMENTS[api]) if each.name == name)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_operation_says_all_that_its_route_needs() -> None:
    chat = operation("inference", "create_chat_completion")
    assert (chat.method, chat.path, chat.level, chat.capability) == ("POST", "/chat/completions", "v1", "chat")
    assert (chat.request, chat.body, chat.response, chat.event) == (
        "CreateChatCompletionRequest",
        "CreateChatCompletionRequest",
        "CreateChatCompletionResponse",
        "CreateChatCompletionStreamResponse",
    )
    assert (chat.relay, chat.stream, chat.has_body, chat.provider_data, chat.public) == (True, True, True, True, False)
    assert chat.where == ("paths", "/chat/completions", "post")
    assert operation("inference", "rerank").level == "v1alpha"
    assert operation("models", "retrieve_model").greedy == ("model",)
    assert operation("inspect", "list_routes").query == ("api_filter",)
    assert operation("inspect", "list_routes").request == "ListRoutesRequest"
    assert operation("inspect", "health").public
    upload, download = operation("files", "create_file"), operation("files", "download_file")
    assert (upload.form, upload.body, upload.request, upload.download) == (True, *["CreateFileRequest"] * 2, False)
    assert (download.form, download.body, download.download, download.response) == (False, "", True, "")


def test_an_alias_repeats_the_routes_of_the_api_s_own_level() -> None:
    served = {(each.path, each.level, each.deprecated) for each in mounts(DOCUMENTS["inference"])}
    assert ("/v1/openai/v1/chat/completions", "v1", True) in served
    assert ("/v1alpha/inference/rerank", "v1alpha", False) in served
    assert not any("openai/v1/inference/rerank" in path for path, _, _ in served)
    admin = {(each.path, each.level, each.deprecated) for each in mounts(DOCUMENTS["providers"])}
    assert ("/v1alpha/admin/providers/{provider_id}", "v1alpha", False) in admin


@pytest.mark.parametrize(
    ("name", "snake"),
    [("createChatCompletion", "create_chat_completion"), ("rerank", "rerank"), ("listMCPTools", "list_mcp_tools")],
)
def test_method_names(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": None, "x-stackgen": []},
        {"paths": {"/a": {"get": "x"}, "/b": None}},
        {"paths": {"/a": {"get": {"operationId": 5}}}, "x-stackgen": {"aliases": [7]}},
    ],
)
def test_a_document_that_breaks_the_schema_is_read_as_far_as_it_goes(document: Mapping[str, object]) -> None:
    assert operations(document) == ()
    assert mounts(document) == ()


# ── the schema of API specs ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("api", APIS)
def test_the_bundled_documents_fit_the_schema(api: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(DOCUMENTS[api])] == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ((), "servers", []),
        ((), "x-stackgn", {}),
        (("x-stackgen",), "prefix", "/v1"),
        (("x-stackgen",), "level", "v2"),
        (("x-stackgen", "aliases", 0), "prefix", "v1/"),
        (("paths", "/models", "get"), "x-publik", True),
        (("paths", "/models", "get"), "x-public", "yes"),
        (("paths", "/models", "get"), "operationId", "list models"),
        (("paths", "/models/{model}", "get", "parameters", 0), "in", "header"),
        (("paths", "/models/{model}", "get", "parameters", 0), "required", False),
        (("components", "schemas", "Model"), "x-note", 1),
        (("components", "schemas", "Model"), "nullable", True),
        (("components", "schemas", "Model", "properties", "id"), "$ref", "#/Model.yaml"),
    ],
)
def test_what_the_schema_refuses(where: tuple[str | int, ...], key: str, value: object) -> None:
    document = yaml.safe_load((ROOT / "specs/apis/models.yaml").read_text())
    node: Any = document
    for step in where:
        node = node[step]
    node[key] = value
    assert list(VALIDATOR.iter_errors(document))


# ── the server's document ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_document_is_the_same_every_time_and_ends_in_a_newline() -> None:
    assert compiled() == compiled()
    assert compiled().endswith("}\n")


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    document = json.loads(compiled())
    found = set(_references(document))
    assert found == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return [*own, *(each for value in node.values() for each in _references(value))]
    return [each for value in node for each in _references(value)] if isinstance(node, list) else []


def test_operations_are_told_apart_and_marked() -> None:
    paths = json.loads(compiled())["paths"]
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert "listModels" in ids
    assert "listModels_v1_openai_v1" in ids
    assert paths["/v1/openai/v1/models"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/v1/models"]["get"]
    assert paths["/v1/health"]["get"]["x-public"] is True
    assert paths["/v1/models"]["get"]["responses"]["default"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ErrorResponse"
    }


def test_our_own_keys_are_left_out() -> None:
    text = compiled()
    assert {key for key in ("x-stackgen", "x-relay", "x-capability", "x-greedy", "x-level") if key in text} == set()


def test_a_union_with_a_discriminator_maps_its_constants() -> None:
    schemas = json.loads(compiled())["components"]["schemas"]
    mapping = schemas["ChatCompletionRequestMessage"]["discriminator"]["mapping"]
    assert mapping["user"] == "#/components/schemas/ChatCompletionRequestUserMessage"
    assert list(mapping) == ["developer", "system", "user", "assistant", "tool", "function"]


@pytest.mark.parametrize(
    "path",
    [
        "CreateChatCompletionRequest.messages",
        "CreateChatCompletionRequest.response_format",
        "CreateChatCompletionRequest.web_search_options",
        "ChatCompletionRequestAssistantMessage.tool_calls",
        "ChatCompletionMessageCustomToolCall.custom",
        "ChatCompletionResponseMessage.annotations",
        "ChatCompletionStreamResponseDelta.tool_calls",
        "CompletionTokensDetails.accepted_prediction_tokens",
        "CreateCompletionRequest.best_of",
        "CompletionLogprobs.text_offset",
        "CreateEmbeddingRequest.encoding_format",
        "EmbeddingUsage.prompt_tokens",
        "Model.owned_by",
        "Model.custom_metadata",
        "Model.identifier",
        "Error.code",
    ],
)
def test_names_that_clients_rely_on_are_there(path: str) -> None:
    schema, _, name = path.partition(".")
    assert name in json.loads(compiled())["components"]["schemas"][schema]["properties"]


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def api(schema: object, identity: str = "ping", path: str = "/ping") -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pong"}}}}
    get = {"operationId": identity, "summary": "Ping.", "responses": {"200": answer}}
    return {"x-stackgen": {}, "paths": {path: {"get": get}}, "components": {"schemas": {"Pong": schema}}}


def test_the_bundled_documents_are_without_faults() -> None:
    assert faults(DOCUMENTS, SHARED) == []


def test_one_name_for_two_schemas_is_a_fault() -> None:
    same = {"type": "object", "description": "Same."}
    assert faults({"a": api(same, "one"), "b": api(same, "two")}, {}) == []
    (fault,) = faults({"a": api(same, "one"), "b": api({"type": "string"}, "two")}, {})
    where = ("components", "schemas", "Pong")
    assert (fault.kind, fault.at) == ("component", ("apis/b.yaml", where))
    assert fault.first == ("apis/a.yaml", where)


def test_one_name_for_two_operations_is_a_fault() -> None:
    (fault,) = faults({"a": api({"type": "string"}), "b": api({"type": "string"})}, {})
    where = ("paths", "/ping", "get", "operationId")
    assert (fault.kind, fault.at) == ("operation", ("apis/b.yaml", where))


def test_a_reference_to_nothing_is_a_fault_at_its_place() -> None:
    broken = {"type": "array", "items": {"$ref": "shared/x.yaml#/Item"}}
    (fault,) = faults({"a": api(broken)}, {"shared/x.yaml": {"Itm": {}}})
    assert (fault.kind, fault.at[1]) == ("reference", ("components", "schemas", "Pong", "items", "$ref"))
    assert fault.message == "there is no schema 'Item' in shared/x.yaml"
    (fault,) = faults({"a": api({"$ref": "shared/x.yaml#/Item"})}, {"shared/x.yaml": {"Item": {"$ref": "#/Other"}}})
    assert fault.at == ("apis/shared/x.yaml", ("Item", "$ref"))

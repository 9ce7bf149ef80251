"""Contracts: in step with the API documents, and true to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_values import EXTRA, everything, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts.contracts.conversations import requests as conversations_requests
from parts.contracts.conversations import responses as conversations_responses
from parts.contracts.files import responses as files_responses
from parts.contracts.inference import requests as inference_requests
from parts.contracts.inference import responses as inference_responses
from parts.contracts.inspect import responses as inspect_responses
from parts.contracts.models import responses as models_responses
from parts.contracts.prompts import requests as prompts_requests
from parts.contracts.prompts import responses as prompts_responses
from parts.contracts.providers import responses as providers_responses
from parts.contracts.shared import items, tools
from parts.contracts.wire import WireModel
from pydantic import ValidationError
from stackgen.contracts import render_contracts, sync
from stackgen.contracts.models import ContractError
from stackgen.load import load
from stackgen.openapi.components import Component, components

ROOT = Path(__file__).resolve().parents[2]
SPECS = ROOT / "specs"
CONTRACTS = ROOT / "templates" / "parts" / "contracts"


def read(path: Path) -> Mapping[str, Any]:
    document, problems = load(path, path.name)
    assert not problems
    assert isinstance(document.data, dict)
    return document.data


def schemas_of(api: str) -> Mapping[str, Component]:
    shared = {f"shared/{path.name}": read(path) for path in (SPECS / "apis/shared").glob("*.yaml")}
    return components(read(SPECS / f"apis/{api}.yaml"), shared).schemas


APIS = ("conversations", "files", "inference", "models", "inspect", "prompts", "providers")
SCHEMAS = {api: schemas_of(api) for api in APIS}
MODULES = (
    conversations_requests,
    conversations_responses,
    files_responses,
    inference_requests,
    inference_responses,
    inspect_responses,
    models_responses,
    prompts_requests,
    prompts_responses,
    providers_responses,
    items,
    tools,
)
IN = {"shared": "conversations"}
"""Where schemas that several APIs share are looked at."""
MODELS = [
    (api, model)
    for module in MODULES
    for home in [module.__name__.split(".")[-2]]
    for api in [IN.get(home, home)]
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, WireModel) and model.__module__ == module.__name__
    if name in SCHEMAS[api]
]
WHOLE = [
    (api, model)
    for api, model in MODELS
    if model.__name__.startswith(("Create", "Rerank", "List"))
    or model.__name__ in ("Model", "ProviderInfo", "HealthInfo")
]


def names(pairs: list[tuple[str, type[WireModel]]]) -> list[str]:
    return [model.__name__ for _, model in pairs]


def received(model: type[WireModel], value: Any) -> WireModel:
    """As the server reads a body: JSON, and no type taken for another."""
    return model.model_validate_json(json.dumps(value), strict=True)


def said(model: WireModel) -> Any:
    return model.model_dump(by_alias=True, exclude_unset=True)


# ── the committed files ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_committed_contracts_are_what_the_documents_give() -> None:
    assert sync(SPECS, CONTRACTS, check=True) == [], "run `stackgen contracts`"


@pytest.mark.slow
def test_the_same_files_whatever_the_environment(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "77"}
    environment["PYTHONPATH"] = str(ROOT / "generator")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.datamodel-codegen]\nsnake-case-field = true\n[tool.ruff]\nline-length = 40\n"
    )
    command = [sys.executable, "-m", "stackgen", "contracts", "--check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_stale_missing_and_orphaned_files_are_found_and_mended(tmp_path: Path) -> None:
    sync(SPECS, tmp_path, check=False)
    (tmp_path / "models/requests.py").write_text("stale")
    (tmp_path / "inspect/responses.py").unlink()
    (tmp_path / "models/orphan.py").write_text("")
    wrong = ["inspect/responses.py", "models/orphan.py", "models/requests.py"]
    assert sync(SPECS, tmp_path, check=True) == wrong
    assert sync(SPECS, tmp_path, check=False) == wrong
    assert sync(SPECS, tmp_path, check=True) == []


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("parts.contracts.inference", "pydantic"),
        ("parts.contracts.inference.requests", "parts.contracts.inference.responses"),
    ],
)
def test_importing_a_contract_imports_no_more_than_it_needs(module: str, unwanted: str) -> None:
    code = f"import sys, {module}; raise SystemExit({unwanted!r} in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "templates")}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


# ── what the models accept ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("api", "model"), MODELS, ids=names(MODELS))
def test_every_property_and_every_unknown_one_comes_back(api: str, model: type[WireModel]) -> None:
    for value in everything(SCHEMAS[api][model.__name__].schema, SCHEMAS[api]):
        assert said(received(model, value)) == value
        assert value.items() >= EXTRA.items()


@pytest.mark.parametrize(("api", "model"), WHOLE, ids=names(WHOLE))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_document_allows_is_accepted_and_kept(api: str, model: type[WireModel], data: st.DataObject) -> None:
    value = data.draw(values(SCHEMAS[api][model.__name__].schema, SCHEMAS[api]))
    assert said(received(model, value)) == value


CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "assistant", "content": None, "tool_calls": None, "refusal": None, "audio": None}]},
        {"messages": [{"role": "assistant"}]},
        {"messages": [{"role": "assistant", "content": "x", "reasoning_content": "y", "annotations": []}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://a/b"}}]}]},
        {"tools": None, "tool_choice": None, "response_format": None, "stop": None, "user": None},
        {"tools": [{"type": "browser_search"}, {"type": "code_interpreter", "container": {"type": "auto"}}]},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"guided_choice": ["a", "b"], "chat_template_kwargs": {"thinking": False}},
        {"max_tokens": -1, "seed": 2**63 - 1, "logit_bias": {"5": 0.5}},
    ],
)
def test_what_real_clients_send_is_accepted(change: dict[str, Any]) -> None:
    whole = {**CHAT, **change}
    assert said(received(inference_requests.CreateChatCompletionRequest, whole)) == whole


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"model": None}, ("model",)),
        ({"messages": []}, ("messages",)),
        ({"messages": "hello"}, ("messages",)),
        ({"messages": [{"role": "robot", "content": "x"}]}, ("messages", 0)),
        ({"messages": [{"content": "x"}]}, ("messages", 0)),
        ({"messages": [{"role": "user"}]}, ("messages", 0, "user", "content")),
        ({"messages": [{"role": "tool", "content": "x"}]}, ("messages", 0, "tool", "tool_call_id")),
        ({"temperature": 2.1}, ("temperature",)),
        ({"n": 0}, ("n",)),
        ({"top_logprobs": 21}, ("top_logprobs",)),
        ({"stream": "yes"}, ("stream",)),
        ({"temperature": "0.5"}, ("temperature",)),
        ({"response_format": {"type": "yaml"}}, ("response_format",)),
        ({"tools": [{"type": "function"}]}, ("tools", 0, "ChatCompletionTool", "function")),
    ],
)
def test_what_breaks_the_document_is_refused_at_its_place(change: dict[str, Any], where: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        received(inference_requests.CreateChatCompletionRequest, {**CHAT, **change})
    assert where in [error["loc"] for error in caught.value.errors()]


# ── rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────

SMALL = """
info: {title: Files, description: Keeps files.}
x-stackgen: {level: v1, errors: openai}
paths:
  /files/{file_id}/parts:
    parameters: [{name: file_id, in: path, required: true, schema: {type: string}}]
    post:
      operationId: addPart
      summary: Add a part.
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Part"}}}}
      responses: {"200": {content: {application/json: {schema: {$ref: "#/components/schemas/Part"}}}}}
    get:
      operationId: listParts
      summary: List the parts.
      x-relay: true
      parameters: [{name: limit, in: query, schema: {type: integer, minimum: 1}, description: How many.}]
      responses: {"200": {content: {text/event-stream: {schema: {$ref: "#/components/schemas/Page"}}}}}
    delete: {operationId: deleteParts, summary: Delete the parts., responses: {"204": {description: Gone.}}}
components:
  schemas:
    Part:
      type: object
      required: [data]
      properties: {data: {type: string}, health: {$ref: "shared/common.yaml#/Health"}}
    Page: {type: object, properties: {data: {type: array, items: {$ref: "#/components/schemas/Part"}}}}
    Unused: {type: object}
"""
SHARED = {
    "shared/common.yaml": {
        "Health": {"type": "string", "enum": ["up"], "description": "How."},
        "Other": {"type": "string"},
    }
}


FORM_BODY = {"required": True, "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Picture"}}}}
BINARY = {"type": "string", "format": "binary"}
FILES: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Files", "version": "1", "description": "Keeps pictures."},
    "x-stackgen": {"level": "v1", "errors": "openai"},
    "paths": {
        "/picture": {
            "post": {
                "operationId": "putPicture",
                "summary": "Keep it.",
                "requestBody": FORM_BODY,
                "responses": {"200": {"description": "Kept."}},
            },
            "get": {
                "operationId": "getPicture",
                "summary": "Give it.",
                "responses": {"200": {"content": {"application/octet-stream": {"schema": BINARY}}}},
            },
        }
    },
    "components": {
        "schemas": {
            "Picture": {
                "type": "object",
                "required": ["image"],
                "properties": {"image": {**BINARY, "description": "A picture."}},
            }
        }
    },
}


def small(old: str = "", new: str = "") -> Mapping[str, Any]:
    assert old in SMALL
    document: Mapping[str, Any] = yaml.safe_load(SMALL.replace(old, new) if old else SMALL)
    return document


def rendered(document: Mapping[str, Any]) -> dict[str, str]:
    return {path: text.decode() for path, text in render_contracts({"files": document}, SHARED).items()}


def test_a_request_is_made_of_path_query_and_body() -> None:
    text = rendered(small())["files/requests.py"]
    assert 'class AddPartRequest(Part):\n    """Add a part."""\n\n    file_id: str\n' in text
    assert '    file_id: str\n    limit: Annotated[int | None, Field(ge=1)] = None\n    """How many."""\n' in text
    assert "from ..shared.common import Health\n" in text


def test_a_body_with_the_name_of_the_request_takes_the_parameters_in() -> None:
    document = small()
    renamed = yaml.safe_load(
        SMALL.replace("schemas/Part", "schemas/AddPartRequest").replace("    Part:", "    AddPartRequest:")
    )
    assert document != renamed
    text = rendered(renamed)["files/requests.py"]
    assert (
        "class AddPartRequest(WireModel):\n    data: str\n    health: Health | None = None\n    file_id: str\n" in text
    )


def test_answers_hold_only_what_requests_do_not() -> None:
    text = rendered(small())["files/responses.py"]
    assert "from .requests import Part\n" in text
    assert "class Part(" not in text
    assert "class Page(WireModel):" in text
    assert "Unused" not in text


def test_a_shared_file_becomes_a_module_with_all_its_schemas() -> None:
    text = rendered(small())["shared/common.py"]
    assert 'Health: TypeAlias = Literal["up"]\n"""How."""\n' in text
    assert "Other: TypeAlias = str\n" in text


def test_the_protocol_says_what_is_answered() -> None:
    text = rendered(small())["files/__init__.py"]
    assert 'class Files(Protocol):\n    """Keeps files."""\n' in text
    assert "async def add_part(self, request: AddPartRequest, ctx: Context) -> Part:\n" in text
    assert "async def list_parts(self, request: ListPartsRequest, ctx: Context) -> Events[Page]:\n" in text
    assert "async def delete_parts(self, request: DeletePartsRequest, ctx: Context) -> None:\n" in text
    assert "from ...runtime.reply import Events\n" in text


def test_files_of_a_form_are_uploads_and_bytes_are_downloads() -> None:
    protocol, requests = (rendered(FILES)[f"files/{name}.py"] for name in ("__init__", "requests"))
    assert "from ...runtime.upload import Upload\n" in requests
    assert '    image: Upload\n    """A picture."""\n' in requests
    assert "ConfigDict" not in requests
    assert "    @property\n    def spool(self) -> Spool:\n" in protocol
    assert "async def get_picture(self, request: GetPictureRequest, ctx: Context) -> Download:\n" in protocol
    assert "    from ...runtime.download import Download\n    from ...runtime.upload import Spool\n" in protocol


@pytest.mark.parametrize(
    ("method", "change", "message"),
    [
        ("post", {"x-relay": True}, "putPicture takes a form, so what it answers must be JSON, and without x-relay"),
        ("get", {"x-relay": True}, "getPicture answers bytes, so it must be a GET without body"),
        ("get", {"requestBody": FORM_BODY}, "getPicture takes a form, so what it answers must be JSON"),
    ],
)
def test_bytes_that_no_route_could_carry(method: str, change: dict[str, Any], message: str) -> None:
    paths = {"/picture": {**FILES["paths"]["/picture"]}}
    paths["/picture"][method] = {**paths["/picture"][method], **change}
    with pytest.raises(ContractError, match=message):
        rendered({**FILES, "paths": paths})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{data: {type: string}",
            "{data: {type: object, properties: {x: {type: string}}}",
            "no component is called Data",
        ),
        ("shared/common.yaml#/Health", "shared/common.yaml#/Helth", "no schema 'Helth' in shared/common.yaml"),
        ("shared/common.yaml#/Health", "#/components/schemas/Health", "no schema 'Health' in this document"),
        ("Page", "Files", "Files is both a schema and the name of a Protocol"),
    ],
)
def test_a_document_that_no_contract_can_be_made_of_is_an_error(old: str, new: str, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        rendered(small(old, new))
    assert str(caught.value).startswith("apis/files.yaml: ")

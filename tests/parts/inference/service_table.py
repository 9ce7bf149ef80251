"""What each remote service documents of itself, as data: where it is called, how it takes a key, lists and refuses.

The documents are named under `sources` in the spec of each.
"""

from __future__ import annotations

from typing import Any

from parts.runtime.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unprocessable,
)
from services import Case


def models(*ids: str, **more: object) -> dict[str, Any]:
    """A list in OpenAI's shape."""
    return {
        "object": "list",
        "data": [{"id": i, "object": "model", "created": 1, "owned_by": "x", **more} for i in ids],
    }


def refused(message: str, code: object = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


CASES = [
    Case(
        name="openai",
        api="/v1",
        sent="openai_api_key",
        listing=(
            "/v1/models",
            models("gpt-5", "text-embedding-3-small"),
            {"gpt-5": "llm", "text-embedding-3-small": "embedding"},
        ),
        refusal=(
            401,
            refused("Incorrect API key provided: k1", "invalid_api_key"),
            Unauthenticated,
            "Incorrect",
            "invalid_api_key",
        ),
    ),
    Case(
        name="cerebras",
        api="/v1",
        sent="cerebras_api_key",
        listing=("/v1/models", models("llama3.1-8b"), {"llama3.1-8b": "llm"}),
        refusal=(
            400,
            {
                "message": "logit_bias: property is unsupported",
                "type": "invalid_request_error",
                "param": "logit_bias",
                "code": "wrong",
            },
            BadRequest,
            "logit_bias",
            "wrong",
        ),
    ),
    Case(
        name="sambanova",
        api="/v1",
        sent="sambanova_api_key",
        listing=(
            "/v1/models",
            {"object": "list", "data": [{"id": "E5-Mistral-7B-Embed", "object": "model", "context_length": 4096}]},
            {"E5-Mistral-7B-Embed": "embedding"},
        ),
        refusal=(
            400,
            {**refused("above maximum", "decimal_above_max_value"), "request_id": "q"},
            BadRequest,
            "above",
            "decimal_above_max_value",
        ),
    ),
    Case(
        name="llama-openai-compat",
        api="/compat/v1",
        sent="llama_api_key",
        listing=("/compat/v1/models", models("Llama-4-Maverick"), {"Llama-4-Maverick": "llm"}),
        refusal=(404, refused("no such model", "model_not_found"), NotFound, "no such model", "model_not_found"),
    ),
    Case(
        name="groq",
        api="/openai/v1",
        sent="groq_api_key",
        listing=("/openai/v1/models", models("qwen/qwen3-32b", active=True), {"qwen/qwen3-32b": "llm"}),
        refusal=(
            498,
            {"error": {"message": "Flex tier is full", "code": "capacity_exceeded"}},
            RateLimited,
            "Flex",
            "capacity_exceeded",
        ),
    ),
    Case(
        name="together",
        api="/v1",
        sent="together_api_key",
        listing=(
            "/v1/models",
            [
                {"id": "a/chat", "type": "chat", "organization": "a"},
                {"id": "b/x", "type": "embedding"},
                {"id": "c/y", "type": "rerank"},
            ],
            {"a/chat": "llm", "b/x": "embedding", "c/y": "rerank"},
        ),
        refusal=(429, refused("too many", kind="rate_limit"), RateLimited, "too many", None),
    ),
    Case(
        name="fireworks",
        api="/inference/v1",
        sent="fireworks_api_key",
        listing=(
            "/inference/v1/models",
            models("accounts/fireworks/models/m", supports_chat=True),
            {"accounts/fireworks/models/m": "llm"},
        ),
        refusal=(402, {"error": {"object": "error", "message": "no credit left"}}, Forbidden, "no credit", None),
    ),
    Case(
        name="nvidia",
        api="/v1",
        sent="nvidia_api_key",
        needs_key=False,  # a NIM of one's own; the hosted endpoint has a test of its own
        listing=(
            "/v1/models",
            models("nvidia/nv-embedqa-e5-v5", "meta/l"),
            {"nvidia/nv-embedqa-e5-v5": "embedding", "meta/l": "llm"},
        ),
        refusal=(
            401,
            {"status": 401, "title": "Unauthorized", "detail": "Authentication failed"},
            Unauthenticated,
            "Authentication",
            None,
        ),
    ),
    Case(
        name="gemini",
        api="/v1beta/openai",
        sent="gemini_api_key",
        listing=(
            "/v1beta/openai/models",
            models("models/gemini-flash", "models/gemini-embedding-001"),
            {"gemini-flash": "llm", "gemini-embedding-001": "embedding"},
        ),
        refusal=(
            400,
            [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
            BadRequest,
            "not valid",
            None,
        ),
    ),
    Case(
        name="anthropic",
        api="/v1",
        sent="anthropic_api_key",
        listing=(
            "/v1/models",
            {
                "data": [{"type": "model", "id": "claude-x", "created_at": "2025-02-19T00:00:00Z"}],
                "has_more": False,
                "last_id": "claude-x",
            },
            {"claude-x": "llm"},
        ),
        asks={"x-api-key": "k1", "anthropic-version": "2023-06-01"},
        refusal=(
            404,
            {"type": "error", "error": {"type": "not_found_error", "message": "model: nope"}},
            NotFound,
            "model: nope",
            None,
        ),
    ),
    Case(
        name="azure",
        at="",
        api="/openai/v1",
        sent="azure_api_key",
        key_header=("api-key", "k1"),
        listing=(
            "/openai/v1/models",
            models("gpt-4o-2024", capabilities={"chat_completion": True}),
            {"gpt-4o-2024": "llm"},
        ),
        refusal=(401, {"error": {"code": "401", "message": "Access denied"}}, Unauthenticated, "Access denied", "401"),
    ),
    Case(
        name="bedrock",
        at="/openai/v1",
        api="/openai/v1",
        sent="aws_bearer_token_bedrock",
        listing=("/openai/v1/models", models("openai.gpt-oss-20b"), {"openai.gpt-oss-20b": "llm"}),
        refusal=(403, {"Message": "x", "message": "Authentication failed"}, Forbidden, "Authentication failed", None),
    ),
    Case(
        name="vertexai",
        at="/v1/projects/p/locations/l/endpoints/openapi",
        api="/v1/projects/p/locations/l/endpoints/openapi",
        setting="access_token",
        sent="vertex_access_token",
        given={"project": "p"},
        model="google/m",
        listing=(
            "/v1/projects/p/locations/l/endpoints/openapi/models",
            models("google/gemini-flash"),
            {"google/gemini-flash": "llm"},
        ),
        refusal=(
            400,
            [{"error": {"code": 400, "message": "Invalid model", "status": "INVALID_ARGUMENT"}}],
            BadRequest,
            "Invalid model",
            None,
        ),
    ),
    Case(
        name="ollama",
        api="/v1",
        setting="",
        needs_key=False,
        listing=(
            "/v1/models",
            models("llama3:latest", "all-minilm-embed:l6"),
            {"llama3:latest": "llm", "all-minilm-embed:l6": "embedding"},
        ),
        refusal=(404, refused("model 'nope' not found", kind="api_error"), NotFound, "not found", None),
    ),
    Case(
        name="llama-cpp-server",
        api="/v1",
        needs_key=False,
        listing=("/v1/models", models("qwen3.gguf", meta={"n_params": 1}) | {"models": []}, {"qwen3.gguf": "llm"}),
        refusal=(
            401,
            refused("Invalid API Key", 401, "authentication_error"),
            Unauthenticated,
            "Invalid API Key",
            None,
        ),
    ),
    Case(
        name="tgi",
        at="",
        api="/v1",
        needs_key=False,
        listing=("/v1/models", models("HuggingFaceH4/zephyr"), {"HuggingFaceH4/zephyr": "llm"}),
        refusal=(
            422,
            {"error": "Input validation error: `inputs` must have less tokens", "error_type": "validation"},
            Unprocessable,
            "Input validation",
            None,
        ),
    ),
    Case(
        name="vllm",
        at="/v1",
        api="/v1",
        setting="api_token",
        sent="vllm_api_token",
        needs_key=False,
        listing=("/v1/models", models("BAAI/bge-reranker", max_model_len=512), {"BAAI/bge-reranker": "rerank"}),
        refusal=(404, refused("The model `n` does not exist.", 404, "NotFoundError"), NotFound, "does not exist", None),
    ),
    Case(
        name="databricks",
        at="",
        api="/serving-endpoints",
        setting="api_token",
        sent="databricks_api_token",
        listing=(
            "/api/2.0/serving-endpoints",
            {
                "endpoints": [
                    {"name": "databricks-claude", "task": "llm/v1/chat", "creation_timestamp": 1700000000000},
                    {"name": "databricks-gte", "task": "llm/v1/embeddings"},
                    {"name": "my-forest", "creator": "me"},
                ]
            },
            {"databricks-claude": "llm", "databricks-gte": "embedding"},
        ),
        refusal=(
            404,
            {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "The endpoint does not exist."},
            NotFound,
            "does not exist",
            "RESOURCE_DOES_NOT_EXIST",
        ),
    ),
    Case(
        name="runpod",
        at="/v2/ep1/openai/v1",
        api="/v2/ep1/openai/v1",
        setting="api_token",
        sent="runpod_api_token",
        listing=("/v2/ep1/openai/v1/models", models("mistralai/m"), {"mistralai/m": "llm"}),
        refusal=(401, b"Unauthorized", Unauthenticated, "", None),
    ),
    Case(
        name="passthrough",
        at="",
        api="/v1",
        sent="passthrough_api_key",
        needs_key=False,
        listing=("/v1/models", models("far/model"), {"far/model": "llm"}),
        refusal=(400, refused("no", "bad"), BadRequest, "no", "bad"),
    ),
]

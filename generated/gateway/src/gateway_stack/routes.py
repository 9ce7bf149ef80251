"""The routes of `gateway`, as GET /v1/inspect/routes tells of them; app.py binds them.

Made by stackgen from specs/distributions/gateway.yaml; a change belongs there.
"""

from __future__ import annotations

from .runtime.wiring import RouteFact

CREATE_CHAT_COMPLETION = (
    "remote::openai",
    "remote::vllm",
    "remote::ollama",
    "remote::nvidia",
    "remote::groq",
    "remote::together",
    "remote::fireworks",
    "remote::cerebras",
    "remote::sambanova",
    "remote::databricks",
    "remote::runpod",
    "remote::gemini",
    "remote::anthropic",
    "remote::azure",
    "remote::llama-openai-compat",
    "remote::llama-cpp-server",
    "remote::tgi",
    "remote::passthrough",
)
CREATE_COMPLETION = (
    "remote::openai",
    "remote::vllm",
    "remote::ollama",
    "remote::nvidia",
    "remote::together",
    "remote::fireworks",
    "remote::cerebras",
    "remote::sambanova",
    "remote::databricks",
    "remote::runpod",
    "remote::azure",
    "remote::llama-cpp-server",
    "remote::tgi",
    "remote::passthrough",
)
CREATE_EMBEDDING = (
    "remote::openai",
    "remote::vllm",
    "remote::ollama",
    "remote::nvidia",
    "remote::together",
    "remote::fireworks",
    "remote::sambanova",
    "remote::databricks",
    "remote::runpod",
    "remote::gemini",
    "remote::azure",
    "remote::llama-cpp-server",
    "remote::passthrough",
)
RERANK = ("remote::vllm", "remote::nvidia", "remote::together", "remote::fireworks", "remote::llama-cpp-server")
ROUTES = (
    RouteFact("/v1/chat/completions", "POST", CREATE_CHAT_COMPLETION, level="v1", deprecated=False),
    RouteFact("/v1/completions", "POST", CREATE_COMPLETION, level="v1", deprecated=False),
    RouteFact("/v1/embeddings", "POST", CREATE_EMBEDDING, level="v1", deprecated=False),
    RouteFact("/v1alpha/inference/rerank", "POST", RERANK, level="v1alpha", deprecated=False),
    RouteFact("/v1/openai/v1/chat/completions", "POST", CREATE_CHAT_COMPLETION, level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/completions", "POST", CREATE_COMPLETION, level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/embeddings", "POST", CREATE_EMBEDDING, level="v1", deprecated=True),
    RouteFact("/v1/models", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/models/{model}", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/openai/v1/models", "GET", ("inline::builtin",), level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/models/{model}", "GET", ("inline::builtin",), level="v1", deprecated=True),
    RouteFact("/v1/health", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/version", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/inspect/routes", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1alpha/admin/health", "GET", ("inline::builtin",), level="v1alpha", deprecated=False),
    RouteFact("/v1alpha/admin/version", "GET", ("inline::builtin",), level="v1alpha", deprecated=False),
    RouteFact("/v1alpha/admin/inspect/routes", "GET", ("inline::builtin",), level="v1alpha", deprecated=False),
    RouteFact("/v1/providers", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/providers/{provider_id}", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1alpha/admin/providers", "GET", ("inline::builtin",), level="v1alpha", deprecated=False),
    RouteFact("/v1alpha/admin/providers/{provider_id}", "GET", ("inline::builtin",), level="v1alpha", deprecated=False),
)

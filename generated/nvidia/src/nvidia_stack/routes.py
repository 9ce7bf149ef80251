"""The routes of `nvidia`, as GET /v1/inspect/routes tells of them; app.py binds them.

Made by stackgen from specs/distributions/nvidia.yaml; a change belongs there.
"""

from __future__ import annotations

from .runtime.wiring import RouteFact

ROUTES = (
    RouteFact("/v1/chat/completions", "POST", ("remote::nvidia",), level="v1", deprecated=False),
    RouteFact("/v1/completions", "POST", ("remote::nvidia",), level="v1", deprecated=False),
    RouteFact("/v1/embeddings", "POST", ("remote::nvidia",), level="v1", deprecated=False),
    RouteFact("/v1alpha/inference/rerank", "POST", ("remote::nvidia",), level="v1alpha", deprecated=False),
    RouteFact("/v1/openai/v1/chat/completions", "POST", ("remote::nvidia",), level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/completions", "POST", ("remote::nvidia",), level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/embeddings", "POST", ("remote::nvidia",), level="v1", deprecated=True),
    RouteFact("/v1/models", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/models/{model}", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/openai/v1/models", "GET", ("inline::builtin",), level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/models/{model}", "GET", ("inline::builtin",), level="v1", deprecated=True),
    RouteFact("/v1/safety/run-shield", "POST", ("remote::nvidia",), level="v1", deprecated=False),
    RouteFact("/v1/moderations", "POST", ("remote::nvidia",), level="v1", deprecated=False),
    RouteFact("/v1/openai/v1/safety/run-shield", "POST", ("remote::nvidia",), level="v1", deprecated=True),
    RouteFact("/v1/openai/v1/moderations", "POST", ("remote::nvidia",), level="v1", deprecated=True),
    RouteFact("/v1/shields", "GET", ("inline::builtin",), level="v1", deprecated=False),
    RouteFact("/v1/shields/{identifier}", "GET", ("inline::builtin",), level="v1", deprecated=False),
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

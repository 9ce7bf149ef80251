"""The routes of `gateway`, each bound to the method that answers it.

Made by stackgen from specs/distributions/gateway.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
    RerankRequest,
)
from .contracts.inspect.requests import HealthRequest, ListRoutesRequest, VersionRequest
from .contracts.models.requests import ListModelsRequest, RetrieveModelRequest
from .contracts.providers.requests import InspectProviderRequest, ListProvidersRequest
from .runtime.http import App, Http
from .runtime.provider_data import Format
from .wiring import Stack

OPENAPI = Path(__file__).with_name("openapi.json")

PROVIDER_DATA: Mapping[str, Format] = {
    "anthropic_api_key": "password",
    "azure_api_base": "uri",
    "azure_api_key": "password",
    "azure_api_type": "string",
    "azure_api_version": "string",
    "cerebras_api_key": "password",
    "databricks_api_token": "password",
    "fireworks_api_key": "password",
    "gemini_api_key": "password",
    "groq_api_key": "password",
    "llama_api_key": "password",
    "nvidia_api_key": "password",
    "openai_api_key": "password",
    "passthrough_api_key": "password",
    "passthrough_url": "uri",
    "runpod_api_token": "password",
    "sambanova_api_key": "password",
    "together_api_key": "password",
    "vllm_api_token": "password",
}
"""What clients may send in the provider-data header, and what it must look like."""


def create_app(stack: Stack, http: Http) -> App:
    """The application over an open stack."""
    return http.app(
        [
            # inference, v1
            http.relay(
                "/v1/chat/completions",
                CreateChatCompletionRequest,
                stack.inference.create_chat_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/completions", CreateCompletionRequest, stack.inference.create_completion, provider_data=True
            ),
            http.relay("/v1/embeddings", CreateEmbeddingRequest, stack.inference.create_embedding, provider_data=True),
            # inference, v1alpha
            http.relay("/v1alpha/inference/rerank", RerankRequest, stack.inference.rerank, provider_data=True),
            # inference, v1, deprecated
            http.relay(
                "/v1/openai/v1/chat/completions",
                CreateChatCompletionRequest,
                stack.inference.create_chat_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/openai/v1/completions",
                CreateCompletionRequest,
                stack.inference.create_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/openai/v1/embeddings", CreateEmbeddingRequest, stack.inference.create_embedding, provider_data=True
            ),
            # models, v1
            http.get("/v1/models", ListModelsRequest, stack.models.list_models),
            http.get("/v1/models/{model:path}", RetrieveModelRequest, stack.models.retrieve_model),
            # models, v1, deprecated
            http.get("/v1/openai/v1/models", ListModelsRequest, stack.models.list_models),
            http.get("/v1/openai/v1/models/{model:path}", RetrieveModelRequest, stack.models.retrieve_model),
            # inspect, v1
            http.get("/v1/health", HealthRequest, stack.inspect.health, public=True),
            http.get("/v1/version", VersionRequest, stack.inspect.version, public=True),
            http.get("/v1/inspect/routes", ListRoutesRequest, stack.inspect.list_routes),
            # inspect, v1alpha
            http.get("/v1alpha/admin/health", HealthRequest, stack.inspect.health, public=True),
            http.get("/v1alpha/admin/version", VersionRequest, stack.inspect.version, public=True),
            http.get("/v1alpha/admin/inspect/routes", ListRoutesRequest, stack.inspect.list_routes),
            # providers, v1
            http.get("/v1/providers", ListProvidersRequest, stack.providers.list_providers),
            http.get("/v1/providers/{provider_id}", InspectProviderRequest, stack.providers.inspect_provider),
            # providers, v1alpha
            http.get("/v1alpha/admin/providers", ListProvidersRequest, stack.providers.list_providers),
            http.get(
                "/v1alpha/admin/providers/{provider_id}", InspectProviderRequest, stack.providers.inspect_provider
            ),
            # about the server
            http.document("/openapi.json", OPENAPI),
            http.metrics("/metrics"),
        ]
    )

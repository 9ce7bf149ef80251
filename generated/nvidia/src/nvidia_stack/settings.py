"""What can be set: the environment first, then the file of `--config`, then the defaults written here.

Made by stackgen from specs/distributions/nvidia.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .providers.eval.nvidia import NvidiaEvalConfig
from .providers.inference.nvidia import NvidiaConfig
from .providers.models.builtin import ModelsConfig
from .providers.post_training.nvidia import NvidiaTrainingConfig
from .providers.providers.builtin import ProvidersConfig
from .providers.safety.nvidia import NvidiaSafetyConfig
from .providers.shields.builtin import ShieldsConfig
from .providers.shields.entries import ShieldResource
from .runtime.serve import ServerConfig
from .runtime.settings import Reader
from .runtime.upstream_config import NetworkConfig, ProxyConfig, TimeoutConfig, TlsConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of every component of wiring.py, under its name there."""

    server: ServerConfig
    inference_nvidia: NvidiaConfig
    safety_nvidia: NvidiaSafetyConfig
    models: ModelsConfig
    eval_nvidia: NvidiaEvalConfig
    post_training: NvidiaTrainingConfig
    shields: ShieldsConfig
    providers: ProvidersConfig
    shields_resources: tuple[ShieldResource, ...]


def read_settings(environ: Mapping[str, str], values: Mapping[str, object]) -> Settings:
    """environ: the environment; values: the file of `--config`, parsed. Raises SettingsError with every problem."""
    read = Reader(environ, values)
    settings = Settings(
        server=read_server(read),
        inference_nvidia=read_inference_nvidia(read),
        safety_nvidia=read_safety_nvidia(read),
        models=read_models(read),
        eval_nvidia=read_eval_nvidia(read),
        post_training=read_post_training(read),
        shields=read_shields(read),
        providers=read_providers(read),
        shields_resources=read_shields_resources(read),
    )
    read.finish()
    return settings


def read_server(read: Reader) -> ServerConfig:
    return ServerConfig(
        host=read.string("server.host", default="127.0.0.1"),
        port=read.integer("server.port", default=8321, minimum=0, maximum=65535),
        workers=read.integer("server.workers", default=1, minimum=1, maximum=1024),
        tls_certfile=read.optional_path("server.tls_certfile"),
        tls_keyfile=read.optional_path("server.tls_keyfile"),
        max_body_bytes=read.integer("server.max_body_bytes", default=104857600, minimum=1),
        shutdown_seconds=read.number("server.shutdown_seconds", default=30.0, minimum=0),
        log_requests=read.boolean("server.log_requests", default=False),
        log_level=read.choice("server.log_level", default="info", choices=("debug", "info", "warning", "error")),
    )


def read_inference_nvidia(read: Reader) -> NvidiaConfig:
    # nvidia.yaml:7  inference/nvidia
    return NvidiaConfig(
        base_url=read.url(
            "providers.inference.nvidia.base_url", env="NVIDIA_BASE_URL", default="https://integrate.api.nvidia.com/v1"
        ),
        api_key=read.optional_secret("providers.inference.nvidia.api_key", env="NVIDIA_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.nvidia.allowed_models"),
        refresh_models=read.boolean("providers.inference.nvidia.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.nvidia.network"),
        timeout=read.optional_number("providers.inference.nvidia.timeout", minimum=0.001),
        rerank_model_to_url=read.string_map(
            "providers.inference.nvidia.rerank_model_to_url",
            default={
                "nv-rerank-qa-mistral-4b:1": "https://ai.api.nvidia.com/v1/retrieval/nvidia/reranking",
                "nvidia/nv-rerankqa-mistral-4b-v3": "https://ai.api.nvidia.com/v1/retrieval/nvidia/nv-rerankqa-mistral-4b-v3/reranking",
                "nvidia/llama-3.2-nv-rerankqa-1b-v2": "https://ai.api.nvidia.com/v1/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking",
            },
        ),
    )


def read_safety_nvidia(read: Reader) -> NvidiaSafetyConfig:
    # nvidia.yaml:13  safety/nvidia
    return NvidiaSafetyConfig(
        base_url=read.url(
            "providers.safety.nvidia.base_url", env="GUARDRAILS_SERVICE_URL", default="http://localhost:7331"
        ),
        config_id=read.string(
            "providers.safety.nvidia.config_id", env="NVIDIA_GUARDRAILS_CONFIG_ID", default="self-check"
        ),
        network=read_network_config(read, "providers.safety.nvidia.network"),
    )


def read_models(read: Reader) -> ModelsConfig:
    # nvidia.yaml:4  models/builtin
    return ModelsConfig(
        refresh_interval_seconds=read.number(
            "providers.models.builtin.refresh_interval_seconds", default=300.0, minimum=1
        ),
    )


def read_eval_nvidia(read: Reader) -> NvidiaEvalConfig:
    # nvidia.yaml:19  eval/nvidia
    return NvidiaEvalConfig(
        base_url=read.url(
            "providers.eval.nvidia.base_url", env="NVIDIA_EVALUATOR_URL", default="http://localhost:7331"
        ),
        namespace=read.string("providers.eval.nvidia.namespace", default="nvidia"),
        network=read_network_config(read, "providers.eval.nvidia.network"),
    )


def read_post_training(read: Reader) -> NvidiaTrainingConfig:
    # nvidia.yaml:24  post_training/nvidia
    return NvidiaTrainingConfig(
        base_url=read.url(
            "providers.post_training.nvidia.base_url", env="NVIDIA_CUSTOMIZER_URL", default="http://localhost:7331"
        ),
        api_key=read.optional_secret("providers.post_training.nvidia.api_key", env="NVIDIA_API_KEY"),
        dataset_namespace=read.string(
            "providers.post_training.nvidia.dataset_namespace", env="NVIDIA_DATASET_NAMESPACE", default="default"
        ),
        project_id=read.optional_string("providers.post_training.nvidia.project_id", env="NVIDIA_PROJECT_ID"),
        output_model_dir=read.string(
            "providers.post_training.nvidia.output_model_dir",
            env="NVIDIA_OUTPUT_MODEL_DIR",
            default="test-example-model@v1",
        ),
        network=read_network_config(read, "providers.post_training.nvidia.network"),
    )


def read_shields(read: Reader) -> ShieldsConfig:
    # nvidia.yaml:4  shields/builtin
    return ShieldsConfig(default_shield_id=read.optional_string("providers.shields.builtin.default_shield_id"))


def read_providers(read: Reader) -> ProvidersConfig:
    # nvidia.yaml:4  providers/builtin
    return ProvidersConfig(
        health_interval_seconds=read.number(
            "providers.providers.builtin.health_interval_seconds", default=30.0, minimum=1
        ),
    )


def read_shields_resources(read: Reader) -> tuple[ShieldResource, ...]:
    return (
        ShieldResource(
            shield_id=read.optional_string("resources.shields.0.shield_id", env="SAFETY_MODEL"),
            provider_id=read.optional_string("resources.shields.0.provider_id", default="nvidia"),
            provider_shield_id=read.optional_string("resources.shields.0.provider_shield_id"),
            params=read.string_map("resources.shields.0.params", default={}),
        ),
    )


def read_network_config(read: Reader, at: str) -> NetworkConfig:
    return NetworkConfig(
        tls=read_tls_config(read, f"{at}.tls"),
        proxy=read_proxy_config(read, f"{at}.proxy"),
        timeout=read_timeout_config(read, f"{at}.timeout"),
        headers=read.string_map(f"{at}.headers", default={}),
        retries=read.integer(f"{at}.retries", default=2, minimum=0, maximum=10),
        backoff=read.number(f"{at}.backoff", default=0.5, minimum=0, maximum=60),
        max_connections=read.integer(f"{at}.max_connections", default=1000, minimum=1),
        keepalive=read.number(f"{at}.keepalive", default=30.0, minimum=0),
    )


def read_tls_config(read: Reader, at: str) -> TlsConfig:
    return TlsConfig(
        verify=read.boolean(f"{at}.verify", default=True),
        ca_file=read.optional_path(f"{at}.ca_file"),
        min_version=read.optional_choice(f"{at}.min_version", choices=("TLSv1.2", "TLSv1.3")),
        ciphers=read.strings(f"{at}.ciphers", default=()),
        client_cert=read.optional_path(f"{at}.client_cert"),
        client_key=read.optional_path(f"{at}.client_key"),
    )


def read_proxy_config(read: Reader, at: str) -> ProxyConfig:
    return ProxyConfig(
        url=read.optional_secret(f"{at}.url"),
        http=read.optional_secret(f"{at}.http"),
        https=read.optional_secret(f"{at}.https"),
        cacert=read.optional_path(f"{at}.cacert"),
        no_proxy=read.strings(f"{at}.no_proxy", default=()),
    )


def read_timeout_config(read: Reader, at: str) -> TimeoutConfig:
    return TimeoutConfig(
        connect=read.number(f"{at}.connect", default=10.0, minimum=0.001),
        read=read.number(f"{at}.read", default=600.0, minimum=0.001),
        total=read.optional_number(f"{at}.total", minimum=0.001),
    )

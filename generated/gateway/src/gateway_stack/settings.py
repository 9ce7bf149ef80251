"""What can be set: the environment first, then the file of `--config`, then the defaults written here.

Made by stackgen from specs/distributions/gateway.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .providers.inference.azure import AzureConfig
from .providers.inference.gemini import GeminiConfig
from .providers.inference.nvidia import NvidiaConfig
from .providers.inference.ollama import OllamaConfig
from .providers.inference.openai_compatible import RemoteConfig
from .providers.inference.passthrough import PassthroughConfig
from .providers.inference.tokens import TokenConfig
from .providers.inference.vllm import VllmConfig
from .providers.models.builtin import ModelsConfig
from .providers.providers.builtin import ProvidersConfig
from .runtime.serve import ServerConfig
from .runtime.settings import Reader
from .runtime.upstream_config import NetworkConfig, ProxyConfig, TimeoutConfig, TlsConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of every component of wiring.py, under its name there."""

    server: ServerConfig
    openai: RemoteConfig | None  # None without OPENAI_API_KEY
    vllm: VllmConfig | None  # None without VLLM_URL
    ollama: OllamaConfig | None  # None without OLLAMA_URL
    nvidia: NvidiaConfig | None  # None without NVIDIA_API_KEY
    groq: RemoteConfig | None  # None without GROQ_API_KEY
    together: RemoteConfig | None  # None without TOGETHER_API_KEY
    fireworks: RemoteConfig | None  # None without FIREWORKS_API_KEY
    cerebras: RemoteConfig | None  # None without CEREBRAS_API_KEY
    sambanova: RemoteConfig | None  # None without SAMBANOVA_API_KEY
    databricks: TokenConfig | None  # None without DATABRICKS_HOST
    runpod: TokenConfig | None  # None without RUNPOD_URL
    gemini: GeminiConfig | None  # None without GEMINI_API_KEY
    anthropic: RemoteConfig | None  # None without ANTHROPIC_API_KEY
    azure: AzureConfig | None  # None without AZURE_API_KEY
    llama_openai_compat: RemoteConfig | None  # None without LLAMA_API_KEY
    llama_cpp_server: RemoteConfig | None  # None without LLAMA_CPP_SERVER_URL
    tgi: RemoteConfig | None  # None without TGI_URL
    passthrough: PassthroughConfig | None  # None without PASSTHROUGH_URL
    models: ModelsConfig
    providers: ProvidersConfig


def read_settings(environ: Mapping[str, str], values: Mapping[str, object]) -> Settings:
    """environ: the environment; values: the file of `--config`, parsed. Raises SettingsError with every problem."""
    read = Reader(environ, values)
    settings = Settings(
        server=read_server(read),
        openai=read_openai(read),
        vllm=read_vllm(read),
        ollama=read_ollama(read),
        nvidia=read_nvidia(read),
        groq=read_groq(read),
        together=read_together(read),
        fireworks=read_fireworks(read),
        cerebras=read_cerebras(read),
        sambanova=read_sambanova(read),
        databricks=read_databricks(read),
        runpod=read_runpod(read),
        gemini=read_gemini(read),
        anthropic=read_anthropic(read),
        azure=read_azure(read),
        llama_openai_compat=read_llama_openai_compat(read),
        llama_cpp_server=read_llama_cpp_server(read),
        tgi=read_tgi(read),
        passthrough=read_passthrough(read),
        models=read_models(read),
        providers=read_providers(read),
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


def read_openai(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:7  inference/openai, when OPENAI_API_KEY is set
    if not read.enabled("OPENAI_API_KEY", at="providers.inference.openai"):
        return None
    return RemoteConfig(
        base_url=read.url(
            "providers.inference.openai.base_url", env="OPENAI_BASE_URL", default="https://api.openai.com/v1"
        ),
        api_key=read.optional_secret("providers.inference.openai.api_key", env="OPENAI_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.openai.allowed_models"),
        refresh_models=read.boolean("providers.inference.openai.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.openai.network"),
    )


def read_vllm(read: Reader) -> VllmConfig | None:
    # gateway.yaml:12  inference/vllm, when VLLM_URL is set
    if not read.enabled("VLLM_URL", at="providers.inference.vllm"):
        return None
    return VllmConfig(
        base_url=read.url("providers.inference.vllm.base_url", env="VLLM_URL"),
        api_token=read.optional_secret("providers.inference.vllm.api_token", env="VLLM_API_TOKEN"),
        allowed_models=read.optional_strings("providers.inference.vllm.allowed_models"),
        refresh_models=read.boolean("providers.inference.vllm.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.vllm.network"),
        max_tokens=read.integer("providers.inference.vllm.max_tokens", env="VLLM_MAX_TOKENS", default=4096, minimum=0),
        tls_verify=read.optional_boolean("providers.inference.vllm.tls_verify", env="VLLM_TLS_VERIFY"),
    )


def read_ollama(read: Reader) -> OllamaConfig | None:
    # gateway.yaml:19  inference/ollama, when OLLAMA_URL is set
    if not read.enabled("OLLAMA_URL", at="providers.inference.ollama"):
        return None
    return OllamaConfig(
        base_url=read.url("providers.inference.ollama.base_url", env="OLLAMA_URL"),
        allowed_models=read.optional_strings("providers.inference.ollama.allowed_models"),
        refresh_models=read.boolean("providers.inference.ollama.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.ollama.network"),
    )


def read_nvidia(read: Reader) -> NvidiaConfig | None:
    # gateway.yaml:23  inference/nvidia, when NVIDIA_API_KEY is set
    if not read.enabled("NVIDIA_API_KEY", at="providers.inference.nvidia"):
        return None
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


def read_groq(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:28  inference/groq, when GROQ_API_KEY is set
    if not read.enabled("GROQ_API_KEY", at="providers.inference.groq"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.groq.base_url", default="https://api.groq.com/openai/v1"),
        api_key=read.optional_secret("providers.inference.groq.api_key", env="GROQ_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.groq.allowed_models"),
        refresh_models=read.boolean("providers.inference.groq.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.groq.network"),
    )


def read_together(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:32  inference/together, when TOGETHER_API_KEY is set
    if not read.enabled("TOGETHER_API_KEY", at="providers.inference.together"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.together.base_url", default="https://api.together.xyz/v1"),
        api_key=read.optional_secret("providers.inference.together.api_key", env="TOGETHER_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.together.allowed_models"),
        refresh_models=read.boolean("providers.inference.together.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.together.network"),
    )


def read_fireworks(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:36  inference/fireworks, when FIREWORKS_API_KEY is set
    if not read.enabled("FIREWORKS_API_KEY", at="providers.inference.fireworks"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.fireworks.base_url", default="https://api.fireworks.ai/inference/v1"),
        api_key=read.optional_secret("providers.inference.fireworks.api_key", env="FIREWORKS_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.fireworks.allowed_models"),
        refresh_models=read.boolean("providers.inference.fireworks.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.fireworks.network"),
    )


def read_cerebras(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:40  inference/cerebras, when CEREBRAS_API_KEY is set
    if not read.enabled("CEREBRAS_API_KEY", at="providers.inference.cerebras"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.cerebras.base_url", default="https://api.cerebras.ai/v1"),
        api_key=read.optional_secret("providers.inference.cerebras.api_key", env="CEREBRAS_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.cerebras.allowed_models"),
        refresh_models=read.boolean("providers.inference.cerebras.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.cerebras.network"),
    )


def read_sambanova(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:44  inference/sambanova, when SAMBANOVA_API_KEY is set
    if not read.enabled("SAMBANOVA_API_KEY", at="providers.inference.sambanova"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.sambanova.base_url", default="https://api.sambanova.ai/v1"),
        api_key=read.optional_secret("providers.inference.sambanova.api_key", env="SAMBANOVA_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.sambanova.allowed_models"),
        refresh_models=read.boolean("providers.inference.sambanova.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.sambanova.network"),
    )


def read_databricks(read: Reader) -> TokenConfig | None:
    # gateway.yaml:48  inference/databricks, when DATABRICKS_HOST is set
    if not read.enabled("DATABRICKS_HOST", at="providers.inference.databricks"):
        return None
    return TokenConfig(
        base_url=read.url("providers.inference.databricks.base_url", env="DATABRICKS_HOST"),
        api_token=read.optional_secret("providers.inference.databricks.api_token", env="DATABRICKS_TOKEN"),
        allowed_models=read.optional_strings("providers.inference.databricks.allowed_models"),
        refresh_models=read.boolean("providers.inference.databricks.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.databricks.network"),
    )


def read_runpod(read: Reader) -> TokenConfig | None:
    # gateway.yaml:53  inference/runpod, when RUNPOD_URL is set
    if not read.enabled("RUNPOD_URL", at="providers.inference.runpod"):
        return None
    return TokenConfig(
        base_url=read.url("providers.inference.runpod.base_url", env="RUNPOD_URL"),
        api_token=read.optional_secret("providers.inference.runpod.api_token", env="RUNPOD_API_TOKEN"),
        allowed_models=read.optional_strings("providers.inference.runpod.allowed_models"),
        refresh_models=read.boolean("providers.inference.runpod.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.runpod.network"),
    )


def read_gemini(read: Reader) -> GeminiConfig | None:
    # gateway.yaml:58  inference/gemini, when GEMINI_API_KEY is set
    if not read.enabled("GEMINI_API_KEY", at="providers.inference.gemini"):
        return None
    return GeminiConfig(
        base_url=read.url(
            "providers.inference.gemini.base_url", default="https://generativelanguage.googleapis.com/v1beta/openai"
        ),
        api_key=read.optional_secret("providers.inference.gemini.api_key", env="GEMINI_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.gemini.allowed_models"),
        refresh_models=read.boolean("providers.inference.gemini.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.gemini.network"),
        access_token=read.optional_secret("providers.inference.gemini.access_token"),
        project=read.optional_string("providers.inference.gemini.project"),
    )


def read_anthropic(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:62  inference/anthropic, when ANTHROPIC_API_KEY is set
    if not read.enabled("ANTHROPIC_API_KEY", at="providers.inference.anthropic"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.anthropic.base_url", default="https://api.anthropic.com/v1"),
        api_key=read.optional_secret("providers.inference.anthropic.api_key", env="ANTHROPIC_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.anthropic.allowed_models"),
        refresh_models=read.boolean("providers.inference.anthropic.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.anthropic.network"),
    )


def read_azure(read: Reader) -> AzureConfig | None:
    # gateway.yaml:66  inference/azure, when AZURE_API_KEY is set
    if not read.enabled("AZURE_API_KEY", at="providers.inference.azure"):
        return None
    return AzureConfig(
        base_url=read.optional_url("providers.inference.azure.base_url", env="AZURE_API_BASE"),
        api_key=read.optional_secret("providers.inference.azure.api_key", env="AZURE_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.azure.allowed_models"),
        refresh_models=read.boolean("providers.inference.azure.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.azure.network"),
        allow_url_from_header=read.boolean("providers.inference.azure.allow_url_from_header", default=False),
        api_version=read.optional_string("providers.inference.azure.api_version", env="AZURE_API_VERSION"),
        api_type=read.optional_choice(
            "providers.inference.azure.api_type",
            env="AZURE_API_TYPE",
            default="azure",
            choices=("azure", "azure_ad"),
        ),
    )


def read_llama_openai_compat(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:73  inference/llama-openai-compat, when LLAMA_API_KEY is set
    if not read.enabled("LLAMA_API_KEY", at="providers.inference.llama-openai-compat"):
        return None
    return RemoteConfig(
        base_url=read.url(
            "providers.inference.llama-openai-compat.base_url", default="https://api.llama.com/compat/v1/"
        ),
        api_key=read.optional_secret("providers.inference.llama-openai-compat.api_key", env="LLAMA_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.llama-openai-compat.allowed_models"),
        refresh_models=read.boolean("providers.inference.llama-openai-compat.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.llama-openai-compat.network"),
    )


def read_llama_cpp_server(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:77  inference/llama-cpp-server, when LLAMA_CPP_SERVER_URL is set
    if not read.enabled("LLAMA_CPP_SERVER_URL", at="providers.inference.llama-cpp-server"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.llama-cpp-server.base_url", env="LLAMA_CPP_SERVER_URL"),
        api_key=read.optional_secret("providers.inference.llama-cpp-server.api_key", env="LLAMA_CPP_SERVER_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.llama-cpp-server.allowed_models"),
        refresh_models=read.boolean("providers.inference.llama-cpp-server.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.llama-cpp-server.network"),
    )


def read_tgi(read: Reader) -> RemoteConfig | None:
    # gateway.yaml:82  inference/tgi, when TGI_URL is set
    if not read.enabled("TGI_URL", at="providers.inference.tgi"):
        return None
    return RemoteConfig(
        base_url=read.url("providers.inference.tgi.base_url", env="TGI_URL"),
        api_key=read.optional_secret("providers.inference.tgi.api_key", env="TGI_API_TOKEN"),
        allowed_models=read.optional_strings("providers.inference.tgi.allowed_models"),
        refresh_models=read.boolean("providers.inference.tgi.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.tgi.network"),
    )


def read_passthrough(read: Reader) -> PassthroughConfig | None:
    # gateway.yaml:87  inference/passthrough, when PASSTHROUGH_URL is set
    if not read.enabled("PASSTHROUGH_URL", at="providers.inference.passthrough"):
        return None
    return PassthroughConfig(
        base_url=read.url("providers.inference.passthrough.base_url", env="PASSTHROUGH_URL"),
        api_key=read.optional_secret("providers.inference.passthrough.api_key", env="PASSTHROUGH_API_KEY"),
        allowed_models=read.optional_strings("providers.inference.passthrough.allowed_models"),
        refresh_models=read.boolean("providers.inference.passthrough.refresh_models", default=False),
        network=read_network_config(read, "providers.inference.passthrough.network"),
        allow_url_from_header=read.boolean("providers.inference.passthrough.allow_url_from_header", default=False),
        forward_headers=read.string_map("providers.inference.passthrough.forward_headers", default={}),
        extra_blocked_headers=read.strings("providers.inference.passthrough.extra_blocked_headers", default=()),
    )


def read_models(read: Reader) -> ModelsConfig:
    # gateway.yaml:4  models/builtin
    return ModelsConfig(
        refresh_interval_seconds=read.number(
            "providers.models.builtin.refresh_interval_seconds", default=300.0, minimum=1
        ),
    )


def read_providers(read: Reader) -> ProvidersConfig:
    # gateway.yaml:4  providers/builtin
    return ProvidersConfig(
        health_interval_seconds=read.number(
            "providers.providers.builtin.health_interval_seconds", default=30.0, minimum=1
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

"""Builds the components of `gateway`, each after those it needs; closes them in the opposite order.

Made by stackgen from specs/distributions/gateway.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from .contracts.inference import Inference
from .contracts.inspect import Inspect
from .contracts.models import Listing as ModelsListing
from .contracts.providers import Providers
from .providers.inference.anthropic import open_anthropic
from .providers.inference.azure import open_azure
from .providers.inference.databricks import open_databricks
from .providers.inference.gemini import open_gemini
from .providers.inference.groq import open_groq
from .providers.inference.llama_cpp_server import open_llama_cpp_server
from .providers.inference.nvidia import open_nvidia
from .providers.inference.ollama import open_ollama
from .providers.inference.openai_compatible import open_openai_compatible
from .providers.inference.passthrough import open_passthrough
from .providers.inference.reranking import open_reranking
from .providers.inference.runpod import open_runpod
from .providers.inference.tgi import open_tgi
from .providers.inference.vllm import open_vllm
from .providers.inspect.builtin import open_inspect
from .providers.models.builtin import open_models
from .providers.providers.builtin import open_providers
from .routers.inference import InferenceRouter
from .routes import ROUTES
from .runtime.wiring import enabled, listed
from .settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What answers each API. The type checker proves that it does where `open_stack` makes one."""

    inference: Inference
    models: ModelsListing
    inspect: Inspect
    providers: Providers


@asynccontextmanager
async def open_stack(settings: Settings) -> AsyncIterator[Stack]:
    """Everything the server needs, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        # gateway.yaml:7  inference/openai, when OPENAI_API_KEY is set
        openai = None
        if settings.openai is not None:
            openai = await stack.enter_async_context(
                open_openai_compatible(settings.openai, credential="openai_api_key", instance="openai")
            )

        # gateway.yaml:12  inference/vllm, when VLLM_URL is set
        vllm = None
        if settings.vllm is not None:
            vllm = await stack.enter_async_context(
                open_vllm(settings.vllm, credential="vllm_api_token", instance="vllm")
            )

        # gateway.yaml:19  inference/ollama, when OLLAMA_URL is set
        ollama = None
        if settings.ollama is not None:
            ollama = await stack.enter_async_context(open_ollama(settings.ollama, instance="ollama"))

        # gateway.yaml:23  inference/nvidia, when NVIDIA_API_KEY is set
        nvidia = None
        if settings.nvidia is not None:
            nvidia = await stack.enter_async_context(
                open_nvidia(settings.nvidia, credential="nvidia_api_key", instance="nvidia")
            )

        # gateway.yaml:28  inference/groq, when GROQ_API_KEY is set
        groq = None
        if settings.groq is not None:
            groq = await stack.enter_async_context(open_groq(settings.groq, credential="groq_api_key", instance="groq"))

        # gateway.yaml:32  inference/together, when TOGETHER_API_KEY is set
        together = None
        if settings.together is not None:
            together = await stack.enter_async_context(
                open_reranking(settings.together, credential="together_api_key", results="results", instance="together")
            )

        # gateway.yaml:36  inference/fireworks, when FIREWORKS_API_KEY is set
        fireworks = None
        if settings.fireworks is not None:
            fireworks = await stack.enter_async_context(
                open_reranking(settings.fireworks, credential="fireworks_api_key", results="data", instance="fireworks")
            )

        # gateway.yaml:40  inference/cerebras, when CEREBRAS_API_KEY is set
        cerebras = None
        if settings.cerebras is not None:
            cerebras = await stack.enter_async_context(
                open_openai_compatible(settings.cerebras, credential="cerebras_api_key", instance="cerebras")
            )

        # gateway.yaml:44  inference/sambanova, when SAMBANOVA_API_KEY is set
        sambanova = None
        if settings.sambanova is not None:
            sambanova = await stack.enter_async_context(
                open_openai_compatible(settings.sambanova, credential="sambanova_api_key", instance="sambanova")
            )

        # gateway.yaml:48  inference/databricks, when DATABRICKS_HOST is set
        databricks = None
        if settings.databricks is not None:
            databricks = await stack.enter_async_context(
                open_databricks(settings.databricks, credential="databricks_api_token", instance="databricks")
            )

        # gateway.yaml:53  inference/runpod, when RUNPOD_URL is set
        runpod = None
        if settings.runpod is not None:
            runpod = await stack.enter_async_context(
                open_runpod(settings.runpod, credential="runpod_api_token", instance="runpod")
            )

        # gateway.yaml:58  inference/gemini, when GEMINI_API_KEY is set
        gemini = None
        if settings.gemini is not None:
            gemini = await stack.enter_async_context(
                open_gemini(settings.gemini, credential="gemini_api_key", instance="gemini")
            )

        # gateway.yaml:62  inference/anthropic, when ANTHROPIC_API_KEY is set
        anthropic = None
        if settings.anthropic is not None:
            anthropic = await stack.enter_async_context(
                open_anthropic(settings.anthropic, credential="anthropic_api_key", instance="anthropic")
            )

        # gateway.yaml:66  inference/azure, when AZURE_API_KEY is set
        azure = None
        if settings.azure is not None:
            azure = await stack.enter_async_context(open_azure(settings.azure, instance="azure"))

        # gateway.yaml:73  inference/llama-openai-compat, when LLAMA_API_KEY is set
        llama_openai_compat = None
        if settings.llama_openai_compat is not None:
            llama_openai_compat = await stack.enter_async_context(
                open_openai_compatible(
                    settings.llama_openai_compat, credential="llama_api_key", instance="llama-openai-compat"
                )
            )

        # gateway.yaml:77  inference/llama-cpp-server, when LLAMA_CPP_SERVER_URL is set
        llama_cpp_server = None
        if settings.llama_cpp_server is not None:
            llama_cpp_server = await stack.enter_async_context(
                open_llama_cpp_server(settings.llama_cpp_server, instance="llama-cpp-server")
            )

        # gateway.yaml:82  inference/tgi, when TGI_URL is set
        tgi = None
        if settings.tgi is not None:
            tgi = await stack.enter_async_context(open_tgi(settings.tgi, instance="tgi"))

        # gateway.yaml:87  inference/passthrough, when PASSTHROUGH_URL is set
        passthrough = None
        if settings.passthrough is not None:
            passthrough = await stack.enter_async_context(
                open_passthrough(settings.passthrough, instance="passthrough")
            )

        # gateway.yaml:4  models/builtin
        models = await stack.enter_async_context(
            open_models(
                settings.models,
                sources=enabled(
                    {
                        "openai": openai,
                        "vllm": vllm,
                        "ollama": ollama,
                        "nvidia": nvidia,
                        "groq": groq,
                        "together": together,
                        "fireworks": fireworks,
                        "cerebras": cerebras,
                        "sambanova": sambanova,
                        "databricks": databricks,
                        "runpod": runpod,
                        "gemini": gemini,
                        "anthropic": anthropic,
                        "azure": azure,
                        "llama-openai-compat": llama_openai_compat,
                        "llama-cpp-server": llama_cpp_server,
                        "tgi": tgi,
                        "passthrough": passthrough,
                    }
                ),
                resources=(),
            )
        )

        # gateway.yaml:4  inspect/builtin
        inspect = await stack.enter_async_context(open_inspect(routes=ROUTES, version="0.1.0"))

        # gateway.yaml:4  the router of inference
        inference = InferenceRouter(
            table=models,
            chat=enabled(
                {
                    "openai": openai,
                    "vllm": vllm,
                    "ollama": ollama,
                    "nvidia": nvidia,
                    "groq": groq,
                    "together": together,
                    "fireworks": fireworks,
                    "cerebras": cerebras,
                    "sambanova": sambanova,
                    "databricks": databricks,
                    "runpod": runpod,
                    "gemini": gemini,
                    "anthropic": anthropic,
                    "azure": azure,
                    "llama-openai-compat": llama_openai_compat,
                    "llama-cpp-server": llama_cpp_server,
                    "tgi": tgi,
                    "passthrough": passthrough,
                }
            ),
            completions=enabled(
                {
                    "openai": openai,
                    "vllm": vllm,
                    "ollama": ollama,
                    "nvidia": nvidia,
                    "together": together,
                    "fireworks": fireworks,
                    "cerebras": cerebras,
                    "sambanova": sambanova,
                    "databricks": databricks,
                    "runpod": runpod,
                    "azure": azure,
                    "llama-cpp-server": llama_cpp_server,
                    "tgi": tgi,
                    "passthrough": passthrough,
                }
            ),
            embeddings=enabled(
                {
                    "openai": openai,
                    "vllm": vllm,
                    "ollama": ollama,
                    "nvidia": nvidia,
                    "together": together,
                    "fireworks": fireworks,
                    "sambanova": sambanova,
                    "databricks": databricks,
                    "runpod": runpod,
                    "gemini": gemini,
                    "azure": azure,
                    "llama-cpp-server": llama_cpp_server,
                    "passthrough": passthrough,
                }
            ),
            rerank=enabled(
                {
                    "vllm": vllm,
                    "nvidia": nvidia,
                    "together": together,
                    "fireworks": fireworks,
                    "llama-cpp-server": llama_cpp_server,
                }
            ),
            stored_completions=None,
        )

        # gateway.yaml:4  providers/builtin
        listing = [
            *listed("inference", "openai", "remote::openai", settings.openai, openai),
            *listed("inference", "vllm", "remote::vllm", settings.vllm, vllm),
            *listed("inference", "ollama", "remote::ollama", settings.ollama, ollama),
            *listed("inference", "nvidia", "remote::nvidia", settings.nvidia, nvidia),
            *listed("inference", "groq", "remote::groq", settings.groq, groq),
            *listed("inference", "together", "remote::together", settings.together, together),
            *listed("inference", "fireworks", "remote::fireworks", settings.fireworks, fireworks),
            *listed("inference", "cerebras", "remote::cerebras", settings.cerebras, cerebras),
            *listed("inference", "sambanova", "remote::sambanova", settings.sambanova, sambanova),
            *listed("inference", "databricks", "remote::databricks", settings.databricks, databricks),
            *listed("inference", "runpod", "remote::runpod", settings.runpod, runpod),
            *listed("inference", "gemini", "remote::gemini", settings.gemini, gemini),
            *listed("inference", "anthropic", "remote::anthropic", settings.anthropic, anthropic),
            *listed("inference", "azure", "remote::azure", settings.azure, azure),
            *listed(
                "inference",
                "llama-openai-compat",
                "remote::llama-openai-compat",
                settings.llama_openai_compat,
                llama_openai_compat,
            ),
            *listed(
                "inference", "llama-cpp-server", "remote::llama-cpp-server", settings.llama_cpp_server, llama_cpp_server
            ),
            *listed("inference", "tgi", "remote::tgi", settings.tgi, tgi),
            *listed("inference", "passthrough", "remote::passthrough", settings.passthrough, passthrough),
        ]
        providers = await stack.enter_async_context(open_providers(settings.providers, listing=listing))

        yield Stack(inference=inference, models=models, inspect=inspect, providers=providers)

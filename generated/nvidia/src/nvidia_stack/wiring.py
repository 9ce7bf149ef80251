"""Builds the components of `nvidia`, each after those it needs; closes them in the opposite order.

Made by stackgen from specs/distributions/nvidia.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from .contracts.inference import Inference
from .contracts.inspect import Inspect
from .contracts.models import Listing as ModelsListing
from .contracts.providers import Providers
from .providers.inference.nvidia import open_nvidia
from .providers.inspect.builtin import open_inspect
from .providers.models.builtin import open_models
from .providers.providers.builtin import open_providers
from .routers.inference import InferenceRouter
from .routes import ROUTES
from .runtime.wiring import listed
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
        # nvidia.yaml:7  inference/nvidia
        nvidia = await stack.enter_async_context(
            open_nvidia(settings.nvidia, credential="nvidia_api_key", instance="nvidia")
        )

        # nvidia.yaml:4  models/builtin
        models = await stack.enter_async_context(open_models(settings.models, sources={"nvidia": nvidia}, resources=()))

        # nvidia.yaml:4  inspect/builtin
        inspect = await stack.enter_async_context(open_inspect(routes=ROUTES, version="0.1.0"))

        # nvidia.yaml:4  the router of inference
        inference = InferenceRouter(
            table=models,
            chat={"nvidia": nvidia},
            completions={"nvidia": nvidia},
            embeddings={"nvidia": nvidia},
            rerank={"nvidia": nvidia},
            stored_completions=None,
        )

        # nvidia.yaml:4  providers/builtin
        listing = [*listed("inference", "nvidia", "remote::nvidia", settings.nvidia, nvidia)]
        providers = await stack.enter_async_context(open_providers(settings.providers, listing=listing))

        yield Stack(inference=inference, models=models, inspect=inspect, providers=providers)

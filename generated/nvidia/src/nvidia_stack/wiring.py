"""Builds the components of `nvidia`, each after those it needs; closes them in the opposite order.

Made by stackgen from specs/distributions/nvidia.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from .contracts.benchmarks import Listing as BenchmarksListing
from .contracts.eval import Eval
from .contracts.inference import Inference
from .contracts.inspect import Inspect
from .contracts.models import Listing as ModelsListing
from .contracts.post_training import Finetuning as PostTrainingFinetuning
from .contracts.providers import Providers
from .contracts.safety import Safety
from .contracts.shields import Listing as ShieldsListing
from .providers.benchmarks.builtin import open_benchmarks
from .providers.eval.nvidia import open_nvidia_eval
from .providers.inference.nvidia import open_nvidia
from .providers.inspect.builtin import open_inspect
from .providers.models.builtin import open_models
from .providers.post_training.nvidia import open_nvidia_training
from .providers.providers.builtin import open_providers
from .providers.safety.nvidia import open_nvidia_safety
from .providers.shields.builtin import open_shields
from .routers.eval import EvalRouter
from .routers.inference import InferenceRouter
from .routers.safety import SafetyRouter
from .routes import ROUTES
from .runtime.wiring import listed
from .settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What answers each API. The type checker proves that it does where `open_stack` makes one."""

    inference: Inference
    models: ModelsListing
    safety: Safety
    shields: ShieldsListing
    eval: Eval
    benchmarks: BenchmarksListing
    post_training: PostTrainingFinetuning
    inspect: Inspect
    providers: Providers


@asynccontextmanager
async def open_stack(settings: Settings) -> AsyncIterator[Stack]:
    """Everything the server needs, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        # nvidia.yaml:7  inference/nvidia
        inference_nvidia = await stack.enter_async_context(
            open_nvidia(settings.inference_nvidia, credential="nvidia_api_key", instance="nvidia")
        )

        # nvidia.yaml:13  safety/nvidia
        safety_nvidia = await stack.enter_async_context(open_nvidia_safety(settings.safety_nvidia))

        # nvidia.yaml:4  models/builtin
        models = await stack.enter_async_context(
            open_models(settings.models, sources={"nvidia": inference_nvidia}, resources=())
        )

        # nvidia.yaml:19  eval/nvidia
        eval_nvidia = await stack.enter_async_context(open_nvidia_eval(settings.eval_nvidia, models=models))

        # nvidia.yaml:24  post_training/nvidia
        post_training = await stack.enter_async_context(open_nvidia_training(settings.post_training))

        # nvidia.yaml:4  shields/builtin
        shields = await stack.enter_async_context(
            open_shields(settings.shields, sources={"nvidia": safety_nvidia}, resources=settings.shields_resources)
        )

        # nvidia.yaml:4  benchmarks/builtin
        benchmarks = await stack.enter_async_context(open_benchmarks(sources={"nvidia": eval_nvidia}, resources=()))

        # nvidia.yaml:4  inspect/builtin
        inspect = await stack.enter_async_context(open_inspect(routes=ROUTES, version="0.1.0"))

        # nvidia.yaml:4  the router of inference
        inference = InferenceRouter(
            table=models,
            chat={"nvidia": inference_nvidia},
            completions={"nvidia": inference_nvidia},
            embeddings={"nvidia": inference_nvidia},
            rerank={"nvidia": inference_nvidia},
            stored_completions=None,
        )

        # nvidia.yaml:4  the router of safety
        safety = SafetyRouter(table=shields, shielding={"nvidia": safety_nvidia}, moderations={"nvidia": safety_nvidia})

        # nvidia.yaml:4  the router of eval
        eval = EvalRouter(table=benchmarks, rows={}, jobs={"nvidia": eval_nvidia})

        # nvidia.yaml:4  providers/builtin
        listing = [
            *listed("inference", "nvidia", "remote::nvidia", settings.inference_nvidia, inference_nvidia),
            *listed("safety", "nvidia", "remote::nvidia", settings.safety_nvidia, safety_nvidia),
            *listed("eval", "nvidia", "remote::nvidia", settings.eval_nvidia, eval_nvidia),
            *listed("post_training", "nvidia", "remote::nvidia", settings.post_training, post_training),
        ]
        providers = await stack.enter_async_context(open_providers(settings.providers, listing=listing))

        yield Stack(
            inference=inference,
            models=models,
            safety=safety,
            shields=shields,
            eval=eval,
            benchmarks=benchmarks,
            post_training=post_training,
            inspect=inspect,
            providers=providers,
        )

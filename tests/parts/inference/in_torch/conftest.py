"""Tiny models, opened once for a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

torch = pytest.importorskip("torch")

from asking import Model
from parts.providers.inference.transformers import TransformersConfig, open_transformers
from tiny import MODELS, llama, save, taught

# Models this small are slower on several processors, and much so where others have these.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each tiny model, as the hub would have it."""
    root = tmp_path_factory.mktemp("models")
    return {name: save(make(), root / name) for name, make in MODELS.items()}


@pytest.fixture(scope="session")
def pong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that answers ping with pong."""
    return save(taught(llama()), tmp_path_factory.mktemp("models") / "pong")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model(folders: dict[str, Path]) -> AsyncIterator[Model]:
    """A tiny Llama of random weights."""
    async with open_transformers(TransformersConfig(model=str(folders["llama"])), instance="here") as provider:
        yield Model(provider)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ponger(pong: Path) -> AsyncIterator[Model]:
    async with open_transformers(TransformersConfig(model=str(pong)), instance="here") as provider:
        yield Model(provider)

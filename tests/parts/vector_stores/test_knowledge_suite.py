"""The tool that searches vector stores before the suite of tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from knowledge import knowing
from parts.runtime.context import Context
from parts.runtime.errors import Unauthenticated
from parts.runtime.secret import Secret
from parts.testing.tool_runtime import Sample, ServedTools, ToolsSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup(Sample):
    """store: one that is there."""

    store: str

    def arguments(self, text: str) -> Mapping[str, object]:
        return {self.argument: text, "vector_store_ids": [self.store]}


class TestKnowledge(ToolsSuite):
    sample = Sample(tool="file_search", argument="query")

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[ServedTools]:
        with TemporaryDirectory() as folder:
            async with knowing(Path(folder), "file_search") as (provider, stores, _):
                self.sample = Lookup(tool="file_search", argument="query", store=await stores.store())
                yield provider

    @asynccontextmanager
    async def opens_refused(self, credential: str) -> AsyncIterator[tuple[ServedTools, Context]]:
        with TemporaryDirectory() as folder:
            async with knowing(Path(folder), "file_search") as (provider, stores, model):
                self.sample = Lookup(tool="file_search", argument="query", store=await stores.store())
                model.fails = [Unauthenticated("the key is not accepted")]
                yield provider, Context("r", provider_data={"openai_api_key": Secret(credential)})

"""The providers of eval before the suites that third parties prove theirs with (`stackgen_api.testing.eval`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from eval_stand_ins import evaluating
from fake_evaluator import FakeEvaluator
from parts.providers.eval.nvidia import NvidiaEval, NvidiaEvalConfig, open_nvidia_eval
from parts.providers.eval.runs.service import Evaluations
from parts.testing.eval import JobsSuite, RowsSuite
from upstreams import fake_upstream


class OfMetaReference:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path

    def opens(self) -> AbstractAsyncContextManager[Evaluations]:
        return evaluating(self.path)


class TestRowsOfMetaReference(OfMetaReference, RowsSuite):
    pass


class TestJobsOfMetaReference(OfMetaReference, JobsSuite):
    functions = ("basic::equality",)


class TestJobsOfNvidia(JobsSuite):
    @asynccontextmanager
    async def opens(self) -> AsyncIterator[NvidiaEval]:
        async with fake_upstream(FakeEvaluator()) as fake:
            config = NvidiaEvalConfig(base_url=fake.url.removesuffix("/v1"), namespace="nvidia")
            async with open_nvidia_eval(config, models=None) as made:
                yield made

"""The providers of eval before the suites that third parties prove theirs with (`stackgen_api.testing.eval`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from eval_stand_ins import evaluating, evaluating_in
from fake_evaluator import FakeEvaluator
from parts.providers.eval.nvidia import NvidiaEval, NvidiaEvalConfig, open_nvidia_eval
from parts.providers.eval.runs.service import Evaluations
from parts.providers.storage.sql_postgres import SqlPostgresConfig, open_sql_postgres
from parts.runtime.secret import Secret
from parts.testing.eval import JobsSuite, RowsSuite
from real_servers import Postgres
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


@pytest.mark.slow
class TestJobsOnPostgres(JobsSuite):
    functions = ("basic::equality",)

    @pytest.fixture(autouse=True)
    def _server(self, postgres: Postgres) -> None:
        made = postgres.database()
        self.config = SqlPostgresConfig(
            host=made.host, port=made.port, db=made.name, user=made.user, password=Secret(made.password)
        )

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Evaluations]:
        async with open_sql_postgres(self.config, instance="sql_default") as sql, evaluating_in(sql) as made:
            yield made

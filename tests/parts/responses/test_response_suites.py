"""The builtin provider before the suite that third parties prove theirs with (`stackgen_api.testing.responses`)."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from parts.contracts.responses import Responses
from parts.testing.responses import ResponsesSuite
from real_servers import Database, Postgres
from response_provider import responses
from scripted import Json, Model, Reply, call, text
from sql_backends import postgres_at, sqlite_at


def obedient(body: Json) -> Reply:
    """Calls what it is told to call, and says a word otherwise."""
    choice = body.get("tool_choice")
    return call(choice["function"]["name"], {"city": "Lisbon"}) if isinstance(choice, dict) else text("Hel", "lo ü")


class TestOverSqlite(ResponsesSuite):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "sql.db"

    def opens(self) -> AbstractAsyncContextManager[Responses]:
        return responses(sqlite_at(self.path), Model(answers=obedient))


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return postgres.database()


class TestOverPostgres(ResponsesSuite):
    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.database = database

    def opens(self) -> AbstractAsyncContextManager[Responses]:
        return responses(postgres_at(self.database), Model(answers=obedient))

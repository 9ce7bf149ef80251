"""A built server that keeps conversations in SQL: what clients and operators see of its database."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from real_servers import HOST, PASSWORD, USER, Database, Postgres
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, Running, clean_environ, free_port, stackgen

pytestmark = pytest.mark.slow

GONE_SECONDS = 60.0

DISTRIBUTION = """\
name: {name}
summary: Conversations, and where they are kept.
apis: [conversations, inspect]
storage: {{backends: {{sql_default: {backend}}}}}
"""
SQLITE = '{type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/new/sql.db"}}'
POSTGRES = (
    '{type: remote::sql-postgres, config: {host: 127.0.0.1, port: "${env.PORT}", db: "${env.DB}", user: tester, '
    'password: "${env.PASSWORD}", start_seconds: "${env.START_SECONDS:=20}"}}'
)


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Built]:
    """Builds a distribution with this backend."""

    def make(name: str, backend: str) -> Built:
        folder = tmp_path_factory.mktemp(name)
        (folder / "specs/distributions").mkdir(parents=True)
        text = DISTRIBUTION.format(name=name, backend=backend)
        (folder / f"specs/distributions/{name}.yaml").write_text(text)
        done = stackgen("build", name, "--specs", "specs", "--out", name, cwd=folder)
        assert done.returncode == 0, done.stderr
        return Built(name, folder / name, environment_for(folder / name, CACHE / "envs", lambda _: None))

    return make


@pytest.fixture(scope="module")
def on_sqlite(keeping: Callable[[str, str], Built]) -> Built:
    return keeping("keeps-sqlite", SQLITE)


@pytest.fixture(scope="module")
def on_postgres(keeping: Callable[[str, str], Built]) -> Built:
    return keeping("keeps-postgres", POSTGRES)


def call(server: Running, path: str, body: object = None) -> tuple[int, Mapping[str, str], dict[str, object]]:
    """(status, headers, answer)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def begun(server: Running, number: int) -> str:
    """The id of a new conversation."""
    status, _, said = call(server, "/v1/conversations", {"metadata": {"number": str(number)}})
    assert status == 200, said
    return str(said["id"])


def environ_of(database: Database, **more: str) -> dict[str, str]:
    return {"PORT": str(database.port), "DB": database.name, "PASSWORD": database.password, **more}


def refused(built: Built, environ: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code of a start that cannot be, and what it says."""
    command = [built.python, "-P", "-m", built.module, "--port", str(free_port()), *arguments]
    done = subprocess.run(
        command, env=clean_environ(environ), capture_output=True, text=True, timeout=120, check=False, cwd=built.folder
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("which", ["on_sqlite", "on_postgres"])
def test_the_package_keeps_the_laws(which: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(which)
    for command in (["mypy", "--strict", "--python-executable", str(built.python), "src"], ["ruff", "check", "."]):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=built.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
    other = {"on_sqlite": "asyncpg", "on_postgres": "aiosqlite"}[which]
    assert other not in (built.folder / "requirements.txt").read_text()
    assert not list(built.folder.glob(f"src/**/{'sql_postgres' if which == 'on_sqlite' else 'sql_sqlite'}.py"))


def test_what_four_workers_have_acknowledged_survives_kill_minus_9(on_sqlite: Built, tmp_path: Path) -> None:
    environ = {"FOLDER": str(tmp_path)}
    with on_sqlite.serve(environ, "--workers", "4") as server:
        ids = [begun(server, number) for number in range(40)]
        for child in _children(server.process.pid):
            os.kill(child, signal.SIGKILL)
        server.process.kill()
        server.process.wait()
    with on_sqlite.serve(environ, "--workers", "2") as server:
        assert [call(server, f"/v1/conversations/{each}")[0] for each in ids] == [200] * 40


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_requests_are_told_while_the_database_is_gone_for_a_minute_and_served_when_it_is_back(
    on_postgres: Built, postgres: Postgres
) -> None:
    with on_postgres.serve(environ_of(postgres.database()), "--workers", "2") as server:
        kept = [begun(server, number) for number in range(8)]
        postgres.stop()
        try:
            for path, body in (("/v1/conversations", {}), (f"/v1/conversations/{kept[0]}", None)) * 6:
                time.sleep(GONE_SECONDS / 12)
                status, headers, said = call(server, path, body)
                error = said["error"]
                assert isinstance(error, dict)
                assert (status, error["code"], headers["retry-after"]) == (503, "storage_unavailable", "5"), said
                assert str(error["message"]).startswith("the database sql_default is not available: ")
                assert HOST not in str(error)
            assert call(server, "/v1/health")[0] == 200
        finally:
            postgres.start()
        kept += [begun(server, number) for number in range(8)]
        assert [call(server, f"/v1/conversations/{each}")[0] for each in kept] == [200] * 16
    log = server.log.read_text()
    assert "is available again" in log
    assert PASSWORD not in log
    assert "Traceback" not in log


def test_a_start_without_its_database_ends_with_the_reason(on_postgres: Built, postgres: Postgres) -> None:
    database = postgres.database()
    at = f"storage.sql_default: PostgreSQL at {HOST} port"
    for workers in ("1", "2"):
        code, said = refused(on_postgres, environ_of(database, PASSWORD="wrong"), "--workers", workers)
        assert code == 2
        assert f"{at} {database.port} refuses the password of the user {USER!r}" in said
        port = free_port()
        code, said = refused(
            on_postgres, environ_of(database) | {"PORT": str(port), "START_SECONDS": "0.5"}, "--workers", workers
        )
        assert code == 3
        assert f"{at} {port} cannot be reached: connection refused, and was waited for 0.5 s" in said
        assert "Traceback" not in said


def test_a_schema_from_the_future_ends_the_start(on_sqlite: Built, tmp_path: Path) -> None:
    environ = {"FOLDER": str(tmp_path)}
    with on_sqlite.serve(environ) as server:
        kept = begun(server, 1)
    with sqlite3.connect(tmp_path / "new/sql.db") as connection:
        connection.execute("UPDATE stackgen_schemas SET version = version + 1")
    connection.close()
    code, said = refused(on_sqlite, environ, "--workers", "2")
    assert code == 2
    assert "storage.sql_default: the schema of 'conversations' there is version" in said
    assert "made by a newer server" in said
    with sqlite3.connect(tmp_path / "new/sql.db") as connection:
        connection.execute("UPDATE stackgen_schemas SET version = version - 1")
    connection.close()
    with on_sqlite.serve(environ) as server:
        assert call(server, f"/v1/conversations/{kept}")[0] == 200

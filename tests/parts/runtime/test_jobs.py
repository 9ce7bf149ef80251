"""Jobs, over a SQLite file that two processes share."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from job_process import TABLE, count
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime import jobs as module
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, Unavailable
from parts.runtime.jobs import Job, Jobs, Run, Work, open_jobs
from parts.runtime.shift import LeaseLost
from parts.runtime.sql import Sql

CTX = Context("r")
ALICE = Context("r", principal="alice", attributes={"teams": ("red",)})
BOB = Context("r", principal="bob")

Opens = Callable[[Run], AbstractAsyncContextManager[Jobs]]


@pytest.fixture
async def sql(tmp_path: Path) -> AsyncIterator[Sql]:
    async with open_sql_sqlite(SqlSqliteConfig(db_path=str(tmp_path / "db")), instance="sql_default") as database:
        yield database


@pytest.fixture
def opens(sql: Sql) -> Opens:
    def open_them(run: Run) -> AbstractAsyncContextManager[Jobs]:
        return open_jobs(sql, TABLE, run, name="test jobs", at_once=2, lease_seconds=1.0, poll_seconds=0.05)

    return open_them


async def ended(jobs: Jobs, id: str, ctx: Context = CTX) -> Job:
    async with asyncio.timeout(30):
        while (job := await jobs.find(id, ctx)).state in ("scheduled", "in_progress"):
            await asyncio.sleep(0.02)
    return job


async def asleep(work: Work) -> bytes:
    await asyncio.sleep(3600)
    return b""


async def test_a_job_is_done_and_says_when(opens: Opens) -> None:
    async with opens(count) as jobs:
        made = await jobs.add("job_1", CTX, subject="a", request=b"3")
        assert (made.state, made.started_at, made.ended_at) == ("scheduled", None, None)
        job = await ended(jobs, "job_1")
    assert (job.state, job.result, job.progress, job.error) == ("completed", b"counted to 3", b"3", None)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert job.created_at <= job.started_at <= job.ended_at


async def test_what_goes_wrong_with_the_request_fails_the_job_with_its_message(opens: Opens) -> None:
    async def refuse(work: Work) -> bytes:
        raise BadRequest("rows: there are none")

    async with opens(refuse) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"")
        job = await ended(jobs, "job_1")
    assert (job.state, job.error) == ("failed", "rows: there are none")


async def test_a_fault_of_ours_is_not_told(opens: Opens) -> None:
    async def stumble(work: Work) -> bytes:
        raise ZeroDivisionError("with a secret in it")

    async with opens(stumble) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"")
        job = await ended(jobs, "job_1")
    assert (job.state, job.error) == ("failed", "the server failed: its log says more")


async def test_what_is_away_is_tried_again_and_not_for_ever(opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.001)
    tries = []

    async def away(work: Work) -> bytes:
        tries.append(work.job.id)
        if work.job.id == "job_back" and len(tries) > 2:
            return b"at last"
        raise Unavailable("the model is away")

    async with opens(away) as jobs:
        await jobs.add("job_back", CTX, subject="a", request=b"")
        assert (await ended(jobs, "job_back")).result == b"at last"
        await jobs.add("job_gone", CTX, subject="a", request=b"")
        job = await ended(jobs, "job_gone")
    assert (job.state, job.error) == ("failed", "the model is away")
    assert tries.count("job_gone") == module._MOST_TRIES


async def test_a_job_that_runs_is_stopped(opens: Opens) -> None:
    stopped = asyncio.Event()

    async def wait(work: Work) -> bytes:
        try:
            return await asleep(work)
        finally:
            stopped.set()

    async with opens(wait) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"")
        while (await jobs.find("job_1", CTX)).state == "scheduled":
            await asyncio.sleep(0.01)
        assert (await jobs.cancel("job_1", CTX)).cancelling
        job = await ended(jobs, "job_1")
        assert stopped.is_set()
        assert (job.state, job.result) == ("cancelled", None)
        assert (await jobs.cancel("job_1", CTX)).state == "cancelled"


async def test_a_job_that_another_process_runs_is_stopped(sql: Sql, opens: Opens) -> None:
    async with opens(asleep) as running:
        await running.add("job_1", CTX, subject="a", request=b"")
        while (await running.find("job_1", CTX)).state == "scheduled":
            await asyncio.sleep(0.01)
        asking = Jobs(sql, TABLE, asleep, lease_seconds=1.0, poll_seconds=0.05)
        await asking.cancel("job_1", CTX)
        assert (await ended(asking, "job_1")).state == "cancelled"


async def test_a_job_that_nobody_has_begun_is_cancelled_at_once(sql: Sql, opens: Opens) -> None:
    async with opens(asleep) as jobs:
        for number in range(3):
            await jobs.add(f"job_{number}", CTX, subject="a", request=b"")
            await asyncio.sleep(0.05)
        assert (await jobs.cancel("job_2", CTX)).state == "cancelled"


async def test_a_job_that_waits_for_what_is_away_is_cancelled_without_it(opens: Opens) -> None:
    async def away(work: Work) -> bytes:
        raise Unavailable("the model is away")

    async with opens(away) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"")
        while (await jobs.find("job_1", CTX)).tries < 3:
            await asyncio.sleep(0.05)
        await jobs.cancel("job_1", CTX)
        async with asyncio.timeout(2):
            assert (await ended(jobs, "job_1")).state == "cancelled"


async def test_what_has_ended_is_not_cancelled_and_what_has_not_is_not_removed(opens: Opens) -> None:
    async with opens(count) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"1")
        await ended(jobs, "job_1")
        with pytest.raises(Conflict, match="completed"):
            await jobs.cancel("job_1", CTX)
        await jobs.remove("job_1", CTX)
        with pytest.raises(NotFound):
            await jobs.find("job_1", CTX)
        await jobs.add("job_2", CTX, subject="a", request=b"1000")
        with pytest.raises(Conflict, match="cancel it first"):
            await jobs.remove("job_2", CTX)


async def test_jobs_are_their_owners(opens: Opens) -> None:
    async with opens(count) as jobs:
        await jobs.add("job_a", ALICE, subject="a", request=b"1")
        await jobs.add("job_b", BOB, subject="b", request=b"1")
        job = await ended(jobs, "job_a", ALICE)
        assert job.context().principal == "alice"
        assert job.context().attributes == {"teams": ("red",)}
        assert [each.id for each in await jobs.listed(ALICE)] == ["job_a"]
        assert [each.id for each in await jobs.listed(CTX)] == ["job_b", "job_a"]
        assert [each.id for each in await jobs.listed(CTX, subject="b")] == ["job_b"]
        for call in (jobs.find, jobs.cancel, jobs.remove):
            with pytest.raises(NotFound):
                await call("job_a", BOB)
        with pytest.raises(NotFound):
            await jobs.find("job_a", ALICE, subject="b")
        with pytest.raises(Conflict):
            await jobs.add("job_a", BOB, subject="a", request=b"1")


async def test_a_process_that_stops_leaves_its_job_to_the_next(opens: Opens) -> None:
    async with opens(count) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"60")
        while (await jobs.find("job_1", CTX)).progress is None:
            await asyncio.sleep(0.02)
    async with opens(count) as jobs:
        left = await jobs.find("job_1", CTX)
        assert (left.state, left.tries <= 1) == ("in_progress", True)
        assert (await ended(jobs, "job_1")).result == b"counted to 60"


async def test_who_hung_and_comes_back_writes_nothing(opens: Opens, sql: Sql) -> None:
    seen: list[Work] = []

    async def once(work: Work) -> bytes:
        seen.append(work)
        if len(seen) == 1:
            # As a process that is stopped: nothing of it runs until its lease has ended.
            work.renew = lambda: asyncio.sleep(3600)  # type: ignore[method-assign]
            await asyncio.sleep(3600)
        return b"by the other"

    async with opens(once) as jobs:
        await jobs.add("job_1", CTX, subject="a", request=b"")
        assert (await ended(jobs, "job_1")).result == b"by the other"
        with pytest.raises(LeaseLost):
            await seen[0].note(b"too late")
        with pytest.raises(LeaseLost):
            await seen[0].end("failed", error="too late")
        assert (await jobs.find("job_1", CTX)).progress is None


async def test_a_job_survives_kill_9(opens: Opens, tmp_path: Path) -> None:
    async def nothing(work: Work) -> bytes:
        raise LeaseLost

    async with opens(nothing):
        pass
    script = Path(__file__).with_name("job_process.py")
    parts = Path(module.__file__).parents[2]
    command = (sys.executable, str(script), str(tmp_path / "db"))

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(parts)}
        )

    first = await start()
    assert first.stdout is not None
    async with open_sql_sqlite(SqlSqliteConfig(db_path=str(tmp_path / "db")), instance="sql_default") as sql:
        jobs = Jobs(sql, TABLE, nothing, lease_seconds=1.0, poll_seconds=0.05)
        await jobs.add("job_1", CTX, subject="a", request=b"20")
        while (line := await first.stdout.readline()) != b"5\n":
            assert line
        first.kill()
        rest = [int(line) for line in (await first.stdout.read()).split()]
        await first.wait()
        second = await start()
        try:
            job = await ended(jobs, "job_1")
            assert second.stdout is not None
            begun = int(await second.stdout.readline())
        finally:
            second.kill()
            await second.communicate()
    assert job.result == b"counted to 20"
    # Each number was noted before it was told: none that was told is counted again.
    assert begun > max(rest, default=5)

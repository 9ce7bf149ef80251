"""A process with jobs, for tests that kill it: `job_process.py DATABASE` counts to what each job asks, and says so."""

from __future__ import annotations

import asyncio
import sys

from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.job_table import job_table
from parts.runtime.jobs import Work, open_jobs

TABLE = job_table("test_jobs")


async def count(work: Work) -> bytes:
    """From where it was to what is asked, a number every 20 ms."""
    for number in range(int(work.job.progress or b"0") + 1, int(work.job.request) + 1):
        await asyncio.sleep(0.02)
        await work.note(str(number).encode())
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
    return b"counted to " + work.job.request


async def main(path: str) -> None:
    async with (
        open_sql_sqlite(SqlSqliteConfig(db_path=path), instance="sql_default") as sql,
        open_jobs(sql, TABLE, count, name="test jobs", at_once=1, lease_seconds=1.0, poll_seconds=0.05),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

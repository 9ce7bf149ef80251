"""The rows of jobs that run, as a database keeps them: what is asked, and what was answered so far.

They are copies, so that whoever takes a job over goes on with the same rows, whatever became of the dataset. Those of
jobs that have ended are removed when the next job begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json
from sqlalchemy import Boolean, Column, Integer, LargeBinary, MetaData, String, Table, delete, func, select, update

from .asking import Row
from .replies import Generation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ....runtime.sql import Sql

ROWS = Table(
    "eval_rows",
    MetaData(),
    Column("job", String(128), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # JSON.
    Column("asked", LargeBinary, nullable=False),
    Column("generation", LargeBinary),
    # Whether it could not be answered; null until it is known.
    Column("failed", Boolean),
)


def create(connection: Connection) -> None:
    """The table, with all its columns."""
    ROWS.create(connection)


MIGRATIONS = (create,)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row at its place in the dataset, counted from 0."""

    number: int
    row: Row


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of a job there are. total: those that have been read."""

    total: int
    completed: int
    failed: int


class KeptRows:
    """Of all jobs of a database. jobs: their table."""

    def __init__(self, sql: Sql, jobs: Table) -> None:
        self._sql = sql
        self._jobs = jobs

    async def sweep(self) -> None:
        """Removes the rows of jobs that have ended."""
        open_jobs = select(self._jobs.c.id).where(self._jobs.c.ended_at.is_(None))
        async with self._sql.writing() as connection:
            await connection.execute(delete(ROWS).where(ROWS.c.job.not_in(open_jobs)))

    async def add(self, job: str, first: int, rows: Sequence[Row]) -> None:
        """Rows that are there already stay as they are. first: the place of the first of them; one at least."""
        new = [{"job": job, "number": first + at, "asked": to_json(row)} for at, row in enumerate(rows)]
        async with self._sql.writing() as connection:
            await connection.execute(self._sql.insert(ROWS).on_conflict_do_nothing(), new)

    async def answer(self, job: str, number: int, generation: Generation) -> None:
        mine = update(ROWS).where(ROWS.c.job == job, ROWS.c.number == number)
        async with self._sql.writing() as connection:
            await connection.execute(mine.values(generation=to_json(generation), failed="error" in generation))

    async def unanswered(self, job: str, limit: int) -> list[Numbered]:
        """The first that have no answer, in their order."""
        query = select(ROWS.c.number, ROWS.c.asked).where(ROWS.c.job == job, ROWS.c.failed.is_(None))
        async with self._sql.reading() as connection:
            found = (await connection.execute(query.order_by(ROWS.c.number).limit(limit))).all()
        return [Numbered(each.number, from_json(each.asked)) for each in found]

    async def all(self, job: str) -> tuple[list[Row], list[Generation]]:
        """Once all are answered: what was asked, and what was answered, in their order."""
        query = select(ROWS.c.asked, ROWS.c.generation).where(ROWS.c.job == job).order_by(ROWS.c.number)
        async with self._sql.reading() as connection:
            found = (await connection.execute(query)).all()
        return [from_json(each.asked) for each in found], [from_json(each.generation) for each in found]

    async def count(self, job: str) -> Count:
        query = select(ROWS.c.failed, func.count().label("number")).where(ROWS.c.job == job).group_by(ROWS.c.failed)
        async with self._sql.reading() as connection:
            found: dict[bool | None, int] = {each.failed: each.number for each in await connection.execute(query)}
        return Count(sum(found.values()), found.get(False, 0), found.get(True, 0))

"""What is peculiar to vectors in a SQLite file: which file it may be, who may read it, who waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from array import array
from pathlib import Path

import apsw
import pytest
from parts.providers.vector_io.sqlite_vec import SqliteVecConfig, open_sqlite_vec
from parts.runtime.errors import SettingsError, Unavailable
from parts.testing.vector_io.base import entry

VECTOR = array("f", [1.0, 0.0, 0.0])


def config(path: Path) -> SqliteVecConfig:
    return SqliteVecConfig(db_path=str(path), busy_seconds=0.2)


async def test_its_file_is_the_server_s_to_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "vectors.db"
    async with open_sqlite_vec(config(path), instance="vectors") as index:
        await index.create("vs_a", 3)
        await index.add("vs_a", [entry("a")])
        assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


async def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    text = tmp_path / "text"
    text.write_text("no database at all, " * 100)
    newer = tmp_path / "newer.db"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version=99")
    for path in (other, text, newer, tmp_path, text / "below", Path(":memory:")):
        with pytest.raises(SettingsError, match=r"vectors\.db_path"):
            async with open_sqlite_vec(config(path), instance="vectors"):
                pass
    with sqlite3.connect(other) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


async def test_who_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    async with open_sqlite_vec(config(path), instance="vectors") as index:
        await index.create("vs_a", 3)
        # Locks are the process': Python's own SQLite, being another one in it, would not be in the way.
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="busy"):
            await index.add("vs_a", [entry("a")])
        assert await index.near("vs_a", VECTOR, limit=1, where=None) == [], "who reads does not wait"
        other.execute("ROLLBACK")
        other.close()
        await index.add("vs_a", [entry("a")])
        assert [hit.id for hit in await index.near("vs_a", VECTOR, limit=1, where=None)] == ["a"]


async def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def one(number: int) -> None:
        async with open_sqlite_vec(SqliteVecConfig(db_path=str(tmp_path / "v.db")), instance="vectors") as index:
            await index.create("vs_a", 3)
            await index.add("vs_a", [entry(str(number))])

    await asyncio.gather(*(one(number) for number in range(6)))
    async with open_sqlite_vec(config(tmp_path / "v.db"), instance="vectors") as index:
        assert len(await index.near("vs_a", VECTOR, limit=10, where=None)) == 6


async def test_what_fails_within_leaves_nothing(tmp_path: Path) -> None:
    async with open_sqlite_vec(config(tmp_path / "v.db"), instance="vectors") as index:
        await index.create("vs_a", 3)
        broken = entry("b", attributes={"k": object()})  # type: ignore[dict-item]
        with pytest.raises(TypeError):
            await index.add("vs_a", [entry("a"), broken])
        assert await index.near("vs_a", VECTOR, limit=10, where=None) == []

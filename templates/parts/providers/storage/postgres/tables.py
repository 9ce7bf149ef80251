"""Bringing tables in a PostgreSQL database to their newest form, however many processes start at once."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from ....runtime.errors import SettingsError
from ..schema import SCHEMAS, unseen
from .login import Login
from .pool import Pool
from .trouble import MIGRATION_LOCK


async def bring_up(pool: Pool, login: Login, table: str, steps: Sequence[str]) -> None:
    """table: the setting `table_name`. steps: what the table has come from, of which the database does what it has not
    done yet. Raises SettingsError where a newer server has been at it, or where it is somebody else's.
    """
    async with pool.connection() as connection, connection.transaction():
        # Not within the time of an ordinary statement: others may be at work.
        await connection.execute("SET LOCAL lock_timeout = '600s'", timeout=None)
        await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})", timeout=600)
        try:
            await connection.execute(SCHEMAS)
            seen = await connection.fetchval("SELECT version FROM stackgen_schemas WHERE store = $1", table)
            for step in unseen(steps, seen, store=table, place=login.place):
                await connection.execute(step, timeout=600)
        except asyncpg.DuplicateTableError as error:
            why = f"there is a table {table!r} that is not this server's ({error}); name another one"
            raise SettingsError([f"{login.place}.table_name: {why}"]) from None
        except asyncpg.InsufficientPrivilegeError as error:
            who = f"the user {login.user!r} in the database {login.database!r}"
            raise SettingsError([f"{login.place}: {who} may not create tables ({error}); grant it"]) from None
        await connection.execute(
            "INSERT INTO stackgen_schemas (store, version) VALUES ($1, $2) "
            "ON CONFLICT (store) DO UPDATE SET version = excluded.version",
            table,
            len(steps),
        )

"""The extension pgvector of a database: making it, and speaking its type."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import asyncpg

from ....runtime.errors import SettingsError, Unavailable
from ...storage.postgres.login import NoLogin
from ...storage.postgres.pool import read_committed

if TYPE_CHECKING:
    from ...storage.postgres.login import Connected, Login

_OLDEST = (0, 8)
"""The first whose indexes go on looking where a filter leaves too few."""

_FIND = """
    SELECT extversion, nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'vector'
"""


async def find_extension(login: Login) -> str:
    """The schema that the extension is in; it is made where it is not there. Raises SettingsError where it cannot be,
    or is too old.
    """
    try:
        connection = await login.connect()
    except NoLogin as error:
        raise Unavailable(f"{login.place}: {error.why}", code="storage_unavailable") from None
    where = f"{login.place}: the database {login.database!r}"
    try:
        found = await connection.fetchrow(_FIND)
        if found is None:
            await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
            found = await connection.fetchrow(_FIND)
            assert found is not None
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError):
        mend = "install it on the server (as the package postgresql-NN-pgvector, or by an image that has it)"
        raise SettingsError([f"{where} has no extension pgvector, and its server does not know it; {mend}"]) from None
    except asyncpg.InsufficientPrivilegeError:
        mend = "have somebody who may run `CREATE EXTENSION vector` there"
        why = f"has no extension pgvector, and the user {login.user!r} may not make it; {mend}"
        raise SettingsError([f"{where} {why}"]) from None
    except asyncpg.UniqueViolationError:
        # Another process has made it in the same moment.
        found = await connection.fetchrow(_FIND)
        assert found is not None
    finally:
        await connection.close(timeout=login.seconds)
    version, schema = str(found["extversion"]), str(found["nspname"])
    if tuple(int(each) for each in version.split(".")[:2]) < _OLDEST:
        mend = "install a newer one on the server and run `ALTER EXTENSION vector UPDATE` there"
        raise SettingsError([f"{where} has pgvector {version}; expected 0.8 or newer: {mend}"])
    return schema


def set_up(schema: str, settings: Mapping[str, str]) -> Callable[[Connected], Awaitable[None]]:
    """What is done with each connection. schema: of the extension. settings: of pgvector."""
    said = "; ".join(f"SET {name} = {value}" for name, value in settings.items())

    async def once(connection: Connected) -> None:
        await read_committed(connection)
        # Wherever the extension is, its types and operators go by their names.
        path = f"concat_ws(', ', current_setting('search_path'), quote_ident({_quoted(schema)}))"
        await connection.execute(f"SELECT set_config('search_path', {path}, false)")
        if said:
            await connection.execute(said)
        await connection.set_type_codec(
            "vector", schema=schema, encoder=vector_bytes, decoder=vector_of, format="binary"
        )

    return once


def vector_bytes(vector: array[float]) -> bytes:
    """As pgvector sends it: how many, nothing, and 32-bit floats, all with the high byte first."""
    numbers = array("f", vector)
    if sys.byteorder == "little":
        numbers.byteswap()
    return struct.pack("!HH", len(vector), 0) + numbers.tobytes()


def vector_of(sent: bytes) -> array[float]:
    numbers = array("f", sent[4:])
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""The tables of a key-value store in a SQL database, step by step.

`stackgen_schemas`, which the SQL backends keep too, remembers how many of the steps a database has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....runtime.errors import SettingsError

SCHEMAS = "CREATE TABLE IF NOT EXISTS stackgen_schemas (store VARCHAR(64) PRIMARY KEY, version INTEGER NOT NULL)"


def missing(steps: Sequence[str], seen: int | None, *, table: str, instance: str) -> Sequence[str]:
    """The steps that a database has not seen yet. seen: how many it has, None for none.

    Raises SettingsError where it has seen more than there are.
    """
    version = seen or 0
    if version > len(steps):
        raise SettingsError(
            [
                f"storage.{instance}: the schema of {table!r} there is version {version}, made by a newer server; this "
                f"one knows versions up to {len(steps)}. Start the newer server, or name another database, or restore "
                "a backup from before"
            ]
        )
    return steps[version:]

"""The schemas of those who keep something in a database, step by step: which steps a database has not seen yet.

Its table `stackgen_schemas` remembers how many it has seen, by the name of who keeps something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ...runtime.errors import SettingsError

T = TypeVar("T")

SCHEMAS = "CREATE TABLE IF NOT EXISTS stackgen_schemas (store VARCHAR(64) PRIMARY KEY, version INTEGER NOT NULL)"


def unseen(steps: Sequence[T], seen: int | None, *, store: str, place: str) -> Sequence[T]:
    """The steps that come now. seen: how many the database has seen, None for none.
    place: of its settings, such as `storage.sql_default`.

    Raises SettingsError where it has seen more than there are.
    """
    version = seen or 0
    if version > len(steps):
        problem = (
            f"{place}: the schema of {store!r} there is version {version}, made by a newer server; this "
            f"one knows versions up to {len(steps)}. Start the newer server, or name another database, or restore "
            "a backup from before"
        )
        raise SettingsError([problem])
    return steps[version:]

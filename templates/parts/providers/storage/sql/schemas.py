"""The schemas of those who keep something in a SQL database, step by step.

The table `stackgen_schemas` remembers how many of a store's steps the database has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, update

from ..schema import unseen

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ....runtime.sql import Migration

log = logging.getLogger(__name__)


def bring_up(connection: Connection, store: str, migrations: Sequence[Migration], instance: str) -> None:
    """Runs the steps that the database has not seen.

    connection: within a transaction that no other process can be in. Raises SettingsError where the database has seen
    more steps than there are.
    """
    schemas = _schemas()
    schemas.create(connection, checkfirst=True)
    mine = schemas.c.store == store
    seen = connection.execute(select(schemas.c.version).where(mine)).scalar_one_or_none()
    steps = unseen(migrations, seen, store=store, place=f"storage.{instance}")
    if not steps:
        return
    for step in steps:
        step(connection)
    statement = insert(schemas).values(store=store) if seen is None else update(schemas).where(mine)
    connection.execute(statement.values(version=len(migrations)))
    if seen is None:
        log.info("%s: made the tables of %s", instance, store)
    else:
        log.info("%s: the schema of %s was brought from version %d to %d", instance, store, seen, len(migrations))


def _schemas() -> Table:
    return Table(
        "stackgen_schemas",
        MetaData(),
        Column("store", String(64), primary_key=True),
        Column("version", Integer, nullable=False),
    )

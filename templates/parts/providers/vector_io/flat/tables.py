"""What a database keeps for faiss: the vectors of each store, and which change of it each came with.

A process that has seen a store up to some revision reads what has a later one. What was removed leaves a row without a
vector, so that others hear of it; now and then those rows go, and who has not seen them by then reads all anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLES = MetaData()

STORES = Table(
    "stackgen_faiss_stores",
    _TABLES,
    Column("id", String(64), primary_key=True),
    # Tells a store from an earlier one of its name.
    Column("token", String(32), nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    # Rows without a vector are gone up to this revision.
    Column("swept", BigInteger, nullable=False),
)

VECTORS = Table(
    "stackgen_faiss_vectors",
    _TABLES,
    Column("store", String(64), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("grp", String(200), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("vector", LargeBinary),
    Column("attributes", Text, nullable=False),
    Index("stackgen_faiss_vectors_by_revision", "store", "revision"),
    Index("stackgen_faiss_vectors_by_group", "store", "grp"),
)


def create(connection: Connection) -> None:
    """The first form of the tables."""
    _TABLES.create_all(connection, tables=(STORES, VECTORS), checkfirst=False)


MIGRATIONS = (create,)

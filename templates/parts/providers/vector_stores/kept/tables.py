"""What a database keeps of vector stores: stores, the files attached to them, batches of those, and chunks.

An attached file has an errand as long as somebody is to work on it:

    ingest → none             its chunks are kept, a few at a time, and all of them are found once it is `completed`
    ingest → wipe → none      it failed or was cancelled: what was kept of it is removed
    … → remove → gone         it was taken out, or its store was

A chunk is seen where its file is `completed` and not taken out, or where it was inserted by itself. That is asked of
the rows with each search, so the index need not be of the same mind as they are at any moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, String, Table, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLES = MetaData()

STORES = Table(
    "stackgen_vector_stores",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    # JSON.
    Column("metadata", Text),
    # The instance that has the vectors, and what they are made with.
    Column("instance", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("chunk_tokens", Integer, nullable=False),
    Column("overlap_tokens", Integer, nullable=False),
    # Unix time, seconds, by the database's clock.
    Column("created_at", Double, nullable=False),
    Column("active_at", Double, nullable=False),
    Column("days", Integer),
    # live; expired: nothing is left of it but its row; gone: neither is that, soon.
    Column("state", String(8), nullable=False),
    Column("emptied", Boolean, nullable=False),
    Index("stackgen_vector_stores_in_order", "created_at", "id"),
    Index("stackgen_vector_stores_by_state", "state", "emptied"),
)

FILES = Table(
    "stackgen_vector_files",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("store", String(64), nullable=False),
    Column("file_id", String(200), nullable=False),
    Column("batch", String(64)),
    # Who attached it, as whom its content is read.
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Column("filename", Text, nullable=False),
    # JSON: what clients filter by.
    Column("labels", Text, nullable=False),
    Column("chunk_tokens", Integer, nullable=False),
    Column("overlap_tokens", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("error_code", String(32)),
    Column("error_message", Text),
    Column("bytes", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("errand", String(8)),
    Column("gone", Boolean, nullable=False),
    Column("tries", Integer, nullable=False),
    # Who works on it, and until when that is believed; null and a time in the future: nobody is to, before then.
    Column("lease", String(32)),
    Column("lease_until", Double),
    Index("stackgen_vector_files_in_order", "store", "created_at", "id"),
    Index("stackgen_vector_files_by_file", "store", "file_id"),
    Index("stackgen_vector_files_by_batch", "batch", "created_at", "id"),
    Index("stackgen_vector_files_by_errand", "errand", "created_at"),
)

BATCHES = Table(
    "stackgen_vector_batches",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("store", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index("stackgen_vector_batches_by_store", "store"),
)

CHUNKS = Table(
    "stackgen_vector_chunks",
    _TABLES,
    Column("id", String(128), primary_key=True),
    Column("store", String(64), nullable=False),
    # The row of FILES that it is of, and where in it; null for one that was inserted by itself.
    Column("file", String(64)),
    Column("number", Integer, nullable=False),
    # What the index knows it by together with others: that row's id, or its own.
    Column("name", Text),
    Column("text", Text, nullable=False),
    # JSON, of those inserted by themselves: what clients say of it, and what Llama Stack's `chunk_metadata` does.
    Column("labels", Text),
    Column("notes", Text),
    Column("expires_at", Double),
    Index("stackgen_vector_chunks_by_file", "file", "number"),
    Index("stackgen_vector_chunks_by_store", "store"),
    Index("stackgen_vector_chunks_by_expiry", "expires_at"),
)


def create(connection: Connection) -> None:
    """The first form of the tables."""
    _TABLES.create_all(connection, tables=(STORES, FILES, BATCHES, CHUNKS), checkfirst=False)


MIGRATIONS = (create,)

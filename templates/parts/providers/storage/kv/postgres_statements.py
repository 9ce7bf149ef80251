"""What a key-value store says to PostgreSQL. Names of tables are put in once, values never."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

# COLLATE "C": by the bytes of UTF-8, whatever the database sorts by. expires: null for never.
_STEPS = (
    """
    CREATE TABLE $table (
        namespace text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        value bytea NOT NULL,
        expires timestamptz,
        PRIMARY KEY (namespace, key)
    );
    CREATE INDEX ${table}_expires ON $table (expires) WHERE expires IS NOT NULL;
    CREATE TABLE ${table}_revisions (namespace text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL)
    """,
)

_LIVES = "(expires IS NULL OR expires > now())"

_PUT = """
    INSERT INTO $table AS there (namespace, key, value, expires)
    VALUES ($$1, $$2, $$3, now() + $$4::float8 * interval '1 second')
    ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""

# Whoever has written takes the namespace's revision until the commit, so that revisions and writes become visible in
# one order. It is not below the clock: a database that a backup has been put back into does not come to a number again
# that stood for something else.
_BUMPED = """
    WITH written AS ($change RETURNING 1)
    INSERT INTO ${table}_revisions AS last (namespace, revision)
    SELECT $$1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM written
    ON CONFLICT (namespace) DO UPDATE SET revision = greatest(last.revision + 1, excluded.revision)
    RETURNING revision
"""


@dataclass(frozen=True, slots=True)
class Statements:
    """For one table. Changes return a row where they have changed something; $1 is the namespace, $2 the key.

    put, add: $3 the value, $4 the seconds that it lives. replace: $3 the value, $4 what it was. remove: $3 what it was.
    scan: $2 the least key, $3 what all keys are less than, $4 how many.
    """

    steps: tuple[str, ...]
    get: str
    put: str
    add: str
    replace: str
    delete: str
    remove: str
    scan: str
    sweep: str
    revision: str


def statements(table: str) -> Statements:
    """table: a name that needs no quotes."""

    def fill(text: str, **more: str) -> str:
        return Template(text).substitute(table=table, **more)

    def change(text: str) -> str:
        return fill(_BUMPED, change=fill(text))

    delete = f"DELETE FROM $table WHERE namespace = $$1 AND key = $$2 AND {_LIVES}"
    return Statements(
        steps=tuple(map(fill, _STEPS)),
        get=fill(f"SELECT value FROM $table WHERE namespace = $$1 AND key = $$2 AND {_LIVES}"),
        put=change(_PUT),
        add=change(f"{_PUT} WHERE there.expires <= now()"),
        replace=change(
            f"UPDATE $table SET value = $$3 WHERE namespace = $$1 AND key = $$2 AND value = $$4 AND {_LIVES}"
        ),
        delete=change(delete),
        remove=change(f"{delete} AND value = $$3"),
        scan=fill(
            f"SELECT key, value FROM $table WHERE namespace = $$1 AND key >= $$2 AND key < $$3 AND {_LIVES} "
            "ORDER BY key LIMIT $$4"
        ),
        sweep=fill(
            "DELETE FROM $table WHERE ctid = ANY (ARRAY ("
            "SELECT ctid FROM $table WHERE expires <= now() ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED))"
        ),
        revision=fill("SELECT revision FROM ${table}_revisions WHERE namespace = $$1"),
    )

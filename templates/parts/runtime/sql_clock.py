"""The clock of a SQL database: whoever shares the database shares it, whatever their machines think."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, Double, cast, extract, func


def database_now(dialect: Literal["sqlite", "postgresql"]) -> ColumnElement[float]:
    """Unix time in seconds, at the moment of the statement. dialect: `Sql.dialect`."""
    if dialect == "sqlite":
        return (func.julianday("now", type_=Double) - 2440587.5) * 86400.0
    return cast(extract("epoch", func.clock_timestamp()), Double)

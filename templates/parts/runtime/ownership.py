"""Whose the rows of a SQL database are: the rule of `owner`, within a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .owner import Owner, owner_of

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement

    from .context import Context

__all__ = ["Owner", "owner_of", "seen_by"]


def seen_by(column: Column[str | None], ctx: Context) -> ColumnElement[bool]:
    """What the caller may see. column: of principals, null for what nobody owns."""
    from sqlalchemy import or_, true

    return true() if ctx.principal is None else or_(column.is_(None), column == ctx.principal)

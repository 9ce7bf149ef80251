"""Who owns what is kept, and who may see it.

Everything that a request leaves behind carries its caller: the principal, and the attributes that access rules go by.
A server that does not authenticate has no principals, and everybody sees everything. Otherwise a caller sees what is
its own and what nobody owns; the rest is not there for it (404, so that ids tell nothing).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .context import Context


@dataclass(frozen=True, slots=True)
class Owner:
    """principal: None for what nobody owns. attributes: JSON of {attribute: [value, …]}."""

    principal: str | None
    attributes: str = "{}"

    def seen_by(self, ctx: Context) -> bool:
        return ctx.principal is None or self.principal in (None, ctx.principal)


def owner_of(ctx: Context) -> Owner:
    """Whoever makes this request."""
    return Owner(ctx.principal, json.dumps({name: list(values) for name, values in ctx.attributes.items()}))

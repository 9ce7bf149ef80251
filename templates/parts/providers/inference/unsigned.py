"""Services whose requests get their credential on the way, and may have none."""

from __future__ import annotations

from ...runtime.upstream import Call, Upstream

REFUSALS = frozenset(range(400, 500))


async def answers_unsigned(upstream: Upstream) -> None:
    """Whether the host is there: a request that shows nobody is answered, be it by a refusal. Raises StackError."""
    unsigned = {"Authorization": "none"}
    await upstream.fetch(Call("GET", "/", headers=unsigned, retries=0, expected=REFUSALS))

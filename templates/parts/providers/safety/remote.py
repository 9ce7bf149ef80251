"""How guards ask a service on the network: a POST of JSON, answered by a JSON object."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from pydantic_core import from_json, to_json

from ...runtime.context import Context
from ...runtime.errors import Forbidden, StackError, Unauthenticated, Unavailable, UpstreamError
from ...runtime.upstream import Call, Upstream
from ...runtime.wiring import Health

HEALTH_SECONDS = 3.0


async def answer_to(upstream: Upstream, call: Call, body: Mapping[str, object], ctx: Context) -> dict[str, object]:
    """The object that a service answers; `call` is sent with the body. Raises StackError."""
    data = to_json(body)
    return object_in(await upstream.fetch(replace(call, body=data, headers={**usual(ctx), **call.headers})), upstream)


def usual(ctx: Context) -> dict[str, str]:
    """The headers that go with every call."""
    headers = {"Content-Type": "application/json", "X-Request-Id": ctx.request_id}
    return headers if ctx.trace is None else {**headers, "Traceparent": ctx.trace}


def object_in(said: bytes, upstream: Upstream) -> dict[str, object]:
    """Raises UpstreamError where it is none."""
    try:
        document = from_json(said)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise nonsense(upstream)
    return document


def nonsense(upstream: Upstream) -> UpstreamError:
    """For an answer from which nothing can be known of the input."""
    message = f"{upstream.host} answered what is no verdict, so nothing is known of the input"
    return UpstreamError(message, code="upstream_invalid_answer")


def ours(error: StackError, upstream: Upstream) -> StackError:
    """A refusal of the server's own credential is no doing of the client's, who has sent none."""
    if isinstance(error, Unauthenticated | Forbidden):
        return Unavailable(f"{upstream.host} refuses the server's credential", code="guard_unavailable")
    return error


async def reachable(upstream: Upstream, call: Call) -> Health:
    """Whether the service answers at all within 3 s: a refusal shows that it is there."""
    try:
        async with asyncio.timeout(HEALTH_SECONDS):
            await upstream.fetch(replace(call, retries=0))
    except TimeoutError:
        return Health("Error", f"{upstream.host} did not answer within {HEALTH_SECONDS:g} s")
    except StackError as error:
        if error.status >= 500:
            return Health("Error", error.message)
    return Health("OK")

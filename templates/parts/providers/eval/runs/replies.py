"""What answers to rows are, and what models and agents reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pydantic import BaseModel

from ....runtime.errors import UpstreamError
from ....runtime.reply import Answer, Events
from .asking import Row

if TYPE_CHECKING:
    from ....runtime.context import Context

Generation: TypeAlias = Mapping[str, object]
"""`generated_answer`; of a row that could not be answered it is null, and `error` says why."""

AnswerRow: TypeAlias = Callable[[Row, "Context"], Awaitable[Generation]]
"""What answers a row. Raises StackError."""

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound=BaseModel)


async def whole(reply: Answer[M] | Events[E], model: type[M]) -> M:
    """The object that was answered. Raises UpstreamError."""
    if not isinstance(reply, Answer):
        await reply.aclose()
        raise nonsense("a stream came though none was asked for")
    try:
        return reply.parse(model)
    except ValueError:
        raise nonsense("the answer is not to be understood") from None


def nonsense(message: str) -> UpstreamError:
    return UpstreamError(message, code="upstream_invalid_answer")

"""What every provider is that serves one model inside the server, and what it says without one.

A model that cannot be had does not stop the server: it is listed, its calls answer 503 with the reason, and its health
tells.

    async with model_or_why(_open(config), instance=instance, name=name) as opened:
        yield Provider(name, opened)
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel
from pydantic_core import from_json

from ...runtime.context import Context
from ...runtime.errors import BadRequest, Unavailable
from ...runtime.wiring import Health
from .model_files import BadModel

log = logging.getLogger(__name__)

T = TypeVar("T")

# A path's folders, where it begins a word: neither OWNER/NAME nor an address.
_FOLDERS = re.compile(r"(?<![\w.:/~-])(?:~[\w.-]*|\.{1,2})?/(?:[^/\s'\"]+/)*(?=[^/\s'\"])")


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no model. reason: as clients may read it."""

    reason: str


class OneModel(Generic[T]):
    """A provider's model: `loaded`, or the `problem` why it is not."""

    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(self, name: str, opened: T | Missing) -> None:
        self.name = name
        self.loaded = None if isinstance(opened, Missing) else opened
        self.problem = opened.reason if isinstance(opened, Missing) else ""

    async def health(self) -> Health:
        """Whether the model is loaded, and why it is not."""
        return Health("OK") if self.loaded is not None else Health("Error", self.problem)

    def _serving(self) -> T:
        """Raises Unavailable without a model."""
        if self.loaded is None:
            raise Unavailable(f"model {self.name!r} is not available: {self.problem}", code="model_unavailable")
        return self.loaded

    def _unsupported(self, operation: str, reason: str) -> BadRequest:
        return BadRequest(
            f"model {self.name!r} does not offer {operation}: {reason}", code="unsupported_operation", param="model"
        )

    def _no_chat_template(self) -> BadRequest:
        return BadRequest(
            f"model {self.name!r} has no chat template; use /v1/completions, or set chat_template for it",
            code="no_chat_template",
            param="model",
        )


@asynccontextmanager
async def model_or_why(
    opening: AbstractAsyncContextManager[T], *, instance: str, name: str
) -> AsyncIterator[T | Missing]:
    """The model, loaded if it can be; the log says at once what is wrong with one that cannot."""
    async with AsyncExitStack() as stack:
        opened: T | Missing
        log.info("provider %s: loading %s", instance, name)
        try:
            opened = await stack.enter_async_context(opening)
        except BadModel as error:
            log.error("provider %s: model %s is not available: %s", instance, name, error)
            opened = Missing(without_folders(str(error)))
        yield opened


def without_folders(text: str) -> str:
    """A path of the machine is not for clients: its last name is left."""
    return _FOLDERS.sub("", text)


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Options(Protocol):
    @property
    def include_usage(self) -> bool | None: ...


def wants_usage(options: _Options | None) -> bool:
    """Whether a stream's last event is to tell what was used."""
    return options is not None and bool(options.include_usage)


def body_of(request: BaseModel, ctx: Context) -> bytes:
    """The request as its client sent it, or as it was made inside the server."""
    return ctx.body or request.model_dump_json(by_alias=True, exclude_unset=True).encode()


def document_of(request: BaseModel, ctx: Context) -> dict[str, object]:
    """The request as an object, without its nulls, which say the same as nothing."""
    return {key: value for key, value in from_json(body_of(request, ctx)).items() if value is not None}


async def begun(blocks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The stream once its first block, an empty one, has told that there will be events.

    Raises StackError where there will be none.
    """
    await anext(blocks, b"")
    return blocks

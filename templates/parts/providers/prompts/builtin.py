"""Prompts that the server keeps itself, in a key-value store."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.prompts.responses import ListPromptsResponse
from ...runtime.errors import Conflict, NotFound
from ...runtime.ids import new_id
from ...runtime.owner import owner_of
from .document import Document, Version, loaded
from .text import declared

if TYPE_CHECKING:
    from ...contracts.prompts.requests import (
        CreatePromptRequest,
        DeletePromptRequest,
        ListPromptsRequest,
        ListPromptVersionsRequest,
        PostDefaultPromptVersionRequest,
        PostPromptRequest,
        RetrievePromptRequest,
        SetDefaultPromptVersionRequest,
        UpdatePromptRequest,
    )
    from ...contracts.prompts.responses import Prompt
    from ...runtime.context import Context
    from ...runtime.kv import Kv, KvBackend

_ID = re.compile(r"pmpt_[0-9a-f]{48}")
_PAGE = 50
_TRIES = 20


class BuiltinPrompts:
    """Implements the prompts API."""

    def __init__(self, kv: Kv) -> None:
        self._kv = kv

    async def list_prompts(self, request: ListPromptsRequest, ctx: Context) -> ListPromptsResponse:
        """The oldest first."""
        found: list[tuple[int, Prompt]] = []
        after = ""
        while page := await self._kv.scan(after=after, limit=_PAGE):
            after = page[-1][0]
            documents = [loaded(key, text) for key, text in page]
            found += [(each.created_ns, each.shown()) for each in documents if each.owner.seen_by(ctx)]
        return ListPromptsResponse(data=[prompt for _, prompt in sorted(found, key=lambda each: each[0])])

    async def create_prompt(self, request: CreatePromptRequest, ctx: Context) -> Prompt:
        version = Version(request.prompt, tuple(declared(request.prompt, request.variables)))
        document = Document(new_id("pmpt"), owner_of(ctx), time.time_ns(), 1, (version,))
        await self._kv.put(document.id, document.dumped())
        return document.shown()

    async def retrieve_prompt(self, request: RetrievePromptRequest, ctx: Context) -> Prompt:
        document, _ = await self._found(request.prompt_id, ctx)
        return document.shown(request.version)

    async def update_prompt(self, request: UpdatePromptRequest | PostPromptRequest, ctx: Context) -> Prompt:
        """Raises Conflict where the version that is quoted is not the latest."""
        version = Version(request.prompt, tuple(declared(request.prompt, request.variables)))

        def followed(document: Document) -> Document:
            if request.version != document.latest:
                raise Conflict(
                    f"prompt {document.id!r} is at version {document.latest}, not {request.version}: read it again, "
                    "and quote the latest version",
                    code="version_conflict",
                    param="version",
                )
            return document.followed(version, is_default=request.set_as_default is not False)

        document = await self._changed(request.prompt_id, ctx, followed)
        return document.shown(document.latest)

    async def post_prompt(self, request: PostPromptRequest, ctx: Context) -> Prompt:
        return await self.update_prompt(request, ctx)

    async def delete_prompt(self, request: DeletePromptRequest, ctx: Context) -> None:
        for _ in range(_TRIES):
            _, text = await self._found(request.prompt_id, ctx)
            if await self._kv.delete(request.prompt_id, was=text):
                return
        raise _too_busy(request.prompt_id)

    async def set_default_prompt_version(
        self, request: SetDefaultPromptVersionRequest | PostDefaultPromptVersionRequest, ctx: Context
    ) -> Prompt:
        document = await self._changed(request.prompt_id, ctx, lambda found: found.with_default(request.version))
        return document.shown(request.version)

    async def post_default_prompt_version(self, request: PostDefaultPromptVersionRequest, ctx: Context) -> Prompt:
        return await self.set_default_prompt_version(request, ctx)

    async def list_prompt_versions(self, request: ListPromptVersionsRequest, ctx: Context) -> ListPromptsResponse:
        document, _ = await self._found(request.prompt_id, ctx)
        return ListPromptsResponse(data=[document.shown(number) for number in range(1, document.latest + 1)])

    async def _found(self, prompt_id: str, ctx: Context) -> tuple[Document, bytes]:
        """A prompt, and the bytes it was read from. Raises NotFound where the caller sees none."""
        text = await self._kv.get(prompt_id) if _ID.fullmatch(prompt_id) else None
        document = loaded(prompt_id, text) if text is not None else None
        if text is None or document is None or not document.owner.seen_by(ctx):
            raise NotFound(f"there is no prompt {prompt_id[:100]!r}", code="prompt_not_found", param="prompt_id")
        return document, text

    async def _changed(self, prompt_id: str, ctx: Context, change: Callable[[Document], Document]) -> Document:
        """Changes a prompt as it is, again where others have changed it meanwhile; the prompt then."""
        for _ in range(_TRIES):
            document, text = await self._found(prompt_id, ctx)
            changed = change(document)
            if await self._kv.replace(prompt_id, changed.dumped(), was=text):
                return changed
        raise _too_busy(prompt_id)


def _too_busy(prompt_id: str) -> Conflict:
    return Conflict(f"prompt {prompt_id!r} is being changed by others without a pause; try again", code="prompt_busy")


@asynccontextmanager
async def open_prompts(*, store: KvBackend) -> AsyncIterator[BuiltinPrompts]:
    """store: where they are kept, in the namespace `prompts`."""
    yield BuiltinPrompts(store.namespace("prompts"))

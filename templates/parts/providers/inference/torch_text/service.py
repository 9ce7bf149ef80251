"""A model that generates, as what answers chat completions and completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias

from ....runtime.context import Usage
from ..model_files import read_template
from .answers import Account, chat_documents, completion_documents, events, whole_chat, whole_completion
from .answers import Document as Answered
from .constraints import Guides
from .engine import Engine
from .loading import Loaded
from .prompts import Prompts
from .requests import Model, Work, chat_work, completion_work
from .settings import Defaults

Document: TypeAlias = Mapping[str, Any]


class Text:
    """A model that is loaded and runs. chats: whether it has a chat template."""

    def __init__(self, model: Model, engine: Engine, name: str) -> None:
        self.model = model
        self.loaded = model.loaded
        self.engine = engine
        self.chats = model.prompts.template is not None
        self._name = name

    async def chat(self, document: Document, usage: Usage) -> bytes:
        """A chat completion. Raises StackError."""
        account = Account(usage)
        found = self._chat(document, account)
        return await whole_chat(found, account, logprobs=bool(document.get("logprobs")))

    def chat_events(self, document: Document, usage: Usage, *, wants_usage: bool) -> AsyncGenerator[bytes, None]:
        account = Account(usage)
        return events(self._chat(document, account), account, wants_usage=wants_usage)

    async def completion(self, document: Document, usage: Usage) -> bytes:
        """A completion. Raises StackError."""
        account = Account(usage)
        return await whole_completion(self._completion(document, account), account)

    def completion_events(self, document: Document, usage: Usage, *, wants_usage: bool) -> AsyncGenerator[bytes, None]:
        account = Account(usage)
        return events(self._completion(document, account), account, wants_usage=wants_usage)

    async def _chat(self, document: Document, account: Account) -> AsyncGenerator[Answered, None]:
        work = await asyncio.to_thread(chat_work, self.model, document)
        account.usage.prompt_tokens = work.prompt_tokens
        logprobs = bool(document.get("logprobs"))
        found = chat_documents(self._pieces(work), account, self._name, work.form, logprobs=logprobs)
        async with aclosing(found):
            async for each in found:
                yield each

    async def _completion(self, document: Document, account: Account) -> AsyncGenerator[Answered, None]:
        work = await asyncio.to_thread(completion_work, self.model, document)
        account.usage.prompt_tokens = work.prompt_tokens
        found = completion_documents(self._pieces(work), account, self._name)
        async with aclosing(found):
            async for each in found:
                yield each

    def _pieces(self, work: Work) -> AsyncGenerator[Any, None]:
        return self.engine.generate(work.jobs)


@asynccontextmanager
async def open_text(
    loaded: Loaded, name: str, *, template: str | None, rows: int, seed: int | None
) -> AsyncIterator[Text]:
    """template: a file in place of the model's own. rows: answers at once. Raises BadModel."""
    defaults = Defaults(loaded.model.generation_config, seed)
    end = loaded.tokenizer.eos_token_id
    ends = defaults.ends or (() if end is None else (end,))
    vocabulary = loaded.model.config.get_text_config().vocab_size
    guides = Guides(loaded, vocabulary, ends)
    chat_template = await asyncio.to_thread(read_template, template) or _own_template(loaded)
    model = Model(
        loaded=loaded,
        prompts=Prompts(loaded.tokenizer, chat_template),
        defaults=defaults,
        guides=guides,
        vocabulary=vocabulary,
        ends=ends,
    )
    engine = await asyncio.to_thread(Engine, loaded, guides, rows, asyncio.get_running_loop())
    try:
        yield Text(model, engine, name)
    finally:
        await engine.close()


def _own_template(loaded: Loaded) -> str | None:
    """The tokenizer's template; of several the one for tools, which serves without tools as well, else the default."""
    found = loaded.tokenizer.chat_template
    if isinstance(found, Mapping):
        found = found.get("tool_use") or found.get("default")
    return found if isinstance(found, str) and found.strip() else None

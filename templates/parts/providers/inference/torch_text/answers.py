"""OpenAI's answers to chat completions and completions: events for a stream, and whole answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic_core import to_json

from ....runtime.context import Usage
from ....runtime.sse import event
from .rows import Piece
from .text import BROKEN, Token
from .tools import Call, Format, Reader

Document: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Account:
    """What one request uses, kept up in its usage as it goes."""

    usage: Usage
    _counts: dict[int, int] = field(default_factory=dict)

    def see(self, piece: Piece) -> None:
        self._counts[piece.index] = piece.generated
        self.usage.completion_tokens = sum(self._counts.values())

    def document(self) -> Document:
        prompt, completion = self.usage.prompt_tokens or 0, self.usage.completion_tokens or 0
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def head(kind: str, prefix: str, model: str) -> Document:
    """What every event of one answer says."""
    return {"id": f"{prefix}-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}


# ── chat ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Choice:
    """One choice of a chat as it comes: its deltas. form: how the model writes calls, None where it has no tools."""

    def __init__(self, form: Format | None) -> None:
        self._reader = Reader(form) if form is not None else None
        self._calls = 0

    def deltas(self, piece: Piece) -> Iterator[Document]:
        for part in self._parts(piece):
            if isinstance(part, str):
                yield {"content": part}
            else:
                yield {"tool_calls": [self._call(part)]}

    def ending(self, finish: str) -> str:
        """Why it ended, in OpenAI's words."""
        return "tool_calls" if self._calls and finish == "stop" else finish

    def _parts(self, piece: Piece) -> Iterator[str | Call]:
        if self._reader is None:
            if piece.text:
                yield piece.text
            return
        yield from self._reader.feed(piece.text)
        if piece.finish is not None:
            yield from self._reader.finish()

    def _call(self, call: Call) -> Document:
        self._calls += 1
        function = {"name": call.name, "arguments": call.arguments}
        return {
            "index": self._calls - 1,
            "id": f"call_{secrets.token_hex(12)}",
            "type": "function",
            "function": function,
        }


async def chat_documents(
    pieces: AsyncGenerator[Piece, None], account: Account, model: str, form: Format | None, *, logprobs: bool
) -> AsyncGenerator[Document, None]:
    """The events of a chat completion. Closing it ends the generation."""
    about = head("chat.completion.chunk", "chatcmpl", model)
    choices: dict[int, _Choice] = {}
    async with aclosing(pieces):
        async for piece in pieces:
            account.see(piece)
            deltas: list[Document] = []
            if piece.index not in choices:
                choices[piece.index] = _Choice(form)
                deltas.append({"role": "assistant", "content": ""})
            choice = choices[piece.index]
            deltas.extend(choice.deltas(piece))
            if piece.tokens and not any("role" not in delta for delta in deltas):
                deltas.append({"content": ""})
            for number, delta in enumerate(deltas):
                # The log probabilities go with the last of what came at once.
                told = piece.tokens if number == len(deltas) - 1 else ()
                yield {**about, "choices": [_chat_choice(piece.index, delta, told, None, logprobs)]}
            if piece.finish is not None:
                yield {**about, "choices": [_chat_choice(piece.index, {}, (), choice.ending(piece.finish), logprobs)]}


def _chat_choice(index: int, delta: Document, tokens: Sequence[Token], finish: str | None, logprobs: bool) -> Document:
    told = {"content": [_chat_token(token) for token in tokens], "refusal": None} if logprobs and tokens else None
    return {"index": index, "delta": delta, "logprobs": told, "finish_reason": finish}


def _chat_token(token: Token) -> Document:
    likely = [{"token": text, "logprob": value, "bytes": list(raw)} for text, raw, value in token.likely]
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.raw), "top_logprobs": likely}


async def whole_chat(documents: AsyncGenerator[Document, None], account: Account, *, logprobs: bool) -> bytes:
    """A chat completion, put together of its stream."""
    about: Document = {}
    choices: dict[int, Document] = {}
    async with aclosing(documents):
        async for document in documents:
            about = document
            for choice in document["choices"]:
                _extend(choices, choice, logprobs)
    found = [choices[index] for index in sorted(choices)]
    return to_json({**about, "object": "chat.completion", "choices": found, "usage": account.document()})


def _extend(choices: dict[int, Document], choice: Document, logprobs: bool) -> None:
    index, delta = choice["index"], choice["delta"]
    told: Document | None = {"content": [], "refusal": None} if logprobs else None
    empty = {"index": index, "message": {"role": "assistant", "content": None, "refusal": None}, "logprobs": told}
    whole = choices.setdefault(index, empty)
    message = whole["message"]
    if delta.get("content"):
        message["content"] = (message["content"] or "") + delta["content"]
    for call in delta.get("tool_calls", ()):
        message.setdefault("tool_calls", []).append({key: call[key] for key in ("id", "type", "function")})
    if told is not None and choice["logprobs"] is not None:
        whole["logprobs"]["content"].extend(choice["logprobs"]["content"])
    if choice["finish_reason"] is not None:
        whole["finish_reason"] = choice["finish_reason"]
        if message["content"] is None and "tool_calls" not in message:
            message["content"] = ""


# ── completions ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def completion_documents(
    pieces: AsyncGenerator[Piece, None], account: Account, model: str
) -> AsyncGenerator[Document, None]:
    """The events of a completion. Closing it ends the generation."""
    about = head("text_completion", "cmpl", model)
    async with aclosing(pieces):
        async for piece in pieces:
            account.see(piece)
            if piece.text or piece.tokens or piece.finish is not None:
                told = _legacy(piece.tokens) if piece.tokens else None
                choice = {"index": piece.index, "text": piece.text, "logprobs": told, "finish_reason": piece.finish}
                yield {**about, "choices": [choice]}


async def whole_completion(documents: AsyncGenerator[Document, None], account: Account) -> bytes:
    """A completion, put together of its stream."""
    about: Document = {}
    choices: dict[int, Document] = {}
    async with aclosing(documents):
        async for document in documents:
            about = document
            for choice in document["choices"]:
                whole = choices.setdefault(choice["index"], choice)
                if whole is choice:
                    continue
                whole["text"] += choice["text"]
                whole["finish_reason"] = choice["finish_reason"]
                whole["logprobs"] = _together(whole["logprobs"], choice["logprobs"])
    found = [choices[index] for index in sorted(choices)]
    return to_json({**about, "choices": found, "usage": account.document()})


def _legacy(tokens: Sequence[Token]) -> Document:
    return {
        "tokens": [_name(token.text, token.raw) for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{_name(text, raw): value for text, raw, value in token.likely} for token in tokens],
        "text_offset": [token.offset for token in tokens],
    }


def _name(text: str, raw: bytes) -> str:
    """A token by its text, or by its bytes where it is less than a character, as OpenAI writes them."""
    return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw) if BROKEN in text else text


def _together(first: Document | None, second: Document | None) -> Document | None:
    if first is None or second is None:
        return first or second
    return {key: [*values, *second[key]] for key, values in first.items()}


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def events(
    documents: AsyncGenerator[Document, None], account: Account, *, wants_usage: bool
) -> AsyncGenerator[bytes, None]:
    """A stream's events: first b"" once the first document is there, so that a refusal comes with its status."""
    about: Document = {}
    async with aclosing(documents):
        async for document in documents:
            if not about:
                yield b""
            about = document
            yield event(to_json(document))
    if wants_usage:
        yield event(to_json({**about, "choices": [], "usage": account.document()}))

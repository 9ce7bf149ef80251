"""A model of chat completions that says what it is told to, in place of a service."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
from parts.runtime.context import Context
from parts.runtime.reply import Answer, Events

Json = dict[str, Any]
Reply = Sequence[Mapping[str, Any]] | Exception
"""Deltas of one answer, a `finish_reason` among them where it is not `stop`; or what is raised in its place."""


def text(*pieces: str) -> list[Json]:
    return [{"role": "assistant", "content": ""}, *({"content": each} for each in pieces)]


def call(name: str, arguments: object, call_id: str = "call_1", index: int = 0) -> list[Json]:
    """A call in three pieces."""
    said = json.dumps(arguments)
    half = len(said) // 2
    head = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        {"role": "assistant", "tool_calls": [head]},
        {"tool_calls": [{"index": index, "function": {"arguments": said[:half]}}]},
        {"tool_calls": [{"index": index, "function": {"arguments": said[half:]}}]},
    ]


class Model:
    """replies: one for each question; the last one again for all that follow. asked: the bodies. closed: how many
    streams were let go of. broken: raised once a stream has said all.
    """

    def __init__(self, *replies: Reply, answers: Callable[[Json], Reply] | None = None) -> None:
        self.replies = list(replies)
        self.answers = answers
        self.asked: list[Json] = []
        self.closed = 0
        self.broken: Exception | None = None

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        body: Json = json.loads(ctx.body)
        self.asked.append(body)
        reply = self.answers(body) if self.answers else self.replies[min(len(self.asked), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        ctx.usage.instance, ctx.usage.prompt_tokens, ctx.usage.completion_tokens = "up", 9, 3
        finish = next((each["finish_reason"] for each in reply if "finish_reason" in each), "stop")
        deltas = [each for each in reply if "finish_reason" not in each]
        if request.stream:
            return _Said(self, deltas, finish)
        return Answer(json.dumps(_whole(deltas, finish)).encode())


class _Said(Events[CreateChatCompletionStreamResponse]):
    def __init__(self, model: Model, deltas: Sequence[Mapping[str, Any]], finish: str) -> None:
        super().__init__(_blocks(model, deltas, finish))
        self._model = model

    async def aclose(self) -> None:
        await super().aclose()
        self._model.closed += 1


async def _blocks(model: Model, deltas: Sequence[Mapping[str, Any]], finish: str) -> AsyncGenerator[bytes, None]:
    choices: list[list[Json]] = [[{"index": 0, "delta": each, "finish_reason": None}] for each in deltas]
    for choice in choices:
        yield _event({"choices": choice})
    if model.broken is not None:
        raise model.broken
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    yield _event({"choices": [], "usage": USAGE})


USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
_HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}


def _event(chunk: Json) -> bytes:
    return b"data: " + json.dumps({**_HEAD, **chunk}).encode() + b"\n\n"


def _whole(deltas: Sequence[Mapping[str, Any]], finish: str) -> Json:
    message: Json = {"role": "assistant", "content": None}
    calls: dict[int, Json] = {}
    for delta in deltas:
        for key in ("content", "refusal", "reasoning_content"):
            if delta.get(key):
                message[key] = (message.get(key) or "") + delta[key]
        for piece in delta.get("tool_calls", ()):
            made = calls.setdefault(piece["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
            made |= {"id": piece["id"]} if "id" in piece else {}
            for key in ("name", "arguments"):
                made["function"][key] += piece["function"].get(key, "")
    if calls:
        message["tool_calls"] = list(calls.values())
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}

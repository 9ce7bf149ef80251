"""The rest of a server, as agents see it: a model, tools and shields that do what a text tells them.

The model reads the last message. Of a user:

    call add {"a": 1}; where {}   calls these tools, and any number of them
    fail, break, hang, cut off    is not there; breaks off in the middle; says nothing more; ends for want of tokens
    anything else                 says `you said: …`

and of a tool: `the tool said: …`. The tool `add` adds `a` and `b`, `broken` fails, `echo` says what it was called
with, and the shield `no-bombs` does not let a bomb pass.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
from ...contracts.safety.requests import RunShieldRequest
from ...contracts.safety.responses import RunShieldResponse
from ...contracts.shared.tool_defs import ListToolDefsResponse, ToolDef
from ...contracts.shared.violation import SafetyViolation
from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from ...contracts.tool_runtime.responses import ToolInvocationResult
from ...runtime.context import Context
from ...runtime.errors import NotFound, UpstreamError
from ...runtime.reply import Answer, Events
from ...runtime.sse import event

MODEL = "model-1"
Json = dict[str, Any]

_CALL = re.compile(r"(\w+) (\{.*?\})(?:; |$)")


@dataclass
class Model:
    """A model for chat. seen: the bodies of its requests. cancelled: how many of its answers were given up."""

    seen: list[Json] = field(default_factory=list)
    cancelled: int = 0

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        body: Json = from_json(ctx.body)
        self.seen.append(body)
        if request.model != MODEL:
            raise NotFound(f"there is no model {request.model!r}", code="model_not_found", param="model")
        check_chat(body["messages"])
        if _text(body["messages"][-1]) == "fail":
            raise UpstreamError("the model is not there")
        assert body["stream"] is True, "a turn's text comes as it is made"
        ctx.usage.instance, ctx.usage.model = "fake", MODEL
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 3, 2
        return Events(self._watched(body["messages"]))

    async def _watched(self, messages: Sequence[Json]) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(spoken(messages)) as blocks:
                async for block in blocks:
                    yield block
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise


async def spoken(messages: Sequence[Json]) -> AsyncGenerator[bytes, None]:
    """What the model says to messages, as the events of a chat completion."""
    role, said = messages[-1]["role"], _text(messages[-1])
    if role == "user" and said.startswith("call "):
        for delta in _calling(said.removeprefix("call ")):
            yield _chunk(delta)
        yield _chunk({}, "tool_calls")
        return
    answer = f"the tool said: {said}" if role == "tool" else f"you said: {said}"
    yield _chunk({"role": "assistant", "content": ""})
    for start in range(0, len(answer), 7):
        yield _chunk({"content": answer[start : start + 7]})
        if said == "break":
            raise UpstreamError("the model broke off")
        if said == "hang":
            await asyncio.sleep(600)
    yield _chunk({}, "length" if said == "cut off" else "stop")


def _text(message: Json) -> str:
    content = message["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


def _calling(said: str) -> Iterator[Json]:
    """The pieces of calls, their arguments in two."""
    for index, (name, arguments) in enumerate(_CALL.findall(said)):
        first = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        yield {"tool_calls": [first]}
        for piece in (arguments[:2], arguments[2:]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _chunk(delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}
    return event(to_json(chunk))


def check_chat(messages: Sequence[Json]) -> None:
    """Refuses what services do: each call is answered once, right behind it, and nothing else is."""
    waiting: list[str] = []
    for each in messages:
        if each["role"] == "tool":
            assert each["tool_call_id"] in waiting, f"an answer to no call: {messages}"
            waiting.remove(each["tool_call_id"])
        else:
            assert not waiting, f"a call without an answer: {messages}"
            waiting = [call["id"] for call in each.get("tool_calls") or ()]
    assert not waiting, f"a call without an answer: {messages}"


@dataclass
class ToolShed:
    """The tools of the groups `sums`, `talk` and `builtin::rag`. seen: the requests to run one."""

    seen: list[InvokeToolRequest] = field(default_factory=list)

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        self.seen.append(request)
        match request.tool_name:
            case "add":
                return ToolInvocationResult(content=str(request.kwargs["a"] + request.kwargs["b"]))
            case "broken":
                return ToolInvocationResult(error_message="the disk is full", error_code=1)
            case "knowledge_search":
                return ToolInvocationResult(content="Paris is large.")
            case "echo":
                return ToolInvocationResult(content=to_json(request.kwargs).decode(), metadata={"spoken": True})
        raise UpstreamError("the tool is away")

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        groups = {"sums": ("add", "broken", "away"), "talk": ("echo",), "builtin::rag": ("knowledge_search",)}
        names = groups.get(request.tool_group_id or "")
        if names is None:
            raise NotFound(f"there is no tool group {request.tool_group_id!r}", code="toolgroup_not_found")
        schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
        return ListToolDefsResponse(
            data=[ToolDef(name=each, description=f"To {each}.", input_schema=schema) for each in names]
        )


@dataclass
class Guard:
    """The shield `no-bombs`. seen: what it judged, as text."""

    seen: list[str] = field(default_factory=list)

    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        if request.shield_id != "no-bombs":
            raise NotFound(f"there is no shield {request.shield_id!r}", code="shield_not_found")
        text = to_json([each.model_dump(mode="json") for each in request.messages]).decode()
        self.seen.append(text)
        if "bomb" not in text:
            return RunShieldResponse(violation=None)
        violation = SafetyViolation(violation_level="error", user_message="Not about bombs.", metadata={"of": "bombs"})
        return RunShieldResponse(violation=violation)


@dataclass
class FakeServer:
    """What a server gives its agents."""

    model: Model = field(default_factory=Model)
    tools: ToolShed = field(default_factory=ToolShed)
    guard: Guard = field(default_factory=Guard)

"""llama.cpp's answers: events for a stream, the same events put together for a whole answer, and its refusals."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from itertools import accumulate
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json

from ....runtime.context import Usage
from ....runtime.errors import BadRequest, StackError, Unavailable
from ....runtime.sse import event
from ..refusals import is_out_of_memory, no_memory, too_long

Document: TypeAlias = dict[str, Any]

_TOO_LONG = re.compile(r"(?:request|input) \((\d+) tokens\)")


# What C++ throws, of which only the text arrives.
_NO_MEMORY = "bad_alloc"


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def refusal(error: Mapping[str, object], context: int) -> StackError:
    """What llama.cpp's error object means to a client. context: tokens that one request can have."""
    message, code = str(error.get("message", "")), error.get("code")
    if error.get("type") == "exceed_context_size_error" or "too large to process" in message:
        return _too_long(error.get("n_prompt_tokens"), message, error.get("n_ctx", context))
    if _NO_MEMORY in message:
        return no_memory()
    if code == 503:
        return Unavailable(message)
    if isinstance(code, int) and (400 <= code < 500 or code == 501):
        return BadRequest(message)
    return StackError(f"llama.cpp failed: {message}", code="inference_failed")


def raised(error: BaseException) -> BaseException:
    """The same for what it throws before a request has become a task: about the request, or no memory for it; else as
    it is, a fault of ours.
    """
    if is_out_of_memory(error):
        return no_memory()
    if isinstance(error, ValueError | RuntimeError):
        return BadRequest(str(error).strip() or "llama.cpp cannot use the request")
    return error


def _too_long(tokens: object, message: str, context: object) -> BadRequest:
    found = _TOO_LONG.search(message)
    said = tokens if tokens is not None else found[1] if found else "too many"
    return too_long(context, said, "messages" if tokens is not None else "input")


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def documents(chunks: AsyncGenerator[bytes, None], usage: Usage, context: int) -> AsyncGenerator[Document, None]:
    """What llama.cpp says, without its reports on itself, accounted for as it comes. Closing it ends the generation.

    Raises StackError.
    """
    count = _Count(usage)
    async with aclosing(chunks):
        async for chunk in chunks:
            document = from_json(chunk)
            # Between the pieces of several prompts it says null.
            if not isinstance(document, dict):
                continue
            error = document.get("error")
            if isinstance(error, dict):
                raise refusal(error, context)
            progress, timings = document.pop("prompt_progress", None), document.pop("timings", None)
            count.see(document, progress, timings)
            document.pop("__verbose", None)
            if progress is None:
                yield document


class _Count:
    """Adds up what a request has used so far, over all its choices."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._prompt: dict[int, int] = {}
        self._completion: dict[int, int] = {}

    def see(self, document: Document, progress: object, timings: object) -> None:
        choices = document.get("choices") or [{}]
        index = choices[0].get("index", 0)
        if isinstance(progress, dict):
            self._prompt[index] = progress.get("total", 0)
        if isinstance(timings, dict):
            self._completion[index] = timings.get("predicted_n", 0)
        self._usage.prompt_tokens = sum(self._prompt.values())
        self._usage.completion_tokens = sum(self._completion.values())


async def events(
    said: AsyncGenerator[Document, None], usage: Usage, *, wants_usage: bool, legacy: bool
) -> AsyncGenerator[bytes, None]:
    """The events of a stream: first b"" once the first document is there, so that what is refused is refused with its
    status. legacy: of /completions, whose log probabilities have their own shape.
    """
    about: Document = {}
    begun = False
    lengths: dict[int, int] = {}
    async with aclosing(said):
        async for document in said:
            if not begun:
                begun = True
                yield b""
            document.pop("usage", None)
            about = {key: value for key, value in document.items() if key != "choices"}
            if document.get("choices"):
                yield event(to_json(_legacy(document, lengths) if legacy else document))
    if wants_usage:
        yield event(to_json({**about, "choices": [], "usage": usage_of(usage)}))


async def whole_chat(said: AsyncGenerator[Document, None], usage: Usage) -> bytes:
    """A chat completion, put together of its stream."""
    about, choices = await _gathered(said)
    found = []
    for index, pieces in sorted(choices.items()):
        message: Document = {"role": "assistant", "content": None}
        for piece in pieces:
            _extend(message, piece.get("delta") or {})
        found.append({"index": index, "message": message, **_ending(pieces)})
    return to_json({**about, "object": "chat.completion", "choices": found, "usage": usage_of(usage)})


async def whole_completion(said: AsyncGenerator[Document, None], usage: Usage) -> bytes:
    """A completion, put together of its stream."""
    about, choices = await _gathered(said)
    found = []
    for index, pieces in sorted(choices.items()):
        text = "".join(piece.get("text") or "" for piece in pieces)
        found.append({"index": index, "text": text, **_ending(pieces)})
    return to_json(_legacy({**about, "choices": found, "usage": usage_of(usage)}, {}))


def embedded(answer: bytes, usage: Usage, context: int) -> bytes:
    """llama.cpp's answer to an embedding request, accounted for. Raises StackError where it is an error."""
    document = from_json(answer)
    if "error" in document:
        raise refusal(document["error"], context)
    usage.prompt_tokens = document["usage"]["prompt_tokens"]
    return answer


def usage_of(usage: Usage) -> Document:
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _gathered(said: AsyncIterator[Document]) -> tuple[Document, dict[int, list[Document]]]:
    """(what every event says, the pieces of each choice)."""
    about: Document = {}
    choices: dict[int, list[Document]] = {}
    async for document in said:
        for choice in document.pop("choices", None) or []:
            choices.setdefault(choice.get("index", 0), []).append(choice)
        document.pop("usage", None)
        about = document
    return about, choices


def _extend(message: Document, delta: Document) -> None:
    for key, value in delta.items():
        if key == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for call in value:
                _extend_call(calls, call)
        elif key != "role" and value is not None:
            message[key] = (message.get(key) or "") + value


def _extend_call(calls: list[Document], piece: Document) -> None:
    index = piece.get("index", 0)
    while len(calls) <= index:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call, function = calls[index], piece.get("function") or {}
    call["id"] = piece.get("id") or call["id"]
    call["function"]["name"] = function.get("name") or call["function"]["name"]
    call["function"]["arguments"] += function.get("arguments") or ""


def _ending(pieces: list[Document]) -> Document:
    """Why a choice ended, and its log probabilities."""
    tokens = [token for piece in pieces for token in (piece.get("logprobs") or {}).get("content") or []]
    reasons = [piece["finish_reason"] for piece in pieces if piece.get("finish_reason")]
    return {"finish_reason": reasons[-1] if reasons else None, "logprobs": {"content": tokens} if tokens else None}


def _legacy(document: Document, lengths: dict[int, int]) -> Document:
    """The same with log probabilities as /completions has them. lengths: characters of each choice so far, kept up."""
    for choice in document["choices"]:
        tokens = (choice.get("logprobs") or {}).get("content")
        if tokens:
            ends = list(accumulate((len(token["token"]) for token in tokens), initial=lengths.get(choice["index"], 0)))
            lengths[choice["index"]] = ends.pop()
            choice["logprobs"] = {
                "tokens": [token["token"] for token in tokens],
                "token_logprobs": [token["logprob"] for token in tokens],
                "top_logprobs": [
                    {top["token"]: top["logprob"] for top in token.get("top_logprobs") or []} for token in tokens
                ],
                "text_offset": ends,
            }
    return document

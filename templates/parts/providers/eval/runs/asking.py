"""What a model is asked for a row of a dataset, as the JSON of an inference request.

The columns are Llama Stack's: messages in `chat_completion_input`, a prompt in `completion_input`; a row that has
neither asks what its `input_query` says. Messages may be written as Llama Stack's clients write them or as OpenAI's,
and stand as JSON in a text, since tables of texts are what most datasets are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic_core import from_json, to_json

from ....runtime.errors import BadRequest
from .sampling import options

if TYPE_CHECKING:
    from ....contracts.eval.requests import ModelCandidate

Row = Mapping[str, object]

MESSAGES, PROMPT, QUESTION = "chat_completion_input", "completion_input", "input_query"

_KEPT = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal")
"""Of a message; Llama Stack's have more, which services refuse."""


@dataclass(frozen=True, slots=True)
class Asked:
    """body: of a request for a chat completion, or for a completion."""

    kind: Literal["chat", "completion"]
    body: bytes


def asked(row: Row, candidate: ModelCandidate) -> Asked:
    """Raises BadRequest for a row that asks nothing, or what is no question."""
    rest: dict[str, object] = {"model": candidate.model, **options(candidate.sampling_params)}
    if _is_prompt(row):
        return Asked("completion", to_json({**rest, "prompt": _prompt(row[PROMPT])}))
    return Asked("chat", to_json({**rest, "messages": [*_instructions(candidate), *messages_of(row)]}))


def messages_of(row: Row) -> list[dict[str, object]]:
    """The conversation that a row asks to go on with, as OpenAI's clients write one. Raises BadRequest."""
    said = row.get(MESSAGES)
    if said is None:
        question = row.get(QUESTION)
        if not isinstance(question, str):
            raise BadRequest(f"the row has none of the columns {MESSAGES}, {PROMPT} and {QUESTION}", code="invalid_row")
        return [{"role": "user", "content": question}]
    given = _from_text(said) if isinstance(said, str) else said
    listed = [given] if isinstance(given, dict) else given
    if not isinstance(listed, list) or not listed:
        raise BadRequest(f"{MESSAGES} holds no list of messages", code="invalid_row")
    return [_message(each, f"{MESSAGES}.{number}") for number, each in enumerate(listed)]


def told_of(row: Row) -> list[dict[str, object]]:
    """What an agent is told, as Llama Stack's clients write it. Raises BadRequest, also for what others have said: an
    agent's conversations are its own.
    """
    told = messages_of({QUESTION: _prompt(row[PROMPT])} if _is_prompt(row) else row)
    if other := next((each["role"] for each in told if each["role"] != "user"), None):
        raise BadRequest(
            f"an agent is told what users say, and the row has a message of role {other!r}", code="invalid_row"
        )
    return [{"role": "user", "content": _interleaved(each.get("content", ""))} for each in told]


def _is_prompt(row: Row) -> bool:
    return row.get(MESSAGES) is None and row.get(PROMPT) is not None


def _interleaved(content: object) -> object:
    """Images as Llama Stack has them."""
    if not isinstance(content, list):
        return content
    return [
        {"type": "image", "image": {"url": {"uri": part["image_url"]["url"]}}}
        if isinstance(part.get("image_url"), dict) and "url" in part["image_url"]
        else part
        for part in content
    ]


def _instructions(candidate: ModelCandidate) -> Iterator[dict[str, object]]:
    if candidate.system_message is not None:
        said = candidate.system_message.model_dump(exclude_none=True, by_alias=True)
        yield {"role": "system", "content": _content(said.get("content"), "system_message.content")}


def _prompt(said: object) -> str:
    """Datasets hold it as it is, or as JSON that is a text."""
    if not isinstance(said, str):
        raise BadRequest(f"{PROMPT} holds no text", code="invalid_row")
    found = _from_text(said)
    return found if isinstance(found, str) else said


def _from_text(text: str) -> object:
    """What JSON says; the text itself where it is none."""
    try:
        return from_json(text)
    except ValueError:
        return text


def _message(said: object, at: str) -> dict[str, object]:
    if not isinstance(said, dict) or not isinstance(said.get("role"), str):
        raise BadRequest(f"{at} is no message: expected an object with a role", code="invalid_row")
    kept = {name: said[name] for name in _KEPT if said.get(name) is not None}
    if "content" in kept:
        kept["content"] = _content(kept["content"], f"{at}.content")
    if kept["role"] == "tool" and "tool_call_id" not in kept:
        kept["tool_call_id"] = said.get("call_id")
    return kept


def _content(said: object, at: str) -> str | list[object]:
    if isinstance(said, str):
        return said
    parts: Sequence[object] = said if isinstance(said, list) else [said]
    return [_part(part, f"{at}.{number}") for number, part in enumerate(parts)]


def _part(said: object, at: str) -> object:
    """A part of a content; an image of Llama Stack's as one of OpenAI's."""
    if isinstance(said, str):
        return {"type": "text", "text": said}
    if not isinstance(said, dict):
        raise BadRequest(f"{at} is no part of a content", code="invalid_row")
    if said.get("type") != "image":
        return said
    image = said.get("image")
    source = image if isinstance(image, dict) else {}
    url = source.get("url")
    address = url.get("uri") if isinstance(url, dict) else url
    data = source.get("data")
    if not isinstance(address, str) and not isinstance(data, str):
        raise BadRequest(f"{at}: an image has neither url nor data", code="invalid_row")
    shown = address if isinstance(address, str) else f"data:image/png;base64,{data}"
    return {"type": "image_url", "image_url": {"url": shown}}

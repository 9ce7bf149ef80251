"""A row as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic_core import from_json

from .assembling import Fields, assemble

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

_ECHOED = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "tools": "tools",
    "tool_choice": "tool_choice",
    "response_format": "response_format",
    "input_user": "user",
}
"""What the object says of its request, and what that calls it."""


def completion(said: RowMapping) -> Fields:
    """The answer, what was asked, and the labels."""
    request = _object(from_json(_bytes(said["request"])))
    whole = assemble(_bytes(said["answer"])) if said["streamed"] else dict(_object(from_json(_bytes(said["answer"]))))
    whole |= {"id": said["id"], "object": "chat.completion"}
    whole["created"] = whole.get("created") or said["created"]
    whole["model"] = whole.get("model") or said["model"]
    if not whole.get("usage") and (used := _usage(said)):
        whole["usage"] = used
    if whole.get("usage", "absent") is None:
        del whole["usage"]
    labels = said["metadata"]
    whole["metadata"] = from_json(labels) if isinstance(labels, str) else None
    whole["input_messages"] = request.get("messages", [])
    whole["request_id"] = said["request_id"]
    whole |= {name: request[asked] for name, asked in _ECHOED.items() if asked in request}
    return whole


def messages(said: RowMapping) -> list[Fields]:
    """The messages of the request, each with an id."""
    request = _object(from_json(_bytes(said["request"])))
    found = request.get("messages")
    return [
        _message(f"{said['id']}-{number}", each) for number, each in enumerate(found if isinstance(found, list) else [])
    ]


def _message(id_: str, said: object) -> Fields:
    message = _object(said)
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {
        **message,
        "id": id_,
        "content": content if isinstance(content, str) else None,
        "content_parts": parts,
    }


def _usage(said: RowMapping) -> Fields | None:
    """What the account of the request has, where the answer does not say it: a stream does only if asked to."""
    prompt, completed = said["prompt_tokens"], said["completion_tokens"]
    if not (isinstance(prompt, int) and isinstance(completed, int)):
        return None
    return {"prompt_tokens": prompt, "completion_tokens": completed, "total_tokens": prompt + completed}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value

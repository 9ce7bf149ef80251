"""A request, looked through: the response that it begins, and what goes to the model with each question."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...runtime.errors import BadRequest
from ...runtime.labels import checked
from . import toolbox
from .ids import response_id

if TYPE_CHECKING:
    from ...contracts.responses.requests import CreateResponseRequest

Item = dict[str, Any]
"""JSON."""

_ECHOED = (
    "instructions",
    "previous_response_id",
    "prompt",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "max_output_tokens",
    "max_tool_calls",
    "reasoning",
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
)
"""What a response repeats of its request, null where that does not say."""

_HANDED_ON = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
)
"""What chat completions call the same."""


@dataclass(frozen=True, slots=True)
class Asked:
    """said: the request as JSON. conversation: the id of that which it is part of. stored: whether it is kept. include:
    what of items is shown. guardrails: ids of shields. logprobs: whether those of the text are wanted.
    """

    said: Item
    conversation: str | None
    stored: bool
    include: frozenset[str]
    guardrails: tuple[str, ...]

    @property
    def logprobs(self) -> bool:
        return "message.output_text.logprobs" in self.include

    @property
    def input(self) -> list[Item]:
        """The items, as they came."""
        said = self.said.get("input")
        if isinstance(said, str):
            return [{"type": "message", "role": "user", "content": said}]
        return said or []


def looked_through(request: CreateResponseRequest) -> Asked:
    """Raises BadRequest for what cannot be asked together, or here."""
    said: Item = request.model_dump(mode="json", by_alias=True, exclude_unset=True)
    said = {key: value for key, value in said.items() if value is not None}
    if "conversation" in said and "previous_response_id" in said:
        message = "a response is part of a conversation or goes on from another; expected one of the two"
        raise BadRequest(message, code="mutually_exclusive_parameters", param="conversation")
    if said.get("background") and said.get("stream"):
        message = "events of a response in the background are not kept; ask for one of `stream` and `background`"
        raise BadRequest(message, code="mutually_exclusive_parameters", param="stream")
    if "context_management" in said:
        message = "context_management: this server shortens no conversation by itself, but for `truncation`"
        raise BadRequest(message, param="context_management")
    if not said.get("input") and not any(key in said for key in ("prompt", "previous_response_id", "conversation")):
        raise BadRequest("input is missing; expected what is to be answered", code="missing_input", param="input")
    checked(said.get("metadata"))
    return asked_of(said)


def asked_of(said: Item) -> Asked:
    """said: a request that was looked through."""
    conversation = said.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation["id"]
    guardrails = tuple(each if isinstance(each, str) else each["type"] for each in said.get("guardrails", ()))
    include = {*said.get("include", ()), *(("message.output_text.logprobs",) if said.get("top_logprobs") else ())}
    return Asked(said, conversation, said.get("store", True), frozenset(include), guardrails)


def begun(asked: Asked) -> Item:
    """The response, of which nothing is there yet."""
    said = asked.said
    return {
        "id": response_id(),
        "object": "response",
        "created_at": int(time.time()),
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": said["model"],
        "output": [],
        "usage": None,
        **{key: said.get(key) for key in _ECHOED},
        "conversation": None if asked.conversation is None else {"id": asked.conversation},
        "metadata": said.get("metadata", {}),
        "parallel_tool_calls": said.get("parallel_tool_calls", True),
        "store": asked.stored,
        "text": {"format": {"type": "text"}, **said.get("text", {})},
        "tool_choice": said.get("tool_choice", "auto"),
        "tools": list(toolbox.shown(said.get("tools", ()))),
        "top_logprobs": said.get("top_logprobs", 0),
        "truncation": said.get("truncation", "disabled"),
    }


def handed_on(asked: Asked) -> Item:
    """What of the request is said to the model with each question."""
    said = asked.said
    body: Item = {"model": said["model"], **{key: said[key] for key in _HANDED_ON if key in said}}
    text = said.get("text", {})
    if text.get("verbosity"):
        body["verbosity"] = text["verbosity"]
    if form := _response_format(text.get("format") or {}):
        body["response_format"] = form
    if effort := said.get("reasoning", {}).get("effort"):
        body["reasoning_effort"] = effort
    if asked.logprobs:
        body["logprobs"] = True
        if top := said.get("top_logprobs"):
            body["top_logprobs"] = top
    return body


def _response_format(form: Item) -> Item | None:
    match form.get("type"):
        case "json_schema":
            schema = {
                key: form[key] for key in ("name", "description", "schema", "strict") if form.get(key) is not None
            }
            return {"type": "json_schema", "json_schema": schema}
        case "json_object":
            return {"type": "json_object"}
        case _:
            return None

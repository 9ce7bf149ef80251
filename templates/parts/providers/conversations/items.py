"""Items: as they come, as they are kept, as they are shown.

An item is kept as its client said it, and whole: with an id, the status that its type has, a message's text as a part,
and what OpenAI's answers always have. What is long in it is shown to those who ask for it (`include`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...runtime.errors import BadRequest
from ...runtime.ids import new_id

Item = dict[str, Any]
"""JSON."""

# An id stands in a path, where it is one segment.
_ID = re.compile(r"[!-.0->@-~]{1,256}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What items of one type have. prefix: of an id that the server gives; defaults: what is there in any case."""

    prefix: str
    defaults: Mapping[str, object] = field(default_factory=dict)


_DONE = {"status": "completed"}

# Prefixes are OpenAI's where its documentation shows one.
_KINDS = {
    "message": _Kind("msg", _DONE),
    "reasoning": _Kind("rs"),
    "compaction": _Kind("cmp"),
    "function_call": _Kind("fc", _DONE),
    "function_call_output": _Kind("fco", _DONE),
    "custom_tool_call": _Kind("ctc"),
    "custom_tool_call_output": _Kind("ctco"),
    "tool_search_call": _Kind("tsc", {"call_id": None, "execution": "server", **_DONE}),
    "tool_search_output": _Kind("tso", {"call_id": None, "execution": "server", **_DONE}),
    "file_search_call": _Kind("fs", _DONE),
    "web_search_call": _Kind("ws", _DONE),
    "image_generation_call": _Kind("ig", {"result": None, **_DONE}),
    "code_interpreter_call": _Kind("ci", {"code": None, "outputs": None, **_DONE}),
    "computer_call": _Kind("cu", {"pending_safety_checks": [], **_DONE}),
    "computer_call_output": _Kind("cuo", _DONE),
    "local_shell_call": _Kind("lsh", _DONE),
    "local_shell_call_output": _Kind("lsho"),
    "shell_call": _Kind("sh", {"environment": None, **_DONE}),
    "shell_call_output": _Kind("sho", {"max_output_length": None, **_DONE}),
    "apply_patch_call": _Kind("apc", _DONE),
    "apply_patch_call_output": _Kind("apco", _DONE),
    "mcp_list_tools": _Kind("mcpl"),
    "mcp_approval_request": _Kind("mcpr"),
    "mcp_approval_response": _Kind("mcpa"),
    "mcp_call": _Kind("mcp"),
}


def is_id(text: str) -> bool:
    """Whether an item could have this id."""
    return _ID.fullmatch(text) is not None


def kept(item: Item, place: int, *, at: str = "items", name: Callable[[str], str] | None = None) -> Item:
    """The item as it is kept. place: where it stands in the request's `at`. name: makes an id of a prefix. Raises
    BadRequest for an id that cannot be one.
    """
    kind = _KINDS[item.get("type") or "message"]
    identity = item.get("id")
    if identity is None:
        identity = (name or new_id)(kind.prefix)
    elif not is_id(identity):
        where = f"{at}.{place}.id"
        raise BadRequest(f"{where}: expected 1 to 256 characters of ASCII, without blanks, `/` and `?`", param=where)
    # What may be left out may be null as well, and says the same.
    said = {key: value for key, value in item.items() if value is not None or key not in kind.defaults}
    whole: Item = {**kind.defaults, **said, "id": identity, "type": item.get("type") or "message"}
    if whole["type"] == "message":
        whole["content"] = _parts(whole["role"], whole["content"])
    return whole


def _parts(role: str, content: str | list[Item]) -> list[Item]:
    if isinstance(content, str):
        content = [{"type": "output_text" if role == "assistant" else "input_text", "text": content}]
    return [_part(each) for each in content]


def _part(part: Item) -> Item:
    if part["type"] == "output_text":
        return {**part, "annotations": part.get("annotations") or [], "logprobs": part.get("logprobs") or []}
    if part["type"] in ("input_image", "computer_screenshot"):
        return {"image_url": None, "file_id": None, **part, "detail": part.get("detail") or "auto"}
    return part


def shown(item: Item, include: Collection[str]) -> Item:
    """The item without what is left out unless asked for. item: is changed."""
    match item["type"]:
        case "message":
            for part in item["content"]:
                if part["type"] == "output_text" and "message.output_text.logprobs" not in include:
                    part["logprobs"] = []
                elif part["type"] == "input_image" and "message.input_image.image_url" not in include:
                    part["image_url"] = None
        case "reasoning" if "reasoning.encrypted_content" not in include:
            item.pop("encrypted_content", None)
        case "file_search_call" if "file_search_call.results" not in include:
            item.pop("results", None)
        case "code_interpreter_call" if "code_interpreter_call.outputs" not in include:
            item["outputs"] = None
        case "computer_call_output" if "computer_call_output.output.image_url" not in include:
            item["output"].pop("image_url", None)
        case "web_search_call":
            if "web_search_call.results" not in include:
                item.pop("results", None)
            if "web_search_call.action.sources" not in include and item.get("action"):
                item["action"].pop("sources", None)
    return item

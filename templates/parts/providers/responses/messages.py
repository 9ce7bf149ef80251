"""Items of a conversation, as the messages that a model of chat completions reads.

    [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
     {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
     {"type": "function_call_output", "call_id": "c1", "output": "1"}]
    → [{"role": "user", "content": "Hi"},
       {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", …}]},
       {"role": "tool", "tool_call_id": "c1", "content": "1"}]

What an assistant said and called, one after the other, is one message. Calls that the server ran become calls and their
answers. What a model thought is not given back to it: services differ in how, and refuse what they do not know.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...runtime.errors import BadRequest
from . import outcomes
from .attachments import Attachment

Item = dict[str, Any]
"""JSON."""

SUMMARY_MARK = "sg1-"
"""What the content of a compaction of ours begins with."""

_SUMMARY = "What was said before, summed up:\n\n"

_UNSAID = frozenset({"reasoning", "mcp_list_tools", "mcp_approval_response"})
"""What is no part of what a model reads."""


class Messages:
    """Puts messages together.

    attachments: files by id. name_of: what the model calls a tool of an MCP server, by the server's label and its name.
    """

    def __init__(
        self, attachments: Mapping[str, Attachment], name_of: Callable[[str, str], str] = lambda label, name: name
    ) -> None:
        self._attachments = attachments
        self._name_of = name_of
        self._denied: dict[str, str] = {}
        self._shown: list[Item] = []
        self.done: list[Item] = []

    def add(self, items: Iterable[Item]) -> None:
        """Raises BadRequest for what models are not told here."""
        items = list(items)
        self._denied |= {
            each["approval_request_id"]: each.get("reason") or ""
            for each in items
            if each["type"] == "mcp_approval_response" and not each["approve"]
        }
        for item in items:
            self._add(item)
        self._show()

    def instruct(self, text: str) -> None:
        """What the model is told by whoever runs the application."""
        self.done.append({"role": "system", "content": text})

    def shorten(self) -> bool:
        """Leaves out the older half of what was said, up to where a user speaks. Whether there was anything to leave
        out.
        """
        start = next((n for n, each in enumerate(self.done) if each["role"] != "system"), len(self.done))
        half = start + max(1, (len(self.done) - start) // 2)
        end = next((n for n in range(half, len(self.done)) if self.done[n]["role"] == "user"), None)
        if end is None:
            return False
        del self.done[start:end]
        return True

    def _add(self, item: Item) -> None:
        match item["type"]:
            case "message":
                self._show()
                self._add_message(item)
            case "function_call":
                self._call(item["call_id"], item["name"], item["arguments"])
            case "custom_tool_call":
                custom = {"name": item["name"], "input": item["input"]}
                self._add_call({"id": item["call_id"], "type": "custom", "custom": custom})
            case "function_call_output" | "custom_tool_call_output":
                self._answer(item["call_id"], item["output"])
            case "mcp_call":
                call_id = _call_id(item)
                self._call(call_id, self._name_of(item["server_label"], item["name"]), item["arguments"])
                self._answer(call_id, outcomes.of_mcp(item))
            case "mcp_approval_request":
                if item["id"] in self._denied:
                    call_id = _call_id(item)
                    self._call(call_id, self._name_of(item["server_label"], item["name"]), item["arguments"])
                    self._answer(call_id, outcomes.denied(self._denied[item["id"]]))
            case "web_search_call":
                self._call(_call_id(item), "web_search", outcomes.web_query(item))
                self._answer(_call_id(item), outcomes.of_web(item))
            case "file_search_call":
                self._call(_call_id(item), "file_search", outcomes.file_query(item))
                self._answer(_call_id(item), outcomes.of_files(item))
            case "compaction":
                self._show()
                self.done.append({"role": "user", "content": _SUMMARY + _opened(item["encrypted_content"])})
            case kind if kind not in _UNSAID:
                message = f"input: items of the type {kind!r} cannot be given to a model here"
                raise BadRequest(message, code="unsupported_item", param="input")

    def _add_message(self, item: Item) -> None:
        role, parts = item["role"], item["content"]
        if role == "assistant":
            self._add_said(parts)
        elif role == "user":
            content = [self._part(each) for each in parts]
            self.done.append({"role": "user", "content": _simple(content)})
        else:
            # Models that were not told of developers know their word for them.
            self.done.append({"role": "system", "content": "\n".join(_text(each) for each in parts)})

    def _add_said(self, parts: list[Item]) -> None:
        refusal = "\n".join(each["refusal"] for each in parts if each["type"] == "refusal")
        text = "\n".join(_text(each) for each in parts if each["type"] != "refusal")
        said: Item = {"role": "assistant", "content": text if text or not refusal else None}
        if refusal:
            said["refusal"] = refusal
        self.done.append(said)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, call_id: str, name: str, arguments: str) -> None:
        self._add_call({"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}})

    def _add_call(self, call: Item) -> None:
        self._show()
        if not self.done or self.done[-1]["role"] != "assistant":
            self.done.append({"role": "assistant", "content": None})
        self.done[-1].setdefault("tool_calls", []).append(call)

    def _answer(self, call_id: str, output: str | list[Item]) -> None:
        if isinstance(output, str):
            text = output
        else:
            text = "\n".join(each["text"] for each in output if each["type"] == "input_text")
            # A tool's message has no room for them.
            self._shown += [self._part(each) for each in output if each["type"] != "input_text"]
        self._place_answer(call_id, {"role": "tool", "tool_call_id": call_id, "content": text})

    def _place_answer(self, call_id: str, answer: Item) -> None:
        """Behind the message that calls, and the answers that are there: services want them in one piece."""
        for place in range(len(self.done) - 1, -1, -1):
            if any(each["id"] == call_id for each in self.done[place].get("tool_calls", ())):
                place += 1
                while place < len(self.done) and self.done[place]["role"] == "tool":
                    place += 1
                self.done.insert(place, answer)
                return
        message = f"input: there is no call {call_id[:100]!r} before what it gave back"
        raise BadRequest(message, code="unknown_call", param="input")

    def _show(self) -> None:
        if self._shown:
            self.done.append({"role": "user", "content": self._shown})
            self._shown = []

    # ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _part(self, part: Item) -> Item:
        match part["type"]:
            case "input_image":
                detail = {"detail": part["detail"]} if part.get("detail") in ("low", "high", "auto") else {}
                return {"type": "image_url", "image_url": {"url": self._address(part), **detail}}
            case "input_file":
                return self._file(part)
            case _:
                return {"type": "text", "text": _text(part)}

    def _address(self, part: Item) -> str:
        if part.get("file_id"):
            return self._attachments[part["file_id"]].url
        if url := part.get("image_url"):
            return str(url)
        raise BadRequest("input: an image without image_url and file_id", param="input")

    def _file(self, part: Item) -> Item:
        if part.get("file_id"):
            return self._attachments[part["file_id"]].part
        if data := part.get("file_data"):
            return {"type": "file", "file": {"file_data": data, "filename": part.get("filename") or "file"}}
        message = "input: a file by file_url is not fetched by this server; upload it, or send file_data"
        raise BadRequest(message, code="unsupported_file", param="input")


def _call_id(item: Item) -> str:
    """Of a call that the server ran; services take 40 characters at most."""
    return f"call_{item['id'][-24:]}"


def _opened(content: str) -> str:
    """The summary in a compaction."""
    try:
        if content.startswith(SUMMARY_MARK):
            return base64.b64decode(content.removeprefix(SUMMARY_MARK), b"-_", validate=True).decode()
    except ValueError:
        pass
    message = "input: a compaction that this server did not make, or not so"
    raise BadRequest(message, code="unknown_compaction", param="input")


def _text(part: Item) -> str:
    if isinstance(text := part.get("text"), str):
        return text
    raise BadRequest(f"input: a part {part['type']!r} where only texts may be", code="unsupported_part", param="input")


def _simple(content: list[Item]) -> str | list[Item]:
    """One text as itself, which every service takes."""
    if all(each["type"] == "text" for each in content):
        return "\n".join(each["text"] for each in content)
    return content

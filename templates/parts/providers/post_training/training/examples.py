"""Rows of a dataset as what is trained on, whichever of the usual columns they have.

instruct   chat_completion_input, expected_answer · input, output · prompt, completion · instruction, input, output
dialog     dialog · messages · conversations
pairs      prompt, chosen, rejected

A question is a text or messages, an answer a text; messages may be written as JSON, as Llama Stack has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Row: TypeAlias = Mapping[str, object]
Message: TypeAlias = dict[str, str]
Form: TypeAlias = Literal["instruct", "dialog", "pairs"]

_QUESTIONS = (("chat_completion_input", "expected_answer"), ("input", "output"), ("prompt", "completion"))
_DIALOGS = ("dialog", "messages", "conversations")
_ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant", "system": "system"}

EXPECTED: Mapping[Form, str] = {
    "instruct": "chat_completion_input and expected_answer, input and output, prompt and completion, or instruction "
    "and output",
    "dialog": "dialog, messages or conversations: a list of messages, the last of which is the assistant's",
    "pairs": "prompt, chosen and rejected",
}


class BadRow(Exception):
    """A row cannot be trained on; the message says why."""


def example_of(row: Row, form: Form) -> dict[str, object]:
    """{"messages": […]}, of pairs {"messages": […], "chosen": text, "rejected": text}. Raises BadRow."""
    if form == "instruct":
        return {"messages": _instruct(row)}
    if form == "dialog":
        return {"messages": _dialog(row)}
    if not {"prompt", "chosen", "rejected"} <= row.keys():
        raise _unlike(row, form)
    return {
        "messages": _question(row["prompt"], "prompt"),
        "chosen": _answer(row["chosen"], "chosen"),
        "rejected": _answer(row["rejected"], "rejected"),
    }


def _instruct(row: Row) -> list[Message]:
    if isinstance(row.get("instruction"), str) and "output" in row:
        more = row.get("input")
        asked = f"{row['instruction']}\n\n{more}" if more else row["instruction"]
        return [*_question(asked, "instruction"), _said("assistant", _answer(row["output"], "output"))]
    for question, answer in _QUESTIONS:
        if question in row and answer in row:
            return [*_question(row[question], question), _said("assistant", _answer(row[answer], answer))]
    raise _unlike(row, "instruct")


def _dialog(row: Row) -> list[Message]:
    name = next((each for each in _DIALOGS if each in row), None)
    if name is None:
        raise _unlike(row, "dialog")
    messages = _messages(row[name], name)
    if messages[-1]["role"] != "assistant" or len(messages) < 2:
        raise BadRow(f"{name} does not end with what the assistant is to say to somebody")
    return messages


def _question(value: object, name: str) -> list[Message]:
    """A text is a user's; one that is a JSON list is messages."""
    if isinstance(value, str):
        found = _parsed(value)
        if not isinstance(found, list):
            if not value:
                raise BadRow(f"{name} is empty")
            return [_said("user", value)]
        value = found
    messages = _messages(value, name)
    if messages[-1]["role"] == "assistant":
        raise BadRow(f"{name} ends with what the assistant says, which stands in a column of its own")
    return messages


def _answer(value: object, name: str) -> str:
    """A text, or messages that end with the assistant's."""
    if isinstance(value, str) and not isinstance(_parsed(value), list):
        if not value:
            raise BadRow(f"{name} is empty")
        return value
    messages = _messages(value, name)
    if messages[-1]["role"] != "assistant":
        raise BadRow(f"{name} does not end with what the assistant says")
    return messages[-1]["content"]


def _messages(value: object, name: str) -> list[Message]:
    found = _parsed(value) if isinstance(value, str) else value
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise BadRow(f"{name} is no list of messages")
    return [_message(each, f"{name}[{number}]") for number, each in enumerate(found)]


def _message(value: object, where: str) -> Message:
    if not isinstance(value, Mapping):
        raise BadRow(f"{where} is no message")
    role = _ROLES.get(str(value.get("role", value.get("from"))))
    content = value.get("content", value.get("value"))
    if role is None:
        raise BadRow(f"{where} has no role that is trained with: system, user or assistant")
    if not isinstance(content, str):
        raise BadRow(f"{where} has no text as its content")
    return _said(role, content)


def _said(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _parsed(text: str) -> object:
    """None for what is no JSON list."""
    if not text.lstrip().startswith("["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _unlike(row: Row, form: Form) -> BadRow:
    return BadRow(f"it has the columns {', '.join(sorted(row)[:20]) or '(none)'}; expected are {EXPECTED[form]}")

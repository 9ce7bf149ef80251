"""Items of a conversation, as a model of chat completions reads them."""

from __future__ import annotations

from typing import Any

import pytest
from parts.providers.responses.attachments import Attachment
from parts.providers.responses.messages import Messages
from parts.runtime.errors import BadRequest

Json = dict[str, Any]

FILES = {"file-1": Attachment("a.txt", b"Hello"), "file-2": Attachment("b.png", b"\x89PNG\r\n")}


def read(*items: Json) -> list[Json]:
    messages = Messages(FILES, lambda label, name: f"{label}__{name}")
    messages.add(items)
    return messages.done


def said(role: str, *parts: Json | str) -> Json:
    texts = [{"type": "input_text", "text": each} if isinstance(each, str) else each for each in parts]
    return {"type": "message", "role": role, "content": texts}


def called(call_id: str, name: str = "f") -> Json:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": "{}"}


def gave(call_id: str, output: object) -> Json:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def test_texts() -> None:
    assert read(said("developer", "Be brief."), said("user", "Hi"), said("assistant", "Yes?")) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
    ]


def test_a_refusal() -> None:
    assert read(said("assistant", {"type": "refusal", "refusal": "No."})) == [
        {"role": "assistant", "content": None, "refusal": "No."}
    ]


def test_images_and_files() -> None:
    parts = [
        {"type": "input_image", "image_url": "http://a.example/a.png", "detail": "low"},
        {"type": "input_image", "file_id": "file-2", "detail": "original"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_file", "file_data": "data:,x", "filename": "x.pdf"},
    ]
    (message,) = read(said("user", "Look", *parts))
    assert message["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "http://a.example/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
        {"type": "text", "text": "The file a.txt:\n\nHello"},
        {"type": "file", "file": {"file_data": "data:,x", "filename": "x.pdf"}},
    ]


def test_what_was_said_and_called_is_one_message_and_answers_follow_it() -> None:
    items = [said("user", "Hi"), said("assistant", "Wait."), called("a"), called("b"), gave("b", "2"), gave("a", "1")]
    found = read(*items)
    assert [each["role"] for each in found] == ["user", "assistant", "tool", "tool"]
    assert [each["id"] for each in found[1]["tool_calls"]] == ["a", "b"]
    assert found[1]["content"] == "Wait."
    assert [each["tool_call_id"] for each in found[2:]] == ["b", "a"]


def test_calls_with_their_answers_between() -> None:
    found = read(called("a"), gave("a", "1"), called("b"), gave("b", "2"))
    assert [each["role"] for each in found] == ["assistant", "tool", "assistant", "tool"]


def test_an_image_that_a_tool_gave_is_shown_after_all_answers() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AA"}
    output = [{"type": "input_text", "text": "Here:"}, image]
    found = read(called("a"), called("b"), gave("a", output), gave("b", "2"), said("user", "And?"))
    assert [each["role"] for each in found] == ["assistant", "tool", "tool", "user", "user"]
    assert found[1]["content"] == "Here:"
    assert found[3]["content"][0]["type"] == "image_url"


def test_calls_that_the_server_ran() -> None:
    mcp = {
        "type": "mcp_call",
        "id": f"mcp_{'a' * 48}",
        "server_label": "srv",
        "name": "add",
        "arguments": '{"a":1}',
        "output": "2",
    }
    web = {"type": "web_search_call", "id": f"ws_{'b' * 48}", "action": {"type": "search", "query": "tea"}}
    found = read(mcp, {**web, "results": [{"url": "u"}]})
    assert found[0]["tool_calls"][0]["function"] == {"name": "srv__add", "arguments": '{"a":1}'}
    assert found[1]["content"] == "2"
    assert found[2]["tool_calls"][0]["function"] == {"name": "web_search", "arguments": '{"query": "tea"}'}
    assert all(len(each["id"]) <= 40 for message in found for each in message.get("tool_calls", ()))


def test_what_is_not_said() -> None:
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    asked = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"}
    assert read(thought, {"type": "mcp_list_tools", "server_label": "s", "tools": []}, asked) == []


def test_a_call_that_nobody_allowed() -> None:
    asked = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"}
    no = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": False, "reason": "Too dear."}
    found = read(asked, no)
    assert [each["role"] for each in found] == ["assistant", "tool"]
    assert "Too dear." in found[1]["content"]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "computer_call", "call_id": "c"},
        {"type": "image_generation_call", "id": "ig_1"},
        gave("nobody", "1"),
        said("user", {"type": "input_image"}),
        said("user", {"type": "input_file", "file_url": "http://a.example/a.pdf"}),
        said("system", {"type": "input_image", "image_url": "u"}),
    ],
)
def test_what_models_are_not_told_here(item: Json) -> None:
    with pytest.raises(BadRequest) as refused:
        read(item)
    assert refused.value.param == "input"


def test_the_older_half_is_left_out() -> None:
    messages = Messages({})
    messages.instruct("Be brief.")
    messages.add([said("user", "1"), called("a"), gave("a", "x"), said("user", "2"), said("assistant", "y")])
    assert messages.shorten()
    assert [each["content"] for each in messages.done] == ["Be brief.", "2", "y"]
    assert not messages.shorten(), "what the user says last stays"

"""What is wrong with an item is told of the kind of item that was meant."""

from __future__ import annotations

from typing import Any

import pytest
from parts.contracts.conversations.requests import CreateConversationItemsRequest
from parts.runtime.errors import BadRequest
from parts.runtime.http_request import validate_merged
from pydantic_core import to_json

PART: dict[str, Any] = {"type": "input_text", "text": "x"}


@pytest.mark.parametrize(
    ("item", "param", "message"),
    [
        ({"role": "user"}, "content", "is required"),
        ({"role": "user", "content": 5}, "content", "a valid string, or a valid list"),
        ({"role": "nobody", "content": "x"}, "role", "'user', 'assistant', 'system' or 'developer'"),
        ({"role": "user", "content": [{"type": "text"}]}, "content.0.text", "is required"),
        ({"role": "user", "content": [PART, {"type": "nothing"}]}, "content.1.type", "'input_text', 'input_image'"),
        ({"type": "message", "role": "user"}, "content", "is required"),
        ({"type": "nothing", "role": "user", "content": "x"}, "type", "'message', 'function_call'"),
        ({"type": "function_call", "call_id": "c", "name": "f"}, "arguments", "is required"),
        ({"type": "reasoning", "summary": ["x"]}, "summary.0", "valid"),
        ({"type": "item_reference"}, "id", "is required"),
        ({"type": "computer_call", "call_id": "c", "action": {"type": "click", "x": 1, "y": 2}}, "action.button", "is"),
        (
            {"type": "tool_search_output", "tools": [{"type": "web_search", "filters": {"allowed_domains": "x"}}]},
            "tools.0.filters.allowed_domains",
            "a valid list",
        ),
    ],
)
def test_the_place_and_what_was_expected(item: dict[str, Any], param: str, message: str) -> None:
    body = to_json({"items": [{"role": "user", "content": "before"}, item]})
    with pytest.raises(BadRequest) as caught:
        validate_merged(CreateConversationItemsRequest, {"conversation_id": "conv_1"}, body)
    assert caught.value.param == f"items.1.{param}"
    assert message in caught.value.message

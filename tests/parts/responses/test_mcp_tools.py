"""Tools of MCP servers in responses: real servers, made with the protocol's SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp_calls import provider_of
from mcp_servers import McpTestServer, mcp_server
from parts.testing.responses.asking import Asking
from parts.testing.suite import refused
from response_provider import responses
from scripted import Model, Reply, call, text
from sql_backends import sqlite_at

Json = dict[str, Any]
Test = Callable[[Asking, McpTestServer], Awaitable[None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Model]:
    def runs(test: Test, *replies: Reply, token: str | None = None) -> Model:
        model = Model(*replies)

        async def within() -> None:
            async with (
                asyncio.timeout(60),
                mcp_server("streamable", token=token) as server,
                provider_of() as tools,
                responses(sqlite_at(tmp_path / "sql.db"), model, tools=tools) as provider,
            ):
                await test(Asking(provider, "m"), server)

        asyncio.run(within())
        return model

    return runs


def tool(server: McpTestServer, **more: object) -> Json:
    return {"type": "mcp", "server_label": "srv", "server_url": server.url, "require_approval": "never", **more}


def names(body: Json) -> list[str]:
    return [each["function"]["name"] for each in body["tools"]]


def kinds(response: Json) -> list[str]:
    return [each["type"] for each in response["output"]]


def test_a_tool_is_called_and_its_answer_told(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        folded = await asking.stream("Hi", tools=[tool(server, allowed_tools=["add"])])
        assert kinds(folded.response) == ["mcp_list_tools", "mcp_call", "message"]
        listed, called, _ = folded.response["output"]
        assert [each["name"] for each in listed["tools"]] == ["add"]
        assert (called["name"], called["server_label"], called["output"], called["error"]) == ("add", "srv", "5", None)
        assert json.loads(called["arguments"]) == {"a": 2, "b": 3}
        for each in ("mcp_list_tools.in_progress", "mcp_list_tools.completed", "mcp_call.completed"):
            assert f"response.{each}" in folded.types
        assert "response.mcp_call_arguments.delta" in folded.types

    model = run(test, call("add", {"a": 2, "b": 3}), text("Five."))
    assert names(model.asked[0]) == ["add"]
    assert model.asked[1]["messages"][-1]["content"] == "5"


def test_a_tool_that_fails_is_told_to_the_model(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        folded = await asking.stream("Hi", tools=[tool(server)])
        called = folded.response["output"][1]
        assert called["status"] == "failed"
        assert "the disk is full" in called["error"]
        assert "response.mcp_call.failed" in folded.types

    model = run(test, call("fails", {}), text("Oh."))
    assert "the disk is full" in model.asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize("approve", [True, False])
def test_a_call_that_waits_for_leave(run: Callable[..., Model], approve: bool) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        first = await asking.create("Hi", tools=[tool(server, require_approval="always")])
        assert kinds(first) == ["mcp_list_tools", "mcp_approval_request"]
        wanted = first["output"][1]
        assert (wanted["name"], json.loads(wanted["arguments"])) == ("add", {"a": 2, "b": 3})
        said = {"type": "mcp_approval_response", "approval_request_id": wanted["id"], "approve": approve}
        again = {"tools": [tool(server, require_approval="always")], "previous_response_id": first["id"]}
        folded = await asking.stream([said], **again)
        assert kinds(folded.response) == (["mcp_call", "message"] if approve else ["message"])
        if approve:
            assert folded.response["output"][0]["approval_request_id"] == wanted["id"]
            assert folded.response["output"][0]["output"] == "5"

    model = run(test, call("add", {"a": 2, "b": 3}), text("Five."))
    told = model.asked[1]["messages"]
    assert [each["role"] for each in told] == ["user", "assistant", "tool"]
    assert told[-1]["content"] == ("5" if approve else "The user does not allow this call.")


def test_only_some_tools_ask(run: Callable[..., Model]) -> None:
    rule = {"never": {"tool_names": ["add"]}}

    async def test(asking: Asking, server: McpTestServer) -> None:
        response = await asking.create("Hi", tools=[tool(server, require_approval=rule)])
        assert kinds(response) == ["mcp_list_tools", "mcp_call", "mcp_approval_request"]

    run(test, call("add", {"a": 2, "b": 3}), call("fails", {}, "call_2"))


def test_leave_that_nobody_asked_for(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        said = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
        error = await refused(asking.create([said], tools=[tool(server)]))
        assert error.code == "approval_request_not_found"

    run(test, text("No."))


def test_a_list_is_not_asked_for_twice(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        mine = tool(server, allowed_tools=["add"])
        first = await asking.create("Hi", tools=[mine])
        second = await asking.create("Again", tools=[mine], previous_response_id=first["id"])
        assert (kinds(first), kinds(second)) == (["mcp_list_tools", "message"], ["message"])
        other = await asking.create("Again", tools=[tool(server)], previous_response_id=second["id"])
        assert kinds(other) == ["mcp_list_tools", "message"], "other tools of it were asked for"

    model = run(test, text("Hello."))
    assert names(model.asked[0]) == names(model.asked[1]) == ["add"]
    assert len(names(model.asked[2])) > 1


@pytest.mark.parametrize("shown", [{"authorization": "t0ken"}, {"headers": {"Authorization": "Bearer t0ken"}}])
def test_credentials_are_shown_there_and_nowhere_else(run: Callable[..., Model], shown: Json) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        folded = await asking.stream("Hi", tools=[tool(server, **shown)])
        assert kinds(folded.response)[:2] == ["mcp_list_tools", "mcp_call"]
        kept = await asking.get(folded.response["id"])
        assert "t0ken" not in json.dumps([folded.response, kept])

    run(test, call("add", {"a": 2, "b": 3}), text("Five."), token="t0ken")


def test_a_server_that_does_not_let_us_in(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        assert (await refused(asking.create("Hi", tools=[tool(server)]))).status == 401
        folded = await asking.stream("Hi", tools=[tool(server)])
        assert folded.types[-1] == "response.failed"
        assert "response.mcp_list_tools.failed" in folded.types
        assert "401" in folded.response["error"]["message"] or "token" in folded.response["error"]["message"]

    run(test, text("No."), token="t0ken")


def test_names_that_two_have(run: Callable[..., Model]) -> None:
    async def test(asking: Asking, server: McpTestServer) -> None:
        mine = {"type": "function", "name": "add", "parameters": {"type": "object", "properties": {}}}
        twice: Sequence[Json] = [mine, tool(server, allowed_tools=["add"])]
        response = await asking.create("Hi", tools=twice)
        assert kinds(response) == ["mcp_list_tools", "mcp_call", "message"]
        assert response["output"][1]["name"] == "add"

    model = run(test, call("srv__add", {"a": 2, "b": 3}), text("Five."))
    assert names(model.asked[0]) == ["add", "srv__add"]

"""The loop: the model is asked, tools are run, until it has answered, or may not be asked again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.responses import Responses
from parts.providers.responses.builtin import BuiltinResponsesConfig
from parts.runtime.errors import BadRequest, NotFound, RateLimited, UpstreamError
from parts.testing.responses.asking import Asking
from parts.testing.suite import refused
from response_provider import responses
from scripted import Model, call, text
from scripted_tools import Shield, Stores, Web
from sql_backends import sqlite_at

Json = dict[str, Any]
WEB = {"type": "web_search"}
FUNCTION = {"type": "function", "name": "mine", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., None]:
    def runs(test: Callable[[Asking], Awaitable[None]], model: Model, **given: Any) -> None:
        async def within() -> None:
            async with asyncio.timeout(60), responses(sqlite_at(tmp_path / "sql.db"), model, **given) as provider:
                await test(Asking(provider, "m"))

        asyncio.run(within())

    return runs


def searching(model: Model) -> list[Json]:
    """What the model was told in its last question."""
    messages: list[Json] = model.asked[-1]["messages"]
    return messages


def test_a_search_of_the_web(run: Callable[..., None]) -> None:
    model, web = Model(call("web_search", {"query": "tea"}), text("Found.")), Web()

    async def test(asking: Asking) -> None:
        folded = await asking.stream("Hi", tools=[WEB], include=["web_search_call.action.sources"])
        searched, message = folded.response["output"]
        assert searched["action"] == {
            "type": "search",
            "query": "tea",
            "queries": ["tea"],
            "sources": [{"type": "url", "url": "http://a.example/"}],
        }
        assert searched["status"] == "completed"
        assert "results" not in searched
        assert message["content"][0]["text"] == "Found."
        states = [each for each in folded.types if "web_search" in each]
        assert states == [f"response.web_search_call.{each}" for each in ("in_progress", "searching", "completed")]
        shown = await asking.get(folded.response["id"], include=["web_search_call.results"])
        assert shown["output"][0]["results"][0]["url"] == "http://a.example/"

    run(test, model, tools=web)
    assert (web.asked[0].tool_name, web.asked[0].tool_group_id) == ("web_search", "builtin::websearch")
    said = searching(model)
    assert [each["role"] for each in said] == ["user", "assistant", "tool"]
    assert said[1]["tool_calls"][0]["id"] == said[2]["tool_call_id"]
    assert "About tea." in said[2]["content"]


def test_a_search_that_fails_is_told_to_the_model(run: Callable[..., None]) -> None:
    model = Model(call("web_search", {"query": "tea"}), text("Sorry."))

    async def test(asking: Asking) -> None:
        response = await asking.create("Hi", tools=[WEB])
        assert [each["status"] for each in response["output"]] == ["failed", "completed"]

    run(test, model, tools=Web(UpstreamError("no network")))
    assert "no network" in searching(model)[-1]["content"]


def test_a_search_of_files_is_cited(run: Callable[..., None]) -> None:
    model = Model(call("file_search", {"query": "tower"}), text("In Paris<|file", "-vs_1|>, ", "they say."))
    stores = Stores()
    tool = {"type": "file_search", "vector_store_ids": ["vs_1", "vs_2"], "max_num_results": 3}

    async def test(asking: Asking) -> None:
        folded = await asking.stream("Where?", tools=[tool], include=["file_search_call.results"])
        searched, message = folded.response["output"]
        assert searched["queries"] == ["tower"]
        assert {each["file_id"] for each in searched["results"]} == {"file-vs_1", "file-vs_2"}
        assert searched["results"][0]["attributes"] == {"year": 2024}
        part = message["content"][0]
        assert part["text"] == "In Paris, they say."
        note = {"type": "file_citation", "file_id": "file-vs_1", "filename": "notes.txt", "index": 8}
        assert part["annotations"] == [note]
        assert "response.output_text.annotation.added" in folded.types
        assert "response.file_search_call.searching" in folded.types

    run(test, model, vector_stores=stores)
    assert [(each.vector_store_id, each.max_num_results) for each in stores.asked] == [("vs_1", 3), ("vs_2", 3)]
    assert "The tower is in Paris." in searching(model)[-1]["content"]


def test_a_store_that_is_not_there_fails_the_response(run: Callable[..., None]) -> None:
    model = Model(call("file_search", {"query": "tower"}))
    tool = {"type": "file_search", "vector_store_ids": ["vs_gone"]}

    async def test(asking: Asking) -> None:
        assert (await refused(asking.create("Where?", tools=[tool]))).status == 404
        folded = await asking.stream("Where?", tools=[tool])
        assert folded.types[-1] == "response.failed"
        assert "vs_gone" in folded.response["error"]["message"]

    run(test, model, vector_stores=Stores())


def test_a_function_ends_the_loop_once_the_servers_own_calls_have_run(run: Callable[..., None]) -> None:
    both = [*call("web_search", {"query": "a"}, "c1", 0), *call("mine", {}, "c2", 1)]
    model = Model(both)

    async def test(asking: Asking) -> None:
        response = await asking.create("Hi", tools=[WEB, FUNCTION])
        assert [each["type"] for each in response["output"]] == ["web_search_call", "function_call"]
        assert response["status"] == "completed"

    run(test, model, tools=Web())
    assert len(model.asked) == 1


def test_the_model_is_asked_so_often_and_no_more(run: Callable[..., None]) -> None:
    model = Model(call("web_search", {"query": "again"}))

    async def test(asking: Asking) -> None:
        response = await asking.create("Hi", tools=[WEB], max_infer_iters=3)
        assert response["incomplete_details"] == {"reason": "max_iterations_exceeded"}
        assert response["usage"]["output_tokens"] == 9
        assert len(model.asked) == 3
        await asking.create("Hi", tools=[WEB])
        assert len(model.asked) == 3 + 2

    run(test, model, tools=Web(), config=BuiltinResponsesConfig(max_infer_iters=2))


def test_calls_beyond_the_most_are_skipped(run: Callable[..., None]) -> None:
    model, web = Model(call("web_search", {"query": "a"}), call("web_search", {"query": "b"}), text("Enough.")), Web()

    async def test(asking: Asking) -> None:
        response = await asking.create("Hi", tools=[WEB], max_tool_calls=1)
        assert [each.get("status") for each in response["output"]] == ["completed", "failed", "completed"]

    run(test, model, tools=web)
    assert len(web.asked) == 1
    assert "skipped" in searching(model)[-1]["content"]


def test_tokens_are_counted_down(run: Callable[..., None]) -> None:
    model = Model(call("web_search", {"query": "a"}))

    async def test(asking: Asking) -> None:
        response = await asking.create("Hi", tools=[WEB], max_output_tokens=7)
        assert response["incomplete_details"] == {"reason": "max_output_tokens"}
        assert [each["max_completion_tokens"] for each in model.asked] == [7, 4, 1]

    run(test, model, tools=Web())


def test_an_answer_that_was_cut_off(run: Callable[..., None]) -> None:
    async def test(asking: Asking) -> None:
        folded = await asking.stream("Hi")
        assert folded.types[-1] == "response.incomplete"
        assert folded.response["incomplete_details"] == {"reason": "max_output_tokens"}

    run(test, Model([*text("Onc"), {"finish_reason": "length"}]))


def test_a_conversation_that_is_too_long(run: Callable[..., None]) -> None:
    too_long = BadRequest("too long", code="context_length_exceeded")
    model = Model(answers=lambda body: too_long if len(body["messages"]) > 3 else text("Fine."))
    items = [{"role": "user", "content": f"{number}"} for number in range(9)]

    async def test(asking: Asking) -> None:
        assert (await refused(asking.create(items))).code == "context_length_exceeded"
        whole = await asking.create(items, truncation="auto")
        for shorter in (whole, (await asking.stream(items, truncation="auto")).response):
            assert shorter["status"] == "completed"
            assert shorter["truncation"] == "auto"

    run(test, model)
    assert [each["content"] for each in searching(model)] == ["6", "7", "8"]


def test_a_tool_that_must_be_called_is_called_once(run: Callable[..., None]) -> None:
    model = Model(call("web_search", {"query": "a"}), text("Done."))

    async def test(asking: Asking) -> None:
        await asking.create("Hi", tools=[WEB, FUNCTION], tool_choice={"type": "web_search"})

    run(test, model, tools=Web())
    assert [each["tool_choice"] for each in model.asked] == [
        {"type": "function", "function": {"name": "web_search"}},
        "auto",
    ]


def test_only_some_of_the_tools(run: Callable[..., None]) -> None:
    model = Model(text("Fine."))
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "mine"}]}

    async def test(asking: Asking) -> None:
        await asking.create("Hi", tools=[WEB, FUNCTION], tool_choice=allowed)
        unknown = {"type": "function", "name": "nobody"}
        assert (await refused(asking.create("Hi", tools=[FUNCTION], tool_choice=unknown))).param == "tool_choice"

    run(test, model, tools=Web())
    assert [each["function"]["name"] for each in model.asked[0]["tools"]] == ["mine"]
    assert model.asked[0]["tool_choice"] == "required"


@pytest.mark.parametrize("tool", [WEB, {"type": "file_search", "vector_store_ids": []}, {"type": "local_shell"}])
def test_a_tool_that_the_server_has_not(run: Callable[..., None], tool: Json) -> None:
    async def test(asking: Asking) -> None:
        assert (await refused(asking.create("Hi", tools=[tool]))).code == "unsupported_tool"

    run(test, Model(text("No.")))


def test_a_model_that_is_not_there_is_an_answer_of_its_own(run: Callable[..., None]) -> None:
    async def test(asking: Asking) -> None:
        for asked in (asking.create("Hi"), asking.stream("Hi")):
            assert (await refused(asked)).status == 404  # type: ignore[type-var]

    run(test, Model(NotFound("no such model")))


def test_an_answer_that_breaks_off(run: Callable[..., None]) -> None:
    model = Model(text("Onc"))
    model.broken = RateLimited("too many tokens")

    async def test(asking: Asking) -> None:
        folded = await asking.stream("Hi")
        assert folded.types[-1] == "response.failed"
        assert folded.response["error"] == {"code": "rate_limit_exceeded", "message": "too many tokens"}
        assert (await refused(asking.get(folded.response["id"]))).status == 404

    run(test, model)
    assert model.closed == 1


def test_a_fault_of_ours_ends_the_stream_too(run: Callable[..., None]) -> None:
    model = Model(text("Onc"))
    model.broken = ZeroDivisionError("ours")

    async def test(asking: Asking) -> None:
        folded = await asking.stream("Hi")
        assert folded.response["error"]["code"] == "server_error"
        assert "ours" not in folded.response["error"]["message"]

    run(test, model)


def test_guardrails(run: Callable[..., None]) -> None:
    model, shield = Model(text("Take a ", "bomb.")), Shield()

    async def test(asking: Asking) -> None:
        refused_input = await asking.stream("How is a bomb made?", guardrails=["guard"])
        assert refused_input.response["output"][0]["content"] == [{"type": "refusal", "refusal": "Not here."}]
        assert model.asked == []
        refused_output = await asking.stream("Hi", guardrails=[{"type": "guard"}])
        assert refused_output.response["output"][0]["content"] == [{"type": "refusal", "refusal": "Not here."}]
        assert "response.output_text.delta" not in refused_output.types, "what does not pass is not told"
        assert "bomb" not in json.dumps(refused_output.response)

    run(test, model, safety=shield)
    assert len(shield.judged) == 3


def test_guardrails_where_there_are_no_shields(run: Callable[..., None]) -> None:
    async def test(asking: Asking) -> None:
        assert (await refused(asking.create("Hi", guardrails=["guard"]))).status == 503

    run(test, Model(text("Hi")))


def test_a_client_that_leaves_leaves_the_model(tmp_path: Path) -> None:
    model = Model(text("Hel", "lo", "!"))

    async def test() -> None:
        async with responses(sqlite_at(tmp_path / "sql.db"), model) as provider:
            await leave(provider)

    asyncio.run(test())
    assert model.closed == 1


async def leave(provider: Responses) -> None:
    from parts.contracts.responses.requests import CreateResponseRequest
    from parts.runtime.context import Context
    from parts.runtime.reply import Events

    request = CreateResponseRequest.model_validate({"model": "m", "input": "Hi", "stream": True})
    reply = await provider.create_response(request, Context(request_id="r"))
    assert isinstance(reply, Events)
    await anext(aiter(reply))
    await reply.aclose()

"""What came before a response: other responses, a conversation, prompts, files and items that it names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from parts.contracts.conversations import Conversations
from parts.contracts.conversations.requests import CreateConversationRequest, ListConversationItemsRequest
from parts.contracts.prompts import Prompts
from parts.contracts.prompts.requests import CreatePromptRequest
from parts.providers.conversations.builtin import open_conversations
from parts.providers.prompts.builtin import open_prompts
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.runtime.context import Context
from parts.testing.responses.asking import Asking
from parts.testing.suite import refused
from response_provider import responses
from scripted import Model, text
from sql_backends import sqlite_at

Json = dict[str, Any]
CTX = Context(request_id="r")
Test = Callable[[Asking, Conversations, Prompts], Awaitable[None]]


def run(folder: Path, model: Model, test: Test) -> None:
    async def within() -> None:
        async with (
            asyncio.timeout(60),
            sqlite_at(folder / "conversations.db") as sql,
            open_conversations(store=sql) as conversations,
            open_kv_sqlite(KvSqliteConfig(db_path=str(folder / "kv.db")), instance="kv") as kv,
            open_prompts(store=kv) as prompts,
            responses(
                sqlite_at(folder / "responses.db"), model, conversations=conversations, prompts=prompts
            ) as provider,
        ):
            await test(Asking(provider, "m"), conversations, prompts)

    asyncio.run(within())


def told(model: Model) -> list[tuple[str, str]]:
    return [(each["role"], each["content"]) for each in model.asked[-1]["messages"]]


def test_a_chain_of_responses(tmp_path: Path) -> None:
    model = Model(text("One."), text("Two."), text("Three."))

    async def test(asking: Asking, *_: object) -> None:
        first = await asking.create("1", instructions="Only now.")
        second = await asking.create("2", previous_response_id=first["id"])
        third = await asking.create("3", previous_response_id=second["id"])
        assert [each["content"][0]["text"] for each in (await asking.inputs(third["id"]))["data"]] == ["3"]
        await asking.delete(first["id"])
        error = await refused(asking.create("4", previous_response_id=third["id"]))
        assert error.code == "previous_response_not_found"
        assert first["id"] in error.message

    run(tmp_path, model, test)
    assert told(model) == [("user", "1"), ("assistant", "One."), ("user", "2"), ("assistant", "Two."), ("user", "3")]


def test_a_conversation_grows(tmp_path: Path) -> None:
    model = Model(text("One."), text("Two."))

    async def test(asking: Asking, conversations: Conversations, _: Prompts) -> None:
        many = [{"role": "user", "content": f"{number}"} for number in range(15)]
        made = CreateConversationRequest.model_validate({"items": many})
        conversation = (await conversations.create_conversation(made, CTX)).id
        first = await asking.create([{"role": "user", "content": "a"}] * 25, conversation=conversation)
        assert first["conversation"] == {"id": conversation}
        folded = await asking.stream("b", conversation={"id": conversation}, store=False)
        request = ListConversationItemsRequest(conversation_id=conversation, limit=100, order="asc")
        kept = json.loads((await conversations.list_conversation_items(request, CTX)).body)["data"]
        assert len(kept) == 15 + 25 + 1 + 1 + 1
        assert kept[-1]["id"] == folded.response["output"][0]["id"]

    run(tmp_path, model, test)
    assert told(model)[-2:] == [("assistant", "One."), ("user", "b")]
    assert len(model.asked[-1]["messages"]) == 15 + 25 + 1 + 1


def test_a_conversation_that_is_not_there(tmp_path: Path) -> None:
    async def test(asking: Asking, *_: object) -> None:
        assert (await refused(asking.create("Hi", conversation=f"conv_{'0' * 48}"))).status == 404

    run(tmp_path, Model(text("No.")), test)


def test_items_by_their_ids(tmp_path: Path) -> None:
    model = Model(text("One."), text("Two."))

    async def test(asking: Asking, *_: object) -> None:
        first = await asking.create("1")
        asked = (await asking.inputs(first["id"]))["data"][0]["id"]
        refers = [{"type": "item_reference", "id": asked}, {"id": first["output"][0]["id"]}]
        await asking.create([*refers, {"role": "user", "content": "2"}])
        gone = f"msg_{'0' * 48}"
        error = await refused(asking.create([{"type": "item_reference", "id": gone}]))
        assert (error.status, error.param) == (404, "input.0.id")

    run(tmp_path, model, test)
    assert told(model) == [("user", "1"), ("assistant", "One."), ("user", "2")]


def test_a_prompt_with_variables(tmp_path: Path) -> None:
    model = Model(text("Hello."))

    async def test(asking: Asking, _: Conversations, prompts: Prompts) -> None:
        made = CreatePromptRequest(prompt="Speak {{ tongue }} to {{ who }}.", variables=["tongue", "who"])
        prompt = (await prompts.create_prompt(made, CTX)).prompt_id
        values = {"tongue": "French", "who": {"type": "input_text", "text": "Ann"}}
        asked = {"id": prompt, "version": "1", "variables": values}
        response = await asking.create("Hi", prompt=asked, instructions="Be brief.")
        assert response["prompt"]["id"] == prompt
        image = {"type": "input_image", "image_url": "u"}
        for wrong in ({"tongue": "French"}, {"tongue": "French", "who": image}):
            assert (await refused(asking.create("Hi", prompt={"id": prompt, "variables": wrong}))).status == 400
        for version in ("0", "x", "9" * 30):
            assert (await refused(asking.create("Hi", prompt={"id": prompt, "version": version}))).status == 400

    run(tmp_path, model, test)
    assert told(model) == [("system", "Speak French to Ann."), ("system", "Be brief."), ("user", "Hi")]


def test_a_conversation_is_made_short(tmp_path: Path) -> None:
    model = Model(text("One."), text("They spoke of ünits."), text("Two."))

    async def test(asking: Asking, *_: object) -> None:
        first = await asking.create("1")
        short = await asking.compact("2", previous_response_id=first["id"])
        assert short["object"] == "response.compaction"
        assert short["usage"]["output_tokens"] == 3
        (item,) = short["output"]
        assert "They spoke" not in item["encrypted_content"]
        assert [each["content"] for each in model.asked[-1]["messages"][:-1]] == ["1", "One.", "2"]
        await asking.create([item, {"role": "user", "content": "3"}])
        for content in ("gAAAA", "sg1-%", "sg1-" + "A"):
            error = await refused(asking.create([{**item, "encrypted_content": content}]))
            assert error.code == "unknown_compaction"
        assert (await refused(asking.compact(None))).status == 400

    run(tmp_path, model, test)
    assert told(model) == [("user", "What was said before, summed up:\n\nThey spoke of ünits."), ("user", "3")]


def test_what_goes_to_the_model_beside_messages(tmp_path: Path) -> None:
    model = Model(text("{}"))
    schema = {"type": "object", "properties": {}}

    async def test(asking: Asking, *_: object) -> None:
        await asking.create(
            "Hi",
            temperature=0.5,
            top_p=0.9,
            max_output_tokens=50,
            reasoning={"effort": "low"},
            text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}, "verbosity": "low"},
            top_logprobs=2,
            safety_identifier="ann",
        )

    run(tmp_path, model, test)
    body = {key: value for key, value in model.asked[0].items() if key != "messages"}
    assert body == {
        "model": "m",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_completion_tokens": 50,
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}},
        "verbosity": "low",
        "logprobs": True,
        "top_logprobs": 2,
        "safety_identifier": "ann",
    }

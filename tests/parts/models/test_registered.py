"""The models table with models that clients register, over sources that list what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_kv import MemoryKv
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.contracts.models.requests import (
    ListModelsRequest,
    RegisterModelRequest,
    RetrieveModelRequest,
    UnregisterModelRequest,
)
from parts.contracts.models.responses import Model
from parts.providers.models.builtin import ModelsConfig
from parts.providers.models.entries import ModelResource
from parts.providers.models.registry import RegisteredModels, open_registered_models
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.routers.inference import InferenceRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, Unavailable
from parts.runtime.kv import KvBackend
from sources import Source, resource

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


@asynccontextmanager
async def table_of(
    sources: Mapping[str, Source] | None = None,
    resources: Sequence[ModelResource] = (),
    *,
    kv: KvBackend | None = None,
    interval: float = 300.0,
) -> AsyncIterator[RegisteredModels]:
    """A table that has all its first listings."""
    given = {"a": Source(["x", "my-embed"])} if sources is None else sources
    config = ModelsConfig(refresh_interval_seconds=interval)
    store = MemoryKv() if kv is None else kv
    async with open_registered_models(config, sources=given, resources=resources, metadata_store=store) as table:
        async with asyncio.timeout(10):
            while any(not source.asked for source in given.values()):
                await asyncio.sleep(0)
        yield table


async def register(table: RegisteredModels, model_id: str, ctx: Context = CTX, **said: object) -> Model:
    request = RegisterModelRequest.model_validate({"model_id": model_id, **said})
    return await table.register_model(request, ctx)


async def ids(table: RegisteredModels, ctx: Context = CTX) -> list[str]:
    return [model.id for model in (await table.list_models(ListModelsRequest(), ctx)).data]


async def where(table: RegisteredModels, model: str, ctx: Context = CTX) -> tuple[str, str]:
    entry = table.find(model, ctx) or await table.locate(model, ctx)
    return entry.instance, entry.provider_model_id


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.005)


# ── what is registered ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_model_is_registered_listed_retrieved_used_and_unregistered() -> None:
    source = Source(["x"])
    async with table_of({"a": source}) as table:
        made = await register(table, "fast", provider_id="a", provider_model_id="x", metadata={"colour": "red"})
        assert (made.id, made.identifier, made.provider_id, made.provider_resource_id) == ("fast", "fast", "a", "x")
        assert (made.model_type, made.metadata, made.created > 0) == ("llm", {"colour": "red"}, True)
        assert await ids(table) == ["a/x", "fast"]
        assert await table.retrieve_model(RetrieveModelRequest(model="fast"), CTX) == made

        router = InferenceRouter(table=table, chat={"a": source}, completions={}, embeddings={}, rerank={})
        said = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]}
        await router.create_chat_completion(CreateChatCompletionRequest.model_validate(said), CTX)
        assert source.seen == ["x"]

        gone = await table.unregister_model(UnregisterModelRequest(model="fast"), CTX)
        assert gone.model_dump() == {"id": "fast", "object": "model", "deleted": True}
        assert await ids(table) == ["a/x"]
        with pytest.raises(NotFound):
            await table.locate("fast", CTX)


async def test_the_providers_own_name_gets_the_prefix_and_is_reached_without() -> None:
    async with table_of({"a": Source(), "azure": Source(lists_all=False)}) as table:
        made = await register(table, "gpt/4", provider_id="azure")
        assert made.id == "azure/gpt/4"
        assert await where(table, "gpt/4") == await where(table, "azure/gpt/4") == ("azure", "gpt/4")
        assert (await register(table, "azure/gpt/4", provider_id="azure", provider_model_id="gpt/4")).id == made.id
        assert await ids(table) == [made.id]


async def test_a_registered_model_goes_before_what_a_provider_lists_under_its_id() -> None:
    async with table_of({"a": Source(["x", "y"])}) as table:
        await register(table, "a/x", provider_id="a", provider_model_id="y")
        assert await where(table, "a/x") == ("a", "y")
        assert sorted(await ids(table)) == ["a/x", "a/y"]


async def test_the_type_is_what_was_said_else_what_the_provider_says() -> None:
    async with table_of() as table:
        assert (await register(table, "e", provider_model_id="my-embed")).model_type == "embedding"
        assert (await register(table, "f", provider_model_id="my-embed", model_type="llm")).model_type == "llm"
        router = InferenceRouter(table=table, chat={}, completions={}, embeddings={}, rerank={})
        said = {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
        with pytest.raises(BadRequest, match="registered as 'embedding'"):
            await router.create_chat_completion(CreateChatCompletionRequest.model_validate(said), CTX)


async def test_the_same_again_is_the_same_and_otherwise_a_conflict() -> None:
    async with table_of() as table:
        made = await register(table, "e", provider_model_id="my-embed", metadata={"embedding_dimension": 8})
        assert await register(table, "e", provider_id="a", provider_model_id="my-embed") == made
        for field, other in (("model_type", "llm"), ("metadata", {}), ("provider_model_id", "x")):
            said = {"provider_model_id": "my-embed", field: other}
            with pytest.raises(Conflict, match=field) as caught:
                await register(table, "e", **said)
            assert caught.value.param == field


async def test_what_is_registered_stays_when_providers_list_anew() -> None:
    source = Source(["x"], refresh_models=True)
    async with table_of({"a": source}, interval=0.01) as table:
        await register(table, "fast", provider_model_id="x")
        source.names = ["z"]
        await until(lambda: table.find("a/z", CTX) is not None)
        assert await ids(table) == ["a/z", "fast"]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sources", "said", "told", "param"),
    [
        ({"a": Source(["x"])}, {"provider_id": "b"}, "no provider 'b' .* expected one of a", "provider_id"),
        ({"openai": Source(["x"])}, {"provider_id": "opnai"}, "did you mean 'openai'", "provider_id"),
        ({"a": Source(["x"]), "b": Source(["x"])}, {}, "provider_id is missing.* one of a, b", "provider_id"),
        ({}, {}, "no provider of inference is switched on", "provider_id"),
        ({"a": Source(["x"])}, {"provider_id": "all"}, "no provider 'all'", "provider_id"),
        ({"a": Source(["gpt-4o"])}, {"provider_model_id": "gpt-4"}, "did you mean gpt-4o", "provider_model_id"),
        ({"a": Source(["x"])}, {"provider_model_id": "auto"}, "has no model 'auto'", "provider_model_id"),
        ({"a": Source(["x", "z"], allowed_models=("x",))}, {"provider_model_id": "z"}, "no model 'z'", None),
        ({"a": Source(lists_all=False, allowed_models=("x",))}, {"provider_model_id": "z"}, "no model 'z'", None),
        ({"a": Source(down=True, allowed_models=("x",))}, {"provider_model_id": "z"}, "no model 'z'", None),
        ({"a": Source(lists_all=False)}, {"provider_model_id": "a\nb"}, "printable", "provider_model_id"),
        ({"a": Source(lists_all=False)}, {"metadata": {"x": "y" * 65_536}}, "more than 65536", "metadata"),
    ],
)
async def test_what_cannot_be_served_is_refused_with_the_reason(
    sources: dict[str, Source], said: dict[str, object], told: str, param: str | None
) -> None:
    kv = MemoryKv()
    async with table_of(sources, kv=kv) as table:
        with pytest.raises(BadRequest, match=told) as caught:
            await register(table, "n", **said)
        assert param in (None, caught.value.param)
        assert not kv.values


async def test_a_model_that_the_provider_has_since_a_moment_is_found_by_asking_anew() -> None:
    source = Source(["x"])
    async with table_of({"a": source}) as table:
        source.names = ["x", "pulled"]
        asked = source.asked
        await asyncio.gather(*(register(table, f"n{number}", provider_model_id="pulled") for number in range(5)))
        assert (await ids(table))[:2] == ["a/x", "a/pulled"]
        for _ in range(5):
            with pytest.raises(BadRequest):
                await register(table, "n", provider_model_id="ghost")
        assert source.asked == asked + 1, "each wrong name asks the provider"


async def test_a_provider_that_cannot_list_is_believed() -> None:
    async with table_of({"a": Source(down=True)}) as table:
        assert (await register(table, "fast", provider_model_id="anything")).provider_resource_id == "anything"


async def test_a_model_of_a_provider_is_not_there_to_be_unregistered() -> None:
    async with table_of() as table:
        with pytest.raises(Conflict, match="no model is registered as 'a/x': its provider lists it"):
            await table.unregister_model(UnregisterModelRequest(model="a/x"), CTX)
        with pytest.raises(NotFound):
            await table.unregister_model(UnregisterModelRequest(model="ghost"), CTX)
        await register(table, "a/y", provider_model_id="x")
        with pytest.raises(Conflict, match="it is registered as 'a/y'"):
            await table.unregister_model(UnregisterModelRequest(model="y"), CTX)


# ── the distribution's own ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("declared", "model_id", "name"),
    [
        (resource("fast", "a", "x"), "fast", "y"),
        (resource("x", "a"), "x", "x"),
        (resource("x", "a"), "a/x", "y"),
        (resource("x", None), "a/x", "y"),
        (resource("claude", "all"), "claude", "y"),
        (resource("first", "a", "auto"), "first", "y"),
    ],
)
async def test_what_the_distribution_declares_is_not_redefined(
    declared: ModelResource, model_id: str, name: str
) -> None:
    async with table_of({"a": Source(["x", "y"])}, [declared]) as table:
        before = await where(table, model_id)
        with pytest.raises(Conflict, match="declared by the distribution"):
            await register(table, model_id, provider_model_id=name)
        with pytest.raises(Conflict, match="declared by the distribution"):
            await table.unregister_model(UnregisterModelRequest(model=model_id), CTX)
        assert await where(table, model_id) == before


async def test_a_restart_with_another_file_has_its_resources_and_those_that_clients_registered() -> None:
    kv, sources = MemoryKv(), {"a": Source(["x", "y"])}
    async with table_of(sources, [resource("old", "a", "x"), resource("both", "a", "x")], kv=kv) as table:
        await register(table, "mine", provider_model_id="y")
        await register(table, "next", provider_model_id="y")
        assert await ids(table) == ["a/x", "a/y", "old", "both", "mine", "next"]
    async with table_of(sources, [resource("both", "a", "y"), resource("next", "a", "x")], kv=kv) as table:
        assert await ids(table) == ["a/x", "a/y", "both", "next", "mine"]
        assert await where(table, "both") == ("a", "y")
        assert await where(table, "next") == ("a", "x")
    async with table_of(sources, kv=kv) as table:
        assert await where(table, "next") == ("a", "y")


async def test_a_model_of_a_provider_that_is_switched_off_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    kv, both = MemoryKv(), {"a": Source(["x"]), "b": Source(["y"])}
    async with table_of(both, kv=kv) as table:
        await register(table, "mine", provider_id="b", provider_model_id="y")
    async with table_of({"a": Source(["x"])}, kv=kv) as table:
        assert await ids(table) == ["a/x"]
        assert "not served, of providers that are not here: ['b']" in caplog.text
        with pytest.raises(NotFound):
            await table.locate("mine", CTX)
    async with table_of(both, kv=kv) as table:
        assert await where(table, "mine") == ("b", "y")


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_model_is_its_owners() -> None:
    async with table_of() as table:
        await register(table, "alices", ALICE, provider_model_id="x")
        await register(table, "everybodys", provider_model_id="x")
        assert await ids(table, ALICE) == ["a/x", "a/my-embed", "alices", "everybodys"]
        assert await ids(table, BOB) == ["a/x", "a/my-embed", "everybodys"]
        assert await ids(table) == ["a/x", "a/my-embed", "alices", "everybodys"]
        assert await where(table, "alices", ALICE) == ("a", "x")
        for model in ("alices", "alice"):
            with pytest.raises(NotFound) as caught:
                await table.retrieve_model(RetrieveModelRequest(model=model), BOB)
            assert "alices" not in caught.value.message.partition("here;")[2]
        with pytest.raises(NotFound, match="did you mean alices"):
            await table.locate("alice", ALICE)
        with pytest.raises(NotFound):
            await table.unregister_model(UnregisterModelRequest(model="alices"), BOB)
        with pytest.raises(Conflict, match="by somebody else"):
            await register(table, "alices", BOB, provider_model_id="x")


async def test_what_somebody_else_registered_hides_nothing_of_a_provider() -> None:
    async with table_of({"a": Source(["x", "y"])}) as table:
        await register(table, "a/x", ALICE, provider_model_id="y")
        assert await where(table, "a/x", ALICE) == ("a", "y")
        assert await where(table, "a/x", BOB) == ("a", "x")
        assert await ids(table, BOB) == ["a/x", "a/y"]


# ── other processes, and a store that has gone ──────────────────────────────────────────────────────────────────────


async def test_two_tables_over_one_store_see_each_others_changes(tmp_path: Path) -> None:
    config = KvSqliteConfig(db_path=str(tmp_path / "kv.db"))
    async with (
        open_kv_sqlite(config, instance="kv") as one,
        open_kv_sqlite(config, instance="kv") as other,
        table_of(kv=one) as here,
        table_of(kv=other) as there,
    ):
        await register(here, "fast", provider_model_id="x")
        await until(lambda: there.find("fast", CTX) is not None)
        assert await ids(there) == await ids(here)
        await there.unregister_model(UnregisterModelRequest(model="fast"), CTX)
        await until(lambda: here.find("fast", CTX) is None)
        assert await ids(there) == await ids(here)


async def test_while_the_store_is_gone_models_are_served_and_none_registered() -> None:
    kv = MemoryKv()
    async with table_of(kv=kv) as table:
        await register(table, "fast", provider_model_id="x")
        assert (await table.health()).status == "OK"
        kv.down = True
        assert await where(table, "fast") == ("a", "x")
        assert "fast" in await ids(table)
        for change in (
            register(table, "other", provider_model_id="x"),
            table.unregister_model(UnregisterModelRequest(model="fast"), CTX),
        ):
            with pytest.raises(Unavailable):
                await change
        with pytest.raises(Unavailable, match="the store has gone"):
            await table.health()


async def test_a_start_without_the_store_serves_what_it_knows_and_denies_nothing() -> None:
    kv = MemoryKv(down=True)
    async with table_of(kv=kv) as table:
        assert await where(table, "a/x") == ("a", "x")
        with pytest.raises(Unavailable, match="has not been reached"):
            await table.locate("fast", CTX)
        with pytest.raises(Unavailable, match="has not been reached"):
            await ids(table)
        kv.down = False
        await until(lambda: table.registry.loaded)
        with pytest.raises(NotFound):
            await table.locate("fast", CTX)


async def test_a_request_asks_nothing_of_the_store() -> None:
    kv = MemoryKv()
    async with table_of(kv=kv, interval=300) as table:
        await register(table, "fast", provider_model_id="x")
        kv.open.clear()
        await asyncio.sleep(0.05)  # the watch now waits for the store, so that whoever asks is somebody else
        asked = kv.asked
        for model in ("fast", "a/x"):
            await where(table, model)
            await table.retrieve_model(RetrieveModelRequest(model=model), CTX)
        await ids(table)
        assert kv.asked == asked
        kv.open.set()


async def test_a_long_list_is_put_together_once() -> None:
    async with table_of() as table:
        for number in range(200):
            await register(table, f"m{number}", provider_model_id="x")
        ask = ListModelsRequest(), CTX
        whole = await table.list_models(*ask)
        assert await table.list_models(*ask) is whole
        before = {model.id: model for model in whole.data}
        await register(table, "late", provider_model_id="x")
        after = await table.list_models(*ask)
        assert [model.id for model in after.data if model is not before.get(model.id)] == ["late"]


NAMES = st.sampled_from(["x", "y", "a/x", "b/y", "n"])


@given(
    listed=st.tuples(st.lists(st.sampled_from("xy"), unique=True), st.lists(st.sampled_from("xy"), unique=True)),
    declared=st.lists(st.tuples(NAMES, st.sampled_from(["a", "b"]), st.sampled_from("xy")), max_size=2),
    registered=st.lists(st.tuples(NAMES, st.sampled_from(["a", "b"]), st.sampled_from("xy")), max_size=4),
)
def test_whatever_is_listed_declared_and_registered_each_id_is_served_by_the_first_that_has_it(
    listed: tuple[list[str], list[str]], declared: list[tuple[str, str, str]], registered: list[tuple[str, str, str]]
) -> None:
    async def run() -> None:
        sources = {"a": Source(listed[0]), "b": Source(listed[1])}
        resources = [resource(identity, provider, name) for identity, provider, name in declared]
        async with table_of(sources, resources) as table:
            plain = {model.id: model for model in (await table.list_models(ListModelsRequest(), CTX)).data}
            files = {identity for identity, model in plain.items() if table.find(identity, CTX).declared_type}
            mine: dict[str, tuple[str, str]] = {}
            for identity, provider, name in registered:
                try:
                    made = await register(table, identity, provider_id=provider, provider_model_id=name)
                except (BadRequest, Conflict):
                    continue
                assert made.id not in files
                assert mine.setdefault(made.id, (provider, name)) == (provider, name)
            shown = await table.list_models(ListModelsRequest(), CTX)
            assert len({model.id for model in shown.data}) == len(shown.data), "an id is listed twice"
            assert {model.id for model in shown.data} == plain.keys() | mine.keys()
            for model in shown.data:
                served = await where(table, model.id)
                assert served == (model.provider_id, model.provider_resource_id)
                first = mine.get(model.id) or (plain[model.id].provider_id, plain[model.id].provider_resource_id)
                assert served == first

    asyncio.run(run())

"""The models table and the inference router, over sources that list what the test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import pytest
from parts.contracts.inference.requests import CreateChatCompletionRequest, CreateEmbeddingRequest
from parts.contracts.models.requests import ListModelsRequest, RetrieveModelRequest
from parts.providers.models import builtin
from parts.providers.models.builtin import ModelsConfig, open_models
from parts.providers.models.entries import ModelResource
from parts.routers.inference import InferenceRouter
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, NotFound
from parts.runtime.models import ProviderModel
from sources import Source, resource

CTX = Context("r")
CONFIG = ModelsConfig(refresh_interval_seconds=0.01)


async def names(sources: Mapping[str, Source], *resources: ModelResource) -> list[str]:
    async with open_models(CONFIG, sources=sources, resources=resources) as table:
        return [m.id for m in (await table.list_models(ListModelsRequest(), Context("r"))).data]


async def where(model: str, sources: Mapping[str, Source], *resources: ModelResource) -> tuple[str, str]:
    async with open_models(CONFIG, sources=sources, resources=resources) as table:
        await table.list_models(ListModelsRequest(), Context("r"))
        entry = table.find(model, CTX) or await table.locate(model, CTX)
        return entry.instance, entry.provider_model_id


async def test_models_are_listed_under_their_providers_prefix() -> None:
    assert await names({"a": Source(["x", "org/y"]), "b": Source(["x"])}) == ["a/x", "a/org/y", "b/x"]


async def test_a_prefixed_name_goes_to_its_provider() -> None:
    assert await where("b/x", {"a": Source(["x"]), "b": Source(["x"])}) == ("b", "x")


async def test_a_bare_name_goes_to_the_first_provider_that_lists_it() -> None:
    sources = {"a": Source(["y"]), "b": Source(["x"]), "c": Source(["x"])}
    assert await where("x", sources) == ("b", "x")


async def test_a_name_no_provider_lists_is_not_found_and_near_names_are_told() -> None:
    with pytest.raises(NotFound, match="did you mean a/gpt-4o"):
        await where("a/gpt-4", {"a": Source(["gpt-4o"])})


async def test_a_prefixed_name_passes_while_the_provider_cannot_list() -> None:
    assert await where("a/anything", {"a": Source(down=True)}) == ("a", "anything")


async def test_a_prefixed_name_passes_where_the_list_is_not_everything() -> None:
    assert await where("azure/my-deployment", {"azure": Source(["gpt-4o"], lists_all=False)}) == (
        "azure",
        "my-deployment",
    )


async def test_a_server_with_no_provider_on_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NotFound, match="no provider is switched on"):
        await where("gpt-4", {})
    assert "no provider is switched on" in caplog.text


async def test_why_a_provider_does_not_list_is_told_once_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    source = Source(["x"], down=True, refresh_models=True)

    async def asked(times: int) -> None:
        wanted = source.asked + times
        while source.asked < wanted:
            await asyncio.sleep(0.005)

    async with open_models(CONFIG, sources={"a": source}, resources=()):
        await asked(3)
        assert caplog.text.count("provider a does not list its models: refused") == 1
        source.down = False
        await asked(2)
        source.down = True
        await asked(3)
        assert caplog.text.count("provider a does not list its models: refused") == 2


async def test_allowed_models_are_the_only_ones() -> None:
    sources = {"a": Source(["x", "y"], allowed_models=("x",))}
    assert await names(sources) == ["a/x"]
    for hidden in ("a/y", "y"):
        with pytest.raises(NotFound):
            await where(hidden, sources)


async def test_allowed_models_are_offered_while_the_provider_cannot_list() -> None:
    sources = {"a": Source(down=True, allowed_models=("x",))}
    assert await names(sources) == ["a/x"]
    with pytest.raises(NotFound):
        await where("a/y", sources)


async def test_a_resource_of_another_name_is_an_unprefixed_alias() -> None:
    alias = resource("fast", "a", "x")
    assert await where("fast", {"a": Source(["x"])}, alias) == ("a", "x")
    assert await names({"a": Source(["x"])}, alias) == ["a/x", "fast"]


async def test_a_resource_of_the_same_name_gets_the_prefix() -> None:
    assert await names({"a": Source()}, resource("x", "a")) == ["a/x"]


async def test_provider_all_makes_an_alias_on_the_first_provider_that_lists_it() -> None:
    sources = {"a": Source(["y"]), "b": Source(["claude"])}
    assert await where("claude", sources, resource("claude", "all")) == ("b", "claude")
    assert await where("ghost", sources, resource("ghost", "all")) == ("a", "ghost")
    assert "claude" in await names(sources, resource("claude", "all"))


async def test_an_alias_for_any_provider_waits_for_the_first_listings() -> None:
    sources = {"a": Source(["y"]), "b": Source(["claude"])}
    async with open_models(CONFIG, sources=sources, resources=[resource("claude", "all")]) as table:
        assert table.find("claude", CTX) is None
        assert (await table.locate("claude", CTX)).instance == "b"


async def test_auto_picks_the_first_model_of_the_type() -> None:
    auto = resource("emb", "a", "auto", "embedding")
    assert await where("emb", {"a": Source(["x", "my-embed", "other-embed"])}, auto) == ("a", "my-embed")


async def test_resources_of_an_absent_provider_or_with_an_empty_id_are_absent() -> None:
    assert await names({"a": Source()}, resource("x", "off"), resource(None, "a"), resource("", "a")) == []


async def test_a_provider_is_asked_again_until_it_answers_and_then_left_alone() -> None:
    source = Source(["x"], down=True)
    async with open_models(CONFIG, sources={"a": source}, resources=()) as table:
        await asyncio.sleep(0.03)
        source.down = False
        await asyncio.sleep(0.03)
        assert table.find("a/x", CTX) is not None
        asked = source.asked
        await asyncio.sleep(0.03)
        assert source.asked == asked


async def test_a_refreshing_provider_is_asked_again_and_keeps_its_list_when_it_fails() -> None:
    source = Source(["x"], refresh_models=True)
    async with open_models(CONFIG, sources={"a": source}, resources=()) as table:
        await table.list_models(ListModelsRequest(), Context("r"))
        source.names = ["x", "new"]
        await asyncio.sleep(0.03)
        assert table.find("a/new", CTX) is not None
        source.down = True
        await asyncio.sleep(0.03)
        assert table.find("a/new", CTX) is not None


async def test_a_hanging_provider_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FIRST_LISTING_WAIT_SECONDS", 0.02)

    class Hanging(Source):
        async def list_models(self) -> list[ProviderModel]:
            await asyncio.sleep(60)
            return []

    sources = {"slow": Hanging(), "a": Source(["x"])}
    assert await where("a/x", sources) == ("a", "x")
    assert await names(sources) == ["a/x"]
    # Nor an alias for any provider: it goes to the first, as where none lists the name.
    assert await where("any", sources, resource("any", "all")) == ("slow", "any")


async def test_only_the_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FIRST_LISTING_WAIT_SECONDS", 0.05)

    class Hanging(Source):
        async def list_models(self) -> list[ProviderModel]:
            await asyncio.sleep(60)
            return []

    async with open_models(CONFIG, sources={"slow": Hanging()}, resources=()) as table:
        before = asyncio.all_tasks()
        asking = asyncio.create_task(table.locate("x", CTX))
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert asyncio.all_tasks() == before, "a request that was given up leaves a task"
        await asyncio.sleep(0.06)
        async with asyncio.timeout(0.03):
            with pytest.raises(NotFound):
                await table.locate("x", CTX)


async def test_a_listing_that_never_comes_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "LISTING_SECONDS", 0.01)

    class HangingOnce(Source):
        async def list_models(self) -> list[ProviderModel]:
            if not self.asked:
                self.asked += 1
                await asyncio.sleep(60)
            return await super().list_models()

    async with open_models(CONFIG, sources={"a": HangingOnce(["x"])}, resources=()) as table:
        await asyncio.sleep(0.06)
        assert table.find("a/x", CTX) is not None


async def test_a_provider_that_is_late_is_there_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FIRST_RETRY_SECONDS", 0.01)
    source = Source(["x"], down=True)
    rare = ModelsConfig(refresh_interval_seconds=300)
    async with open_models(rare, sources={"a": source}, resources=()) as table:
        await asyncio.sleep(0.005)
        source.down = False
        await asyncio.sleep(0.03)
        assert table.find("a/x", CTX) is not None
        assert source.asked == 2


async def test_a_long_list_is_presented_once_and_a_long_name_compared_quickly() -> None:
    source = Source([f"family/model-{number}-instruct" for number in range(10_000)])
    async with open_models(CONFIG, sources={"a": source}, resources=()) as table:
        ask = ListModelsRequest(), Context("r")
        assert len((await table.list_models(*ask)).data) == 10_000
        assert await table.list_models(*ask) is await table.list_models(*ask)
        started = time.process_time()
        with pytest.raises(NotFound) as caught:
            await table.locate("a/family/model-x" + "y" * 5_000_000, CTX)
        assert time.process_time() - started < 0.1
        assert len(caught.value.message) < 300


class Counted(str):
    """A model's name that counts how often it is compared."""

    compared = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        type(self).compared += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("provider", ["a", "all"])
async def test_many_registered_models_are_not_searched_for_in_long_lists(provider: str) -> None:
    known = [Counted(f"m{number}") for number in range(1000)]
    aliases = [resource(f"r{number}", provider, Counted(f"m{number}")) for number in range(1000)]
    async with open_models(CONFIG, sources={"a": Source(known)}, resources=aliases) as table:
        entry = await table.locate("r999", CTX)
        assert (entry.provider_model_id, entry.created) == ("m999", 7)
        # Two tables were made, before and after the listing; each takes a few looks for a model, and no search.
        assert Counted.compared < 20 * len(known)


async def test_a_table_made_anew_for_one_provider_takes_the_entries_of_the_others() -> None:
    sources = {"a": Source(["x"]), "b": Source(["y"])}
    async with open_models(CONFIG, sources=sources, resources=()) as table:
        await table.list_models(ListModelsRequest(), Context("r"))
        before = table.find("a/x", CTX)
        await table.refresh("b")
        assert before is not None
        assert table.find("a/x", CTX) is before


async def test_one_object_serves_openai_and_llama_stack_clients() -> None:
    async with open_models(CONFIG, sources={"a": Source(["x"])}, resources=()) as table:
        model = await table.retrieve_model(RetrieveModelRequest(model="x"), Context("r"))
    said = model.model_dump(exclude_unset=True)
    assert {k: said[k] for k in ("id", "object", "created", "owned_by")} == {
        "id": "a/x",
        "object": "model",
        "created": 7,
        "owned_by": "a",
    }
    assert (said["identifier"], said["provider_id"], said["provider_resource_id"]) == ("a/x", "a", "x")
    assert said["custom_metadata"]["provider_resource_id"] == "x"


async def test_the_router_calls_the_owner_with_its_own_name_and_opens_the_account() -> None:
    a, b = Source(["x"]), Source(["x"])
    async with open_models(CONFIG, sources={"a": a, "b": b}, resources=()) as table:
        router = InferenceRouter(table=table, chat={"a": a, "b": b}, completions={}, embeddings={}, rerank={})
        ctx = Context("r")
        request = CreateChatCompletionRequest.model_validate(
            {"model": "b/x", "messages": [{"role": "user", "content": "hi"}]}
        )
        await router.create_chat_completion(request, ctx)
        assert (a.seen, b.seen) == ([], ["x"])
        assert (ctx.usage.instance, ctx.usage.model) == ("b", "b/x")


async def test_an_operation_the_provider_does_not_offer_is_refused_by_name() -> None:
    async with open_models(CONFIG, sources={"a": Source(["x"])}, resources=()) as table:
        router = InferenceRouter(table=table, chat={}, completions={}, embeddings={}, rerank={})
        request = CreateEmbeddingRequest.model_validate({"model": "a/x", "input": "hi"})
        with pytest.raises(BadRequest, match="provider 'a', which does not offer embeddings"):
            await router.create_embedding(request, Context("r"))


async def test_a_model_registered_as_another_type_is_refused() -> None:
    sources = {"a": Source(["x"])}
    async with open_models(CONFIG, sources=sources, resources=[resource("e", "a", "x", "embedding")]) as table:
        router = InferenceRouter(table=table, chat=sources, completions={}, embeddings={}, rerank={})
        request = CreateChatCompletionRequest.model_validate(
            {"model": "e", "messages": [{"role": "user", "content": "hi"}]}
        )
        with pytest.raises(BadRequest, match="registered as 'embedding'"):
            await router.create_chat_completion(request, Context("r"))

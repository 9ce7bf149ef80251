"""The shields table and the router of safety: which shield is meant, whose it is, and what goes along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from memory_kv import MemoryKv
from parts.contracts.safety.requests import CreateModerationRequest, RunShieldRequest
from parts.contracts.shields.requests import (
    ListShieldsRequest,
    RegisterShieldRequest,
    RetrieveShieldRequest,
    UnregisterShieldRequest,
)
from parts.contracts.shields.responses import Shield
from parts.providers.safety.guard import Asked, Guard
from parts.providers.safety.turns import Turn
from parts.providers.safety.verdict import Verdict
from parts.providers.shields.builtin import ShieldsConfig, ShieldsTable, open_shields
from parts.providers.shields.entries import ShieldResource
from parts.providers.shields.registry import RegisteredShields, open_registered_shields
from parts.routers.safety import SafetyRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, Unavailable
from parts.runtime.kv import KvBackend

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")


class Recorder(Guard):
    """Takes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        self.asked.append(asked)
        return Verdict(flagged=True)


def declared(shield: str | None, provider: str | None = "a", name: str | None = None, **params: str) -> ShieldResource:
    return ShieldResource(shield_id=shield, provider_id=provider, provider_shield_id=name, params=params)


async def table(*resources: ShieldResource, default: str | None = None) -> ShieldsTable:
    config = ShieldsConfig(default_shield_id=default)
    async with open_shields(config, sources={"a": None, "b": None}, resources=resources) as made:
        return made


@asynccontextmanager
async def registering(
    *resources: ShieldResource, kv: KvBackend | None = None, sources: Sequence[str] = ("a", "b")
) -> AsyncIterator[RegisteredShields]:
    store = MemoryKv() if kv is None else kv
    async with open_registered_shields(
        ShieldsConfig(), sources=dict.fromkeys(sources), resources=resources, metadata_store=store
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


async def ids(made: ShieldsTable, ctx: Context = CTX) -> list[str]:
    return [each.identifier for each in (await made.list_shields(ListShieldsRequest(), ctx)).data]


async def register(made: RegisteredShields, shield: str, ctx: Context = CTX, **said: object) -> Shield:
    request = RegisterShieldRequest.model_validate({"shield_id": shield, "provider_id": "a", **said})
    return await made.register_shield(request, ctx)


async def unregister(made: RegisteredShields, shield: str, ctx: Context = CTX) -> None:
    await made.unregister_shield(UnregisterShieldRequest(identifier=shield), ctx)


# ── what the distribution declares ──────────────────────────────────────────────────────────────────────────────────


async def test_declared_shields_are_listed_but_those_of_who_is_absent() -> None:
    made = await table(declared("x", name="meta/guard", v="1"), declared(None), declared("y", None), declared("z", "c"))
    assert await ids(made) == ["x"]
    shown = await made.retrieve_shield(RetrieveShieldRequest(identifier="x"), CTX)
    assert shown.model_dump() == {
        "identifier": "x",
        "provider_id": "a",
        "provider_resource_id": "meta/guard",
        "type": "shield",
        "params": {"v": "1"},
    }


async def test_an_unknown_shield_is_not_found() -> None:
    made = await table(declared("llama-guard"))
    for call, code, param in (
        (lambda: made.locate("llama-gard", CTX), "shield_not_found", "shield_id"),
        (lambda: made.by_model("llama-gard", CTX), "model_not_found", "model"),
    ):
        with pytest.raises(NotFound, match="did you mean llama-guard") as refusal:
            call()
        assert (refusal.value.code, refusal.value.param) == (code, param)


async def test_a_moderation_names_a_shield_or_its_guard_or_has_the_default_one() -> None:
    resources = (declared("x", name="meta/guard"), declared("y", "b"))
    made = await table(*resources)
    assert (made.by_model("x", CTX).id, made.by_model("meta/guard", CTX).id) == ("x", "x")
    with pytest.raises(BadRequest, match="name one of: x, y") as refusal:
        made.by_model(None, CTX)
    assert refusal.value.param == "model"
    assert (await table(*resources, default="y")).by_model(None, CTX).id == "y"
    with pytest.raises(BadRequest, match="model is missing"):
        (await table()).by_model(None, CTX)


# ── what clients register ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_registered_shield_is_kept_and_used() -> None:
    kv = MemoryKv()
    async with registering(declared("x"), kv=kv) as made:
        shown = await register(made, "mine", provider_shield_id="g", params={"guardrailVersion": "2", "n": 1})
        assert shown.provider_resource_id == "g"
        assert await ids(made) == ["x", "mine"]
    async with registering(declared("x"), kv=kv) as again:
        assert await ids(again) == ["x", "mine"]
        assert again.locate("mine", CTX).params == {"guardrailVersion": "2", "n": 1}
        assert await register(again, "mine", provider_shield_id="g") is not None, "the same again is no conflict"
        await unregister(again, "mine")
        with pytest.raises(NotFound):
            again.locate("mine", CTX)


async def test_what_cannot_be_registered_is_refused() -> None:
    async with registering(declared("x")) as made:
        await register(made, "mine")
        for said, kind, param in (
            ({"shield_id": "x"}, Conflict, "shield_id"),
            ({"shield_id": "mine", "provider_id": "b"}, Conflict, "provider_id"),
            ({"shield_id": "n", "provider_id": "c"}, BadRequest, "provider_id"),
            ({"shield_id": "n", "provider_id": None}, BadRequest, "provider_id"),
            ({"shield_id": "../n"}, BadRequest, "shield_id"),
            ({"shield_id": "n", "provider_shield_id": "a\nb"}, BadRequest, "provider_shield_id"),
            ({"shield_id": "n", "params": {"x": "y" * 70_000}}, BadRequest, "params"),
        ):
            with pytest.raises(kind) as refusal:
                await register(made, "n", **said)
            assert refusal.value.param == param, said
        with pytest.raises(Conflict, match="declared by the distribution"):
            await unregister(made, "x")
        assert await ids(made) == ["x", "mine"]


async def test_of_one_provider_none_need_be_named() -> None:
    async with registering(sources=["only"]) as made:
        assert (await register(made, "n", provider_id=None)).provider_id == "only"


async def test_a_shield_is_its_owners() -> None:
    async with registering() as made:
        await register(made, "hers", ALICE, provider_shield_id="g")
        assert (await ids(made, ALICE), await ids(made, BOB)) == (["hers"], [])
        assert made.by_model("g", ALICE).id == "hers"
        for call in (lambda: made.locate("hers", BOB), lambda: made.by_model("g", BOB)):
            with pytest.raises(NotFound):
                call()
        with pytest.raises(NotFound):
            await unregister(made, "hers", BOB)


async def test_a_shield_of_who_is_not_here_any_more_is_not_served() -> None:
    kv = MemoryKv()
    async with registering(kv=kv) as made:
        await register(made, "mine")
    async with registering(kv=kv, sources=["b"]) as made:
        assert await ids(made) == []
        with pytest.raises(NotFound):
            made.locate("mine", CTX)


async def test_a_store_that_was_never_reached_is_no_not_found() -> None:
    async with registering(declared("x")) as made:
        made.registry.loaded = False
        assert made.locate("x", CTX).id == "x"
        with pytest.raises(Unavailable):
            made.locate("y", CTX)
        with pytest.raises(Unavailable):
            made.by_model("y", CTX)
        with pytest.raises(Unavailable):
            await ids(made)


# ── the router ──────────────────────────────────────────────────────────────────────────────────────────────────────


def router(made: ShieldsTable, guards: Mapping[str, Recorder]) -> SafetyRouter:
    return SafetyRouter(table=made, shielding=guards, moderations=guards)


async def test_a_shield_is_run_by_its_owner_by_its_own_rules() -> None:
    a, b, ctx = Recorder(), Recorder(), Context("r")
    safety = router(await table(declared("x", name="g", guardrailVersion="3")), {"a": a, "b": b})
    said = {"role": "user", "content": "hi"}
    request = RunShieldRequest(shield_id="x", messages=[said], params={"guardrailVersion": "1", "more": 1})
    assert (await safety.run_shield(request, ctx)).violation is not None
    moderation = CreateModerationRequest(model="x", input="hi", params={"guardrailVersion": "1"})
    assert (await safety.create_moderation(moderation, ctx)).model == "x"
    assert a.asked == [Asked("g", {"guardrailVersion": "3"})] * 2, "the caller does not choose the rules"
    assert b.asked == []
    assert (ctx.usage.instance, ctx.usage.model) == ("a", "x")


async def test_a_moderation_without_a_model_tells_whose_answer_it_is() -> None:
    safety = router(await table(declared("x", name="g"), default="x"), {"a": Recorder()})
    assert (await safety.create_moderation(CreateModerationRequest(input="hi"), CTX)).model == "x"


async def test_a_provider_without_an_operation_is_no_fault_of_the_server() -> None:
    safety = SafetyRouter(table=await table(declared("x")), shielding={}, moderations={})
    with pytest.raises(BadRequest, match="does not offer running shields"):
        await safety.run_shield(RunShieldRequest(shield_id="x", messages=[{"role": "user", "content": "hi"}]), CTX)

"""`stackgen why`: the chains from a line of the distribution to a package."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stackgen.lockfile import Lock, Locked, Weight
from stackgen.plan import Component, Config, Plan, Position, Requirement
from stackgen.why import run_why

LINE = Position("specs/distributions/gateway.yaml", 9, 7)
OPENAI = Component(
    name="openai",
    api="inference",
    id="openai",
    type="remote::openai",
    role="instance",
    part="providers/inference/openai.py",
    opener="open_openai",
    contexts=True,
    because=LINE,
)
PLAN = Plan(
    name="gateway",
    package="gateway_stack",
    summary="",
    apis=(),
    components=(OPENAI, replace(OPENAI, name="second", id="second", because=replace(LINE, line=12))),
    routes=(),
    server=Config(path="server", part="", cls="", fields=()),
    provider_data=(),
    resources=(),
    requirements=(
        Requirement("aiohttp>=3", ("inference/remote::openai: specs/providers/inference/openai.yaml:16:12",)),
        Requirement("fastapi", ("every server: specs/base.yaml:4:5",)),
    ),
    externals=(),
    untyped=(),
    budget=(),
    origin=Position("specs/distributions/gateway.yaml", 1, 1),
)


def locked(name: str, version: str, *via: str) -> Locked:
    return Locked(name=name, version=version, hashes=("sha256:0",), via=via)


LOCK = Lock(
    "",
    (
        locked("aiohttp", "3.1", "specs"),
        locked("fastapi", "0.9", "specs", "loop"),
        locked("idna", "3.2", "yarl", "fastapi", "left-out"),
        locked("left-out", "1", "specs"),
        locked("loop", "1", "fastapi"),
        locked("yarl", "1.2", "aiohttp"),
    ),
)

FIRST = (
    "specs/distributions/gateway.yaml:9 inference/openai"
    " → specs/providers/inference/openai.yaml:16 inference/remote::openai"
)
SECOND = FIRST.replace(":9 inference/openai", ":12 inference/second")
BASE = "specs/distributions/gateway.yaml:1 gateway → specs/base.yaml:4 every server"


def test_every_chain_is_told_the_shortest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_why(PLAN, LOCK, "Idna") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{BASE} → fastapi 0.9 → idna 3.2",
        f"{FIRST} → aiohttp 3.1 → yarl 1.2 → idna 3.2",
        f"{SECOND} → aiohttp 3.1 → yarl 1.2 → idna 3.2",
    ]


def test_a_chain_ends_with_what_the_package_weighs(capsys: pytest.CaptureFixture[str]) -> None:
    forks = [replace(locked("numpy", "2", "specs"), weight=Weight(2048, "sha256:0"))]
    forks += [replace(locked("numpy", "3", "specs"), weight=Weight(0))]
    asked = Requirement("numpy", ("every server: specs/base.yaml:4:5",))
    assert run_why(replace(PLAN, requirements=(asked,)), Lock("", tuple(forks)), "numpy") == 0
    assert capsys.readouterr().out == f"{BASE} → numpy 2 or 3, 2.0 KiB\n"


def test_packages_that_need_each_other_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_why(PLAN, LOCK, "loop") == 0
    assert capsys.readouterr().out.splitlines() == [f"{BASE} → fastapi 0.9 → loop 1"]


def test_a_package_of_other_distributions_is_not_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_why(PLAN, LOCK, "left-out") == 1
    assert "gateway does not need left-out" in capsys.readouterr().err


def test_a_misspelt_package_gets_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_why(PLAN, LOCK, "aiohtp") == 1
    assert "did you mean aiohttp?" in capsys.readouterr().err

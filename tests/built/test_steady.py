"""A server under load for two minutes has no more of anything than after a third of them."""

from __future__ import annotations

import asyncio

import pytest
from flatness.servers import gateway, upstream
from flatness.steady import Sample, Trend, trends, under_load

pytestmark = pytest.mark.slow

SECONDS = 120.0
WHAT = ("memory", "descriptors", "latency", "CPU")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trend]:
    home = tmp_path_factory.mktemp("steady")
    with upstream(home) as service, gateway(home, "steady", service) as server:
        return {each.what: each for each in trends(asyncio.run(under_load(server, service, SECONDS)))}


@pytest.mark.parametrize("what", WHAT)
def test_nothing_grows_with_time(found: dict[str, Trend], what: str) -> None:
    trend = found[what]
    assert trend.flat, f"{trend.first}, {trend.last}: {trend.verdict}, and {trend.limit:g} would do"


@pytest.mark.parametrize("what", WHAT)
def test_what_grows_is_told_and_a_burst_is_not(what: str) -> None:
    steady = [Sample(300 * n, 55.0, 30, 10.0, 4e-4) for n in range(60)]
    burst = [Sample(each.requests, 60.0, 40, 90.0, 2e-3) if 40 < n < 48 else each for n, each in enumerate(steady)]
    # 40 bytes a request, a descriptor every ten samples; the time of a request trebled from the first to the last.
    growing = [
        Sample(each.requests, 55 + n * 300 * 40 / 1024**2, 30 + n // 10, 10 * (1 + n / 30), 4e-4 * (1 + n / 30))
        for n, each in enumerate(steady)
    ]
    assert {each.what: each.flat for each in trends(steady)}[what]
    assert {each.what: each.flat for each in trends(burst)}[what]
    assert not {each.what: each.flat for each in trends(growing)}[what]


def test_the_trends_are_those_that_are_asserted() -> None:
    assert tuple(each.what for each in trends([Sample(n, 55.0, 30, 10.0, 4e-4) for n in range(60)])) == WHAT

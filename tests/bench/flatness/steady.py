"""Minutes of steady load, and whether anything grows with them.

A trend is Theil and Sen's: the median of the slopes of all pairs, which no burst of other work on the machine moves.
Latency is that of the fastest tenth, who found the machine free, as a ratio to the same of requests that go straight to
the service beside it.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .load import Connection, chat, connect, connect_all
from .servers import Gateway

CLIENTS = 8
REQUESTS_PER_SECOND = 320
SAMPLES = 60
WARM_UP = 1 / 3
"""Of the samples, which are not looked at: caches fill, and the memory's allocator finds its size."""


@dataclass(frozen=True, slots=True)
class Sample:
    """At one moment. requests: since the start. memory: MiB. latency: of the requests since the last sample, as a ratio
    to the direct ones. cpu: seconds per request since then.
    """

    requests: int
    memory: float
    descriptors: int
    latency: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Trend:
    """One figure over time; growth: what `limit` bounds, in its unit."""

    what: str
    first: str
    last: str
    growth: float
    limit: float
    unit: str

    @property
    def flat(self) -> bool:
        return self.growth <= self.limit

    @property
    def verdict(self) -> str:
        return f"{self.growth:+.2f} {self.unit}"


async def under_load(server: Gateway, service: int, seconds: float) -> list[Sample]:
    """Chats and streams at a steady pace, some clients coming and going, and samples of them."""
    asked, direct = list[float](), list[float]()
    total = 0
    stop = asyncio.Event()
    requests = [chat("p0/m1"), chat("p0/m2", events=20), chat("p0/m3", letters=20_000), chat("m4")]

    async def work(connection: Connection) -> None:
        nonlocal total
        for number in itertools.count():
            if stop.is_set():
                return
            begun = time.perf_counter()
            await connection.ask(requests[number % len(requests)])
            if number % len(requests) == 0:
                asked.append(time.perf_counter() - begun)
            total += 1
            if number % 100 == 99:
                connection.close()
                connection = await connect(server.port)
            await asyncio.sleep(max(0.0, begun + CLIENTS / REQUESTS_PER_SECOND - time.perf_counter()))
        connection.close()

    async def beside(connection: Connection) -> None:
        request = chat("m1", path="/models-10")
        while not stop.is_set():
            begun = time.perf_counter()
            await connection.ask(request)
            direct.append(time.perf_counter() - begun)
            await asyncio.sleep(0.02)
        connection.close()

    samples: list[Sample] = []
    async with asyncio.TaskGroup() as group:
        for connection in await connect_all(server.port, CLIENTS):
            group.create_task(work(connection))
        group.create_task(beside(await connect(service)))
        cpu, done = server.cpu(), 0
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            used, now = server.cpu(), total
            latency = _of_fastest(asked) / _of_fastest(direct)
            samples.append(Sample(now, server.memory(), server.descriptors(), latency, (used - cpu) / (now - done)))
            cpu, done = used, now
            asked.clear()
            direct.clear()
        stop.set()
    return samples


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """Of memory, descriptors, latency and processor time, each with what it may grow at most."""
    late = samples[int(len(samples) * WARM_UP) :]
    asked = [float(each.requests) for each in late]
    memory = [each.memory for each in late]
    leak = _slope(asked, memory) * 1024 * 1024
    open_ = [float(each.descriptors) for each in late]
    return [
        Trend("memory", f"{memory[0]:.1f} MiB", f"{memory[-1]:.1f} MiB", leak, 16.0, "bytes a request"),
        Trend("descriptors", f"{open_[0]:.0f}", f"{open_[-1]:.0f}", _growth(asked, open_), 2.0, "in all"),
        _relative("latency", "× direct", 50.0, asked, [each.latency for each in late]),
        # On a processor that is shared the same work takes a quarter more at times.
        _relative("CPU", "µs a request", 50.0, asked, [each.cpu * 1e6 for each in late]),
    ]


def _relative(what: str, unit: str, limit: float, at: Sequence[float], figures: Sequence[float]) -> Trend:
    tenth = max(1, len(figures) // 10)
    first, last = statistics.median(figures[:tenth]), statistics.median(figures[-tenth:])
    growth = 100 * _growth(at, figures) / statistics.median(figures)
    return Trend(what, f"{first:.2f} {unit}", f"{last:.2f} {unit}", growth, limit, "%")


def _of_fastest(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) // 10]


def _growth(at: Sequence[float], figures: Sequence[float]) -> float:
    """From the first to the last, along the trend."""
    return _slope(at, figures) * (at[-1] - at[0])


def _slope(at: Sequence[float], figures: Sequence[float]) -> float:
    pairs = itertools.combinations(zip(at, figures, strict=True), 2)
    return statistics.median((b - a) / (y - x) for (x, a), (y, b) in pairs if y > x)

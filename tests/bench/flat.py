"""What a request costs, whatever the server's size and load: `nox -s flat`, or `nox -s flat -- models bodies`.

A built server stands in front of a service of ours (`flatness/upstream.py`). Each table varies one thing and has the
processor time of a request beside it, of the server's process alone and as a ratio to the first row of the same run:
other work on the machine moves figures, and ratios hardly. Linux only.

    providers    1 and 30 instances
    models       10 and 10,000: listed by the service, registered in the distribution, named in allowed_models
    registry     10 and 10,000 models that clients have registered: chats, starts, changes by another process
    connections  16 that ask, with 1,000 that are silent beside them; 16 streams and 1,000 slow ones, as many events
    bodies       requests of 1 KiB to 64 MiB
    time         minutes of steady load: `time`; `hour` is an hour of it, and only done where it is named
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop
from flatness import kept, steady
from flatness.load import Connection, ask_all, chat, connect_all
from flatness.rounds import Found, in_turns, table
from flatness.servers import Gateway, gateway, upstream

BUSY = 16
CHATS = 2000
MANY = 1000
ROUNDS_OF_STREAMS = 3
MODELS = 10_000
MEBIBYTE = 1024 * 1024
SIZES = {"1 KiB": 1024, "64 KiB": 65536, "1 MiB": MEBIBYTE, "8 MiB": 8 * MEBIBYTE, "64 MiB": 64 * MEBIBYTE}
KEEP_MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=536870912"
}


async def providers(home: Path, service: int) -> None:
    with ExitStack() as stack:
        servers = {
            str(count): stack.enter_context(gateway(home, f"providers-{count}", service, providers=count))
            for count in (1, 30)
        }
        await _compare("providers", servers, dict.fromkeys(servers, ("p0/m0",)))


async def models(home: Path, service: int) -> None:
    with ExitStack() as stack:
        servers = {
            "10 listed": stack.enter_context(gateway(home, "few", service)),
            "10,000 listed": stack.enter_context(gateway(home, "listed", service, listed=MODELS)),
            "10,000 allowed": stack.enter_context(gateway(home, "allowed", service, listed=MODELS, allowed=MODELS)),
            "10,000 registered": stack.enter_context(gateway(home, "known", service, listed=10, resources=MODELS)),
            "10,000 of both": stack.enter_context(gateway(home, "both", service, listed=MODELS, resources=MODELS)),
        }
        last = MODELS - 1
        asked = {"10 listed": ("p0/m9",), "10,000 registered": (f"r{last}",), "10,000 of both": (f"r{last}",)}
        await _compare("models", servers, {name: asked.get(name, (f"p0/m{last}",)) for name in servers})


async def registry(home: Path, service: int) -> None:
    await kept.registry(home, service, MODELS)


async def _compare(title: str, servers: dict[str, Gateway], asked: dict[str, Sequence[str]]) -> None:
    """Start and chats of several servers."""
    first = next(iter(servers.values()))
    opened = {name: await connect_all(server.port, BUSY) for name, server in servers.items()}

    def measure(name: str) -> Callable[[], Awaitable[float]]:
        return lambda: _cpu_of_chats(servers[name], opened[name], [chat(model) for model in asked[name]])

    found = await in_turns({name: measure(name) for name in servers})
    rows = [
        (
            name,
            (
                f"{found[name].figure * 1e6:.0f}",
                f"{found[name].ratio:.2f}",
                f"{server.start_memory:.1f}",
                f"{server.start_memory - first.start_memory:+.1f}",
                f"{server.start_cpu:.2f}",
                f"{server.start_cpu - first.start_cpu:+.2f}",
                f"{server.build_seconds:.1f}",
            ),
        )
        for name, server in servers.items()
    ]
    columns = ("CPU µs per chat", "ratio", "MiB at start", "more", "CPU s to start", "more", "build s")
    table(title, columns, rows)
    _close(opened.values())


async def _cpu_of_chats(
    server: Gateway, connections: Sequence[Connection], requests: Sequence[bytes], count: int = CHATS
) -> float:
    """Seconds of processor time for one."""
    before = server.cpu()
    await ask_all(connections, requests, count)
    return (server.cpu() - before) / count


async def connections(home: Path, service: int) -> None:
    with gateway(home, "connections", service) as server:
        busy = await connect_all(server.port, BUSY)
        requests = [chat("p0/m1")]
        await _cpu_of_chats(server, busy, requests, 2000)
        before = server.memory()
        idle = await connect_all(server.port, MANY)
        await ask_all(idle, [b"GET /v1/health HTTP/1.1\r\nHost: us\r\n\r\n"], MANY)
        each = (server.memory() - before) * 1024 / MANY
        silent: list[Connection] = []

        async def alone() -> float:
            _close([silent])
            silent.clear()
            await asyncio.sleep(0.5)
            return await _cpu_of_chats(server, busy, requests)

        async def beside() -> float:
            silent.extend(await connect_all(server.port, MANY))
            await asyncio.sleep(0.5)
            return await _cpu_of_chats(server, busy, requests)

        _close([idle])
        found = await in_turns({"16": alone, "16, 1,000 silent": beside})
        _close([silent])
        rows = [
            (name, (f"{cost.figure * 1e6:.0f}", f"{cost.ratio:.2f}", memory))
            for (name, cost), memory in zip(found.items(), ("", f"{each:.1f}"), strict=True)
        ]
        table("connections", ("CPU µs per chat", "ratio", "KiB each"), rows)
        await _streams(server)


async def _streams(server: Gateway) -> None:
    """A thousand events a second, of few streams and of many: once all have begun, until they end."""
    few = await connect_all(server.port, BUSY)
    before = peak = server.memory()
    many = await connect_all(server.port, MANY)

    async def events(connections: Sequence[Connection]) -> float:
        nonlocal peak
        request = chat("p0/m1", events=6000 // len(connections), slow=True)
        async with asyncio.TaskGroup() as group:
            for connection in connections:
                group.create_task(connection.ask(request))
            await asyncio.sleep(2)
            begun, seen = server.cpu(), sum(each.events for each in connections)
            await asyncio.sleep(3)
            used, passed = server.cpu() - begun, sum(each.events for each in connections) - seen
            peak = max(peak, server.memory())
        return used / passed

    found = await in_turns(
        {"16 streams": lambda: events(few), "1,000 streams": lambda: events(many)}, rounds=ROUNDS_OF_STREAMS
    )
    memory = (peak - before) * 1024 / MANY
    rows = [
        (name, (f"{cost.figure * 1e6:.0f}", f"{cost.ratio:.2f}", cell))
        for (name, cost), cell in zip(found.items(), ("", f"{memory:.1f}"), strict=True)
    ]
    table("streams", ("CPU µs per event", "ratio", "KiB each"), rows)
    _close([few, many])


async def bodies(home: Path, service: int) -> None:
    """The system gives a process pages for blocks that are too large to be kept, and takes them back: that is most of
    what grows, as a server shows whose allocator is told to keep all.
    """
    plain, keeping = await _bodies(home, service, "plain", {}), await _bodies(home, service, "keeping", KEEP_MEMORY)
    rows = [
        (name, tuple(cell for found in (plain, keeping) for cell in _per_mebibyte(found, name, size)))
        for name, size in SIZES.items()
    ]
    columns = ("CPU µs per chat", "ms per MiB more", "ratio")
    table("bodies", (*columns, *(f"{column} *" for column in columns)), rows)
    sys.stdout.write("* with memory that is freed kept for the next request\n")


async def _bodies(home: Path, service: int, name: str, environ: Mapping[str, str]) -> dict[str, Found]:
    with gateway(home, name, service, environ=environ) as server:
        # One at a time, since what several hold at once is another matter.
        opened = await connect_all(server.port, 1)

        def measure(size: int) -> Callable[[], Awaitable[float]]:
            count = max(2, min(CHATS, 32 * MEBIBYTE // size))
            return lambda: _cpu_of_chats(server, opened, [chat("p0/m1", letters=size)], count)

        found = await in_turns({name: measure(size) for name, size in SIZES.items()})
        _close([opened])
    return found


def _per_mebibyte(found: Mapping[str, Found], name: str, size: int) -> tuple[str, str, str]:
    least = found["1 KiB"].figure

    def more(name: str) -> float:
        return (found[name].figure - least) * MEBIBYTE / (SIZES[name] - 1024)

    whole = f"{found[name].figure * 1e6:.0f}"
    return (whole, "", "") if size == 1024 else (whole, f"{more(name) * 1e3:.2f}", f"{more(name) / more('64 KiB'):.2f}")


async def over_time(home: Path, service: int, seconds: float = 180.0) -> None:
    with gateway(home, "steady", service) as server:
        samples = await steady.under_load(server, service, seconds)
    trends = steady.trends(samples)
    rows = [(each.what, (each.first, each.last, each.verdict)) for each in trends]
    table(f"{seconds:.0f} s of load", ("after a third", "in the end", "growth"), rows)


async def hour(home: Path, service: int) -> None:
    await over_time(home, service, 3600.0)


def _close(groups: Iterable[Iterable[Connection]]) -> None:
    for group in groups:
        for connection in group:
            connection.close()


TABLES = {
    "providers": providers,
    "models": models,
    "registry": registry,
    "connections": connections,
    "bodies": bodies,
    "time": over_time,
    "hour": hour,
}


def main(names: Sequence[str]) -> None:
    unknown = set(names) - TABLES.keys()
    if unknown:
        raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    with tempfile.TemporaryDirectory() as temporary, upstream(Path(temporary)) as service:
        for name in names or [each for each in TABLES if each != "hour"]:
            home = Path(temporary) / name
            home.mkdir()
            uvloop.run(TABLES[name](home, service))


if __name__ == "__main__":
    main(sys.argv[1:])

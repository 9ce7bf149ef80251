"""Remote inference over OpenAI's API: streams on their way to clients that are slow, leave, or cannot be written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from conftest import QUICK
from openai_answers import collect, contents
from parts.runtime.errors import UpstreamTimeout
from parts.runtime.reply import Events
from upstreams import STORY, FakeUpstream, Seen, chunk, event_of, fake_upstream, streams

MANY = [chunk(f"word {number}") for number in range(50)]
# Nothing of a stream is silent that long here.
PATIENT = replace(QUICK, timeout=replace(QUICK.timeout, read=30.0))


class Client:
    """Takes blocks as a client's connection does: the future that it gives says when it can take more.

    seconds: until then; 0 for a client that is always quick, None for one that takes nothing before `take`.
    """

    def __init__(self, seconds: float | None) -> None:
        self.blocks: list[bytes] = []
        self._seconds = seconds
        self._full: asyncio.Future[None] | None = None

    def put(self, block: bytes) -> asyncio.Future[None] | None:
        assert self._full is None or self._full.done(), "nothing is put where it is full"
        self.blocks.append(block)
        if self._seconds == 0:
            return None
        loop = asyncio.get_running_loop()
        self._full = loop.create_future()
        if self._seconds is not None:
            loop.call_later(self._seconds, self.take)
        return self._full

    def take(self) -> None:
        if self._full is not None and not self._full.done():
            self._full.set_result(None)


async def all_closed(fake: FakeUpstream) -> None:
    async with asyncio.timeout(5):
        while fake.open:
            await asyncio.sleep(0.01)


@pytest.fixture
async def begin(open_service, ask) -> AsyncIterator[object]:
    """A stream of a fake, begun; left when the test ends."""
    begun: list[Events[object]] = []

    async def of(fake, network=PATIENT) -> Events[object]:
        service = await open_service(fake, network=network)
        begun.append(await service.create_chat_completion(*ask(stream=True)))
        return begun[-1]

    yield of
    for events in begun:
        await events.aclose()


@pytest.mark.parametrize("pause", [0.0, 0.003])
async def test_a_slow_client_gets_everything_in_order(begin, pause):
    async with fake_upstream(streams(*MANY, *STORY, pause=pause)) as fake:
        events, client = await begin(fake), Client(0.002)
        await events.pour(client.put)
    assert contents(b"".join(client.blocks)) == [*MANY, *STORY[:3]]


async def test_an_upstream_is_not_read_while_the_client_takes_nothing(begin):
    sent = 0

    async def floods(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        nonlocal sent
        data = event_of(chunk("x" * 10_000))
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            sent += len(data)
            await writer.drain()

    async with fake_upstream(floods) as fake:
        events, client = await begin(fake), Client(None)
        pouring = asyncio.ensure_future(events.pour(client.put))
        before = -1
        while before < sent:
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 20_000_000, "what fits into the buffers between us"
        assert len(client.blocks) == 1
        for _ in range(20):
            client.take()
            await asyncio.sleep(0.02)
        assert len(client.blocks) > 10
        assert sent > before, "it goes on when the client does"
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)
        await all_closed(fake)
    # What was cut in the middle of a piece may hold half an event, the client has whole ones.
    assert all(block.startswith(b"data: ") and block.endswith(b"\n\n") for block in client.blocks)


async def test_a_client_that_takes_nothing_is_not_the_upstreams_silence(begin):
    impatient = replace(QUICK, timeout=replace(QUICK.timeout, read=0.1))
    async with fake_upstream(streams(*STORY)) as fake:
        events, client = await begin(fake, impatient), Client(0.3)
        await events.pour(client.put)
    assert contents(b"".join(client.blocks)) == list(STORY[:3])


@pytest.mark.parametrize("poured", [True, False])
async def test_the_time_for_all_of_a_call_ends_a_stream_that_is_not_silent(begin, poured):
    short = replace(PATIENT, timeout=replace(PATIENT.timeout, total=0.6), retries=0)
    async with fake_upstream(streams(*MANY, pause=0.1)) as fake:
        with pytest.raises(UpstreamTimeout, match="in time"):
            await collect(await begin(fake, short), poured=poured)
        await all_closed(fake)


async def test_a_stream_that_is_left_in_mid_pouring_cuts_the_connection_upstream(begin):
    async with fake_upstream(streams(*MANY, pause=0.01)) as fake:
        events, client = await begin(fake), Client(0)
        pouring = asyncio.ensure_future(events.pour(client.put))
        await asyncio.sleep(0.05)
        pouring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pouring
        await all_closed(fake)
        so_far = len(client.blocks)
        assert so_far
        await asyncio.sleep(0.05)
        assert len(client.blocks) == so_far
        assert [block async for block in events] == []


@pytest.mark.parametrize("good", [0, 3])
async def test_what_goes_wrong_in_writing_ends_the_pouring(begin, good):
    blocks: list[bytes] = []

    def put(block: bytes) -> None:
        if len(blocks) == good:
            raise ZeroDivisionError
        blocks.append(block)

    async with fake_upstream(streams(*MANY, pause=0.005)) as fake:
        with pytest.raises(ZeroDivisionError):
            await (await begin(fake)).pour(put)
        await all_closed(fake)
    assert len(blocks) == good


async def test_a_connection_that_was_given_back_tells_its_next_user_only(open_service, ask):
    network = replace(PATIENT, max_connections=1)
    async with fake_upstream(streams(*STORY), streams(*MANY, *STORY, pause=0.005)) as fake:
        service = await open_service(fake, network=network)
        first, client = await service.create_chat_completion(*ask(stream=True)), Client(None)
        pouring = asyncio.ensure_future(first.pour(client.put))
        # The whole stream has come, though its client has taken nothing: the connection is free.
        second = await asyncio.wait_for(service.create_chat_completion(*ask(stream=True)), 5)
        relaying = asyncio.ensure_future(collect(second))
        while not pouring.done():
            client.take()
            await asyncio.sleep(0.01)
        assert contents(b"".join(client.blocks)) == list(STORY[:3])
        assert contents(await relaying) == [*MANY, *STORY[:3]]
        assert fake.connections == 1

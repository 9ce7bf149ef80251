"""The way to an upstream: what is tried again, when, and how often. Over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from conftest import QUICK
from parts.runtime.errors import UpstreamTimeout
from parts.runtime.upstream import open_upstream
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from parts.runtime.upstream_errors import retry_after
from upstream_calls import OK, POST, fails, fetch
from upstreams import (
    answers,
    breaks_off,
    drops,
    fake_upstream,
    hangs,
    in_seconds,
    refuses,
    shows_html,
    streams,
)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_what_may_pass_is_tried_again(status):
    async with fake_upstream(refuses(status), refuses(status), OK) as fake:
        assert await fetch(fake.url) == b'{"ok": true}'
    assert [seen.body for seen in fake.requests] == [b"{}"] * 3


@pytest.mark.parametrize("script", [drops, shows_html(502)])
async def test_a_lost_connection_or_a_broken_balancer_is_tried_again(script):
    async with fake_upstream(script, OK) as fake:
        assert await fetch(fake.url) == b'{"ok": true}'
    assert len(fake.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
async def test_what_will_not_change_is_not_tried_again(status):
    async with fake_upstream(refuses(status)) as fake:
        await fails(fake.url)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("script", [hangs, breaks_off, answers(b"", status=302, headers={"Location": "/x"})])
async def test_what_may_have_begun_is_not_tried_again(script):
    async with fake_upstream(script) as fake:
        await fails(fake.url, replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.1)))
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (4, 5)])
async def test_attempts_are_counted(retries, attempts):
    async with fake_upstream(refuses(503)) as fake:
        error = await fails(fake.url, replace(QUICK, retries=retries))
    assert (error.status, len(fake.requests)) == (503, attempts)


async def test_the_wait_doubles():
    async with fake_upstream(refuses(500)) as fake:
        await fails(fake.url, replace(QUICK, retries=3, backoff=0.04))
    waited = [later - earlier for earlier, later in zip(fake.times, fake.times[1:], strict=False)]
    for wait, least in zip(waited, (0.03, 0.06, 0.12), strict=True):
        assert least <= wait < 3 * least + 0.1


@pytest.mark.parametrize(
    ("headers", "least"),
    [({"Retry-After": "0.2"}, 0.2), ({"Retry-After-Ms": "150", "Retry-After": "9"}, 0.15), ({"Retry-After": "0"}, 0.0)],
)
async def test_retry_after_is_honoured(headers, least):
    async with fake_upstream(refuses(429, headers=headers), OK) as fake:
        await fetch(fake.url, replace(QUICK, backoff=5.0))
    assert least <= fake.times[1] - fake.times[0] < least + 0.5


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["31", "3600", pytest.param(in_seconds(3600), id="a date")])
async def test_a_long_retry_after_goes_to_the_client_at_once(status, said):
    async with fake_upstream(refuses(status, headers={"Retry-After": said})) as fake:
        error = await fails(fake.url)
    assert (error.status, len(fake.requests)) == (status, 1)
    assert error.retry_after is not None
    assert 30 < error.retry_after <= 3600


async def test_the_last_refusals_retry_after_goes_to_the_client():
    async with fake_upstream(refuses(429, headers={"Retry-After": "0.01"})) as fake:
        error = await fails(fake.url)
    assert (error.retry_after, len(fake.requests)) == (0.01, 3)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("-1", None), ("soon", None), ("inf", None), ("nan", None), ("", None)],
)
def test_retry_after_is_read(said, seconds):
    assert retry_after({"Retry-After": said}) == seconds
    assert retry_after({}) is None


def test_retry_after_is_read_as_a_date():
    later = retry_after({"Retry-After": in_seconds(100)})
    assert later is not None
    assert 97 < later <= 100
    assert retry_after({"Retry-After": in_seconds(-100)}) == 0


@pytest.mark.parametrize(("status", "said", "attempts"), [(429, "false", 1), (409, "true", 3)])
async def test_the_upstreams_own_word_on_retrying_counts(status, said, attempts):
    async with fake_upstream(refuses(status, headers={"X-Should-Retry": said})) as fake:
        await fails(fake.url)
    assert len(fake.requests) == attempts


async def test_a_call_may_have_its_own_patience_and_retries():
    async with fake_upstream(refuses(500)) as fake:
        await fails(fake.url, call=replace(POST, retries=0))
        assert len(fake.requests) == 1
    async with fake_upstream(hangs) as fake:
        error = await asyncio.wait_for(fails(fake.url, NetworkConfig(), replace(POST, patience=0.05)), 2)
        assert error.status == 504


async def test_the_total_limits_retries_and_streams():
    network = replace(QUICK, retries=50, backoff=0.05, timeout=TimeoutConfig(connect=1, read=5, total=0.3))
    async with fake_upstream(refuses(500)) as fake:
        began = asyncio.get_running_loop().time()
        await fails(fake.url, network)
        assert asyncio.get_running_loop().time() - began < 0.6
        assert 2 < len(fake.requests) < 10
    async with fake_upstream(streams(*["x"] * 100, pause=0.05)) as fake:
        assert (await fails(fake.url, network)).status == 504


async def test_the_read_timeout_is_silence_and_not_duration():
    network = replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.2))
    async with fake_upstream(streams(*["x"] * 8, pause=0.05)) as fake:
        assert (await fetch(fake.url, network)).endswith(b"[DONE]\n\n")


async def test_an_upstream_that_falls_silent_in_its_stream_is_given_up():
    network = replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.1))
    async with fake_upstream(streams("x", "x", pause=5)) as fake, open_upstream(fake.url, network) as upstream:
        reply = await upstream.open(POST)
        assert await asyncio.wait_for(reply.chunk(), 2)
        with pytest.raises(UpstreamTimeout):
            await asyncio.wait_for(reply.read(), 2)
        reply.close()


async def test_a_reader_that_takes_its_time_is_not_an_upstreams_silence():
    network = replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.1))
    async with fake_upstream(streams(*["x"] * 3, pause=0.01)) as fake, open_upstream(fake.url, network) as upstream:
        reply = await upstream.open(POST)
        first = await reply.chunk()
        await asyncio.sleep(0.4)
        assert (first + await reply.read()).endswith(b"[DONE]\n\n")
        reply.close()


async def test_a_cancelled_wait_makes_no_further_attempt():
    async with fake_upstream(refuses(500)) as fake:
        task = asyncio.ensure_future(fetch(fake.url, replace(QUICK, backoff=60.0)))
        while not fake.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(fake.requests) == 1

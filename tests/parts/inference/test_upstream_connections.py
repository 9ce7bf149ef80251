"""The way to an upstream: paths, headers, connections and their limits. Over real sockets."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import KEY, QUICK
from parts.providers.inference.openai_compatible import RemoteConfig
from parts.runtime.errors import StackError, UpstreamError
from parts.runtime.upstream import Call, Upstream, open_upstream
from parts.runtime.upstream_config import NetworkConfig
from upstream_calls import OK, POST, fetch
from upstreams import (
    answers,
    fake_upstream,
    refuses,
    streams,
    waits,
)

SPECS = Path(__file__).parents[3] / "specs" / "providers" / "shared"


@pytest.mark.parametrize(
    ("path", "query", "seen"),
    [
        ("a/b", {}, "/v1/a/b"),
        ("/root", {}, "/root"),
        ("{url}/whole", {}, "/v1/whole"),
        ("a", {"v": "1 2"}, "/v1/a?v=1+2"),
        ("a?x=1", {"v": "2"}, "/v1/a?x=1&v=2"),
        ("m/a%2Fb:free", {}, "/v1/m/a%2Fb:free"),
    ],
)
async def test_paths(path, query, seen):
    async with fake_upstream(OK) as fake:
        await fetch(fake.url + "/", call=Call("GET", path.replace("{url}", fake.url), query=query))
    assert fake.requests[0].path == seen


async def test_extra_headers_are_sent_and_win():
    network = replace(QUICK, headers={"X-Team": "blue", "authorization": "Bearer theirs"})
    async with fake_upstream(OK) as fake:
        await fetch(fake.url, network)
    assert fake.requests[0].headers["x-team"] == "blue"
    assert fake.requests[0].headers["authorization"] == "Bearer theirs"


async def test_cookies_are_not_kept():
    async with (
        fake_upstream(answers({}, headers={"Set-Cookie": "a=b; Path=/"})) as fake,
        open_upstream(fake.url.replace("127.0.0.1", "localhost"), QUICK) as up,
    ):
        for _ in range(2):
            await up.fetch(POST)
    assert "cookie" not in fake.requests[1].headers


async def test_connections_are_kept_for_the_next_request():
    async with fake_upstream(OK, refuses(400), OK) as fake, open_upstream(fake.url, QUICK) as upstream:
        await upstream.fetch(POST)
        with pytest.raises(StackError):
            await upstream.fetch(POST)
        await upstream.fetch(POST)
        assert fake.connections == 1


async def test_no_more_connections_than_allowed():
    async with (
        fake_upstream(waits(0.05, OK)) as fake,
        open_upstream(fake.url, replace(QUICK, max_connections=3)) as upstream,
    ):
        await asyncio.gather(*(upstream.fetch(POST) for _ in range(12)))
    assert (fake.most_open, len(fake.requests)) == (3, 12)


async def test_closing_closes_every_connection():
    async with fake_upstream(OK) as fake:
        async with open_upstream(fake.url, QUICK) as upstream:
            await asyncio.gather(*(upstream.fetch(POST) for _ in range(5)))
        await asyncio.sleep(0.05)
        assert fake.open == 0


async def test_a_reply_that_is_closed_unread_cuts_its_connection():
    async with fake_upstream(streams("x", ending="hang")) as fake, open_upstream(fake.url, QUICK) as upstream:
        (await upstream.open(POST)).close()
        await asyncio.wait_for(fake.cut.wait(), 1)


# ── the spec says the same ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("file", "config"), [("network", NetworkConfig()), ("remote", RemoteConfig(base_url=""))])
def test_the_spec_has_the_dataclass_fields_and_defaults(file, config):
    _same(yaml.safe_load((SPECS / f"{file}.yaml").read_text()), config)


def _same(schema: dict[str, object], config: object) -> None:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert dataclasses.is_dataclass(config)
    assert list(properties) == [field.name for field in dataclasses.fields(config)]
    for name, its in properties.items():
        value = getattr(config, name)
        if "properties" in its:
            _same(its, value)
        elif "default" in its:
            assert its["default"] == (list(value) if isinstance(value, tuple) else value), name
        assert its.get("description") or "$ref" in its


def test_an_upstream_shows_no_secret():
    assert Upstream.__repr__ is object.__repr__
    assert KEY not in repr(POST.secrets)
    assert isinstance(UpstreamError("x"), StackError)

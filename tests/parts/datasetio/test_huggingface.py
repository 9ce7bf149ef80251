"""Datasets of the Hugging Face hub, before the suite for providers that read, at a fake of the hub's dataset viewer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from parts.providers.datasetio.huggingface import HuggingfaceConfig, HuggingfaceDatasets, open_huggingface_datasets
from parts.runtime.context import Context
from parts.runtime.dataset_rows import DatasetPlace, Row
from parts.runtime.errors import BadRequest, StackError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from parts.testing.datasetio import ReadingSuite
from upstreams import Script, Seen, answers, breaks_off, fake_upstream, refuses, shows_html, talks_nonsense

CTX = Context("r")
TOKEN = "hf_very-secret-token-0123456789"
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=2.0, read=2.0), retries=0)
ROWS: list[Row] = [{"question": f"q{n}", "answer": n} for n in range(250)]


async def hub(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of the dataset viewer, whose answers have the form that its documentation shows."""
    parts = urlsplit(seen.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path.endswith("/healthcheck"):
        return await answers(b"ok", content_type="text/plain")(seen, writer)
    if query["dataset"] == "owner/private" and seen.headers.get("authorization") != f"Bearer {TOKEN}":
        return await refuses(401, "The dataset does not exist, or is not accessible without authentication")(
            seen, writer
        )
    if query["dataset"] not in ("owner/quiz", "owner/private", "squad"):
        return await refuses(404, "The dataset does not exist")(seen, writer)
    if parts.path.endswith("/splits"):
        splits = [("default", "train"), ("default", "test")]
        if query["dataset"] == "squad":
            splits = [("a", "x"), ("b", "x"), ("b", "y")]
        body = {"splits": [{"dataset": query["dataset"], "config": c, "split": s} for c, s in splits]}
        return await answers({**body, "pending": [], "failed": []})(seen, writer)
    if query["split"] not in ("train", "cut", "x"):
        return await refuses(404, "The split does not exist")(seen, writer)
    start, length = int(query["offset"]), int(query["length"])
    assert 1 <= length <= 100, "the hub gives a hundred rows at most"
    cut = ["answer"] if query["split"] == "cut" else []
    page = [{"row_idx": start + n, "row": row, "truncated_cells": cut} for n, row in enumerate(ROWS[start:][:length])]
    total = {"num_rows_total": len(ROWS), "num_rows_per_page": 100, "partial": False}
    return await answers({"features": [], "rows": page, **total})(seen, writer)


@asynccontextmanager
async def shelf(script: Script = hub, **said: object) -> AsyncIterator[HuggingfaceDatasets]:
    async with fake_upstream(script) as fake:
        config = HuggingfaceConfig(base_url=fake.url, network=QUICK, **said)  # type: ignore[arg-type]
        async with open_huggingface_datasets(config) as opened:
            yield opened


def at(uri: str | None) -> DatasetPlace:
    return DatasetPlace(id="quiz", key="rows_1", uri=uri, metadata={}, declared=False)


class TestHuggingface(ReadingSuite):
    uri = "huggingface://datasets/owner/quiz?split=train"
    bad_uri = "huggingface://datasets/owner/nothing?split=train"
    rows = ROWS

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[HuggingfaceDatasets]:
        async with shelf() as opened:
            yield opened


async def test_a_dataset_may_be_named_in_several_ways() -> None:
    async with shelf() as opened:
        for uri in (
            "huggingface://datasets/owner/quiz",
            "huggingface://owner/quiz?split=train",
            "hf://datasets/owner/quiz?split=train&name=default",
            "huggingface://squad?name=a",
            "huggingface://datasets/squad?name=b&split=x",
        ):
            assert opened.fits(uri)
            assert (await opened.read(at(uri), 3, 2, CTX)).rows == ROWS[3:5]
        for uri, told in (
            ("huggingface://datasets/squad", "config .* there are: a, b"),
            ("huggingface://datasets/squad?name=b", "split .* there are: x, y"),
            ("huggingface://datasets/", "names no dataset"),
            ("huggingface://datasets/a/b/c", "names no dataset"),
            ("huggingface://datasets/owner/quiz?revision=x", "revision"),
            ("https://example.com/x.csv", "nothing of the hub"),
            (None, "not kept by the Hugging Face hub"),
        ):
            with pytest.raises(BadRequest, match=told):
                await opened.take(at(uri), None, CTX)
        assert [opened.fits(each) for each in (None, "https://x/y.csv", "lsfs://x.csv")] == [False] * 3


async def test_one_read_gives_no_more_than_is_allowed() -> None:
    async with shelf(max_rows=120) as opened:
        page = await opened.read(at("huggingface://owner/quiz"), 100, None, CTX)
        assert (page.rows, page.more) == (ROWS[100:220], True)
        page = await opened.read(at("huggingface://owner/quiz"), 220, None, CTX)
        assert (page.rows, page.more) == (ROWS[220:], False)


async def test_rows_are_not_added() -> None:
    async with shelf() as opened:
        with pytest.raises(BadRequest) as refusal:
            await opened.append(at("huggingface://owner/quiz"), [{"a": 1}], CTX)
        assert refusal.value.code == "unsupported_operation"


async def test_a_row_that_comes_in_part_is_no_row() -> None:
    async with shelf() as opened:
        with pytest.raises(BadRequest, match="row 0 only in part") as refusal:
            await opened.read(at("huggingface://owner/quiz?split=cut&name=default"), 0, 1, CTX)
        assert refusal.value.code == "rows_truncated"


async def test_private_datasets_take_a_token() -> None:
    async with shelf() as opened:
        with pytest.raises(BadRequest, match="no dataset"):
            await opened.take(at("huggingface://owner/private"), None, CTX)
    async with shelf(api_token=Secret(TOKEN)) as opened:
        await opened.take(at("huggingface://owner/private"), None, CTX)


@pytest.mark.parametrize(
    "script",
    [
        refuses(500, f"oh, {TOKEN}"),
        refuses(401, f"who is {TOKEN}?"),
        shows_html(),
        answers([]),
        answers({}),
        answers({"rows": [1], "splits": [], "num_rows_total": 1}),
        answers({"rows": [], "num_rows_total": "many"}),
        answers(json.dumps({"rows": [{}]}).encode()),
        breaks_off,
        talks_nonsense,
    ],
)
async def test_bad_luck_is_told_and_shows_no_token(script: Script) -> None:
    async with shelf(script, api_token=Secret(TOKEN)) as opened:
        for call in (
            opened.read(at("huggingface://owner/quiz?split=train&name=default"), 0, 5, CTX),
            opened.take(at("huggingface://owner/quiz?split=train&name=default"), None, CTX),
        ):
            with pytest.raises(StackError) as refusal:
                await call
            assert refusal.value.status in (401, 502, 504)
            assert TOKEN not in refusal.value.message

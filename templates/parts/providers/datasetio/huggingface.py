"""Datasets of the Hugging Face hub, whose rows the hub's dataset viewer gives page by page.

huggingface://datasets/owner/name?split=train&name=config
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic_core import from_json

from ...runtime.dataset_rows import Page
from ...runtime.errors import BadRequest, NotFound, StackError, Unauthenticated, UpstreamError
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.dataset_rows import DatasetPlace, Row
    from ...runtime.secret import Secret

SCHEMES = ("huggingface", "hf")
PARAM = "source.uri"
PAGE = 100
"""The most rows that the hub gives at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingfaceConfig:
    """base_url: of the dataset viewer. api_token: for private and gated datasets. max_rows: that one read gives; who
    wants more reads on.
    """

    base_url: str = "https://datasets-server.huggingface.co"
    api_token: Secret | None = None
    max_rows: int = 10_000
    network: NetworkConfig = field(default_factory=NetworkConfig)


@dataclass(frozen=True, slots=True)
class Meant:
    """A dataset of the hub, as a URI names it; config and split: "" where it does not say."""

    name: str
    config: str
    split: str


class HuggingfaceDatasets:
    """Implements a shelf of datasets, to read from."""

    def __init__(self, upstream: Upstream, config: HuggingfaceConfig) -> None:
        self._upstream = upstream
        self._config = config

    def fits(self, uri: str | None) -> bool:
        return uri is not None and uri.partition(":")[0].lower() in SCHEMES

    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        meant = meant_by(dataset.uri)
        try:
            await self._page(await self._whole(meant), 0, 1)
        except NotFound:
            message = f"the hub has no dataset {meant.name[:200]!r} that this server may read"
            raise BadRequest(message, code="source_not_found", param=PARAM) from None

    async def settle(self, dataset: DatasetPlace, ctx: Context) -> None:
        """Nothing is kept here."""

    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        meant = await self._whole(meant_by(dataset.uri))
        most = self._config.max_rows if limit is None else min(limit, self._config.max_rows)
        found: list[Row] = []
        while True:
            # One at least, as only an answer says how many there are.
            rows, total = await self._page(meant, start + len(found), max(min(PAGE, most - len(found)), 1))
            found += rows[: most - len(found)]
            if len(found) >= most or not rows:
                return Page(found, start + len(found) < total)

    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        message = "datasets of the Hugging Face hub are only read here; one whose rows are sent can be added to"
        raise BadRequest(message, code="unsupported_operation", param="dataset_id")

    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        """Nothing is kept here."""

    async def health(self) -> Health:
        try:
            await self._upstream.fetch(self._call("healthcheck", {}))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _whole(self, meant: Meant) -> Meant:
        """With config and split. Raises BadRequest where it does not say which, and there are several."""
        if meant.config and meant.split:
            return meant
        said = await self._ask("splits", {"dataset": meant.name})
        splits = [each for each in _list(said, "splits", self._upstream.host) if isinstance(each, dict)]
        configs = list(dict.fromkeys(str(each.get("config")) for each in splits))
        config = meant.config or _chosen("config (name=…)", configs, "default")
        of_config = [str(each.get("split")) for each in splits if each.get("config") == config]
        return Meant(meant.name, config, meant.split or _chosen("split (split=…)", of_config, "train"))

    async def _page(self, meant: Meant, start: int, length: int) -> tuple[list[Row], int]:
        """Rows from `start` on, and how many there are of them all."""
        query = {"dataset": meant.name, "config": meant.config, "split": meant.split}
        said = await self._ask("rows", {**query, "offset": str(start), "length": str(length)})
        total = said.get("num_rows_total")
        rows = [_row(each, self._upstream.host) for each in _list(said, "rows", self._upstream.host)]
        if isinstance(total, bool) or not isinstance(total, int):
            raise _nonsense(self._upstream.host)
        return rows, total

    async def _ask(self, path: str, query: Mapping[str, str]) -> Mapping[str, object]:
        try:
            said = from_json(await self._upstream.fetch(self._call(path, query)))
        except ValueError:
            raise _nonsense(self._upstream.host) from None
        except Unauthenticated as error:
            if self._config.api_token is not None:
                raise
            # So the hub answers for what is not there, too.
            raise NotFound(error.message, code="dataset_not_found", param=PARAM) from None
        if not isinstance(said, dict):
            raise _nonsense(self._upstream.host)
        return said

    def _call(self, path: str, query: Mapping[str, str]) -> Call:
        token = self._config.api_token
        if token is None:
            return Call("GET", path, query=query)
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        return Call("GET", path, query=query, headers=headers, secrets=(token,))


@asynccontextmanager
async def open_huggingface_datasets(config: HuggingfaceConfig) -> AsyncIterator[HuggingfaceDatasets]:
    async with open_upstream(config.base_url, config.network) as upstream:
        yield HuggingfaceDatasets(upstream, config)


def meant_by(uri: str | None) -> Meant:
    """The dataset that a URI names. Raises BadRequest."""
    example = "expected huggingface://datasets/owner/name?split=train"
    if uri is None:
        message = "rows that are sent are not kept by the Hugging Face hub; another provider of datasetio keeps them"
        raise BadRequest(message, code="unsupported_source", param="source")
    parts = urlsplit(uri)
    if parts.scheme.lower() not in SCHEMES:
        raise BadRequest(f"{uri[:100]!r} names nothing of the hub; {example}", param=PARAM)
    name = unquote(f"{parts.netloc}{parts.path}").removeprefix("datasets/").strip("/")
    said = dict(parse_qsl(parts.query))
    if unknown := said.keys() - {"name", "config", "split"}:
        message = f"{', '.join(sorted(unknown))} of the URI is not known here; {example}, with name=… for its config"
        raise BadRequest(message, param=PARAM)
    if not name or name.count("/") > 1:
        raise BadRequest(f"the URI names no dataset; {example}", param=PARAM)
    return Meant(name, said.get("name") or said.get("config") or "", said.get("split") or "")


def _chosen(what: str, there: Sequence[str], usual: str) -> str:
    """The only one, or the usual one."""
    if len(there) == 1 or usual in there:
        return there[0] if len(there) == 1 else usual
    known = ", ".join(there[:50]) or "none"
    raise BadRequest(f"the URI does not say which {what} is meant; there are: {known}", param=PARAM)


def _list(said: Mapping[str, object], name: str, host: str) -> list[object]:
    found = said.get(name)
    if not isinstance(found, list):
        raise _nonsense(host)
    return found


def _row(value: object, host: str) -> Row:
    row = value.get("row") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(row, dict):
        raise _nonsense(host)
    if cut := value.get("truncated_cells"):
        message = f"the hub gives row {value.get('row_idx')} only in part (of {cut}), as it is too large for its viewer"
        raise BadRequest(message[:500], code="rows_truncated", param="dataset_id")
    return row


def _nonsense(host: str) -> UpstreamError:
    return UpstreamError(f"{host} answered what is no page of rows", code="upstream_invalid_answer")

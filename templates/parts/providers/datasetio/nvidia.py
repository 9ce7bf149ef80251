"""Datasets of NVIDIA NeMo: names in its Entity Store for files that lie in its Data Store, for its jobs to train with
and to evaluate by. Their rows are NeMo's own business.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from pydantic_core import from_json, to_json

from ...runtime.errors import BadRequest, Conflict, NotFound, StackError
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.dataset_rows import DatasetPlace, Page, Row
    from ...runtime.secret import Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,254}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaDatasetsConfig:
    """base_url: of the Entity Store. namespace, project: in which datasets are registered there; None for none."""

    base_url: str = "http://nemo.test"
    api_key: Secret | None = None
    namespace: str = "default"
    project: str | None = "test-project"
    network: NetworkConfig = field(default_factory=NetworkConfig)


class NvidiaDatasets:
    """Implements a shelf of datasets that are registered elsewhere, and not read here."""

    def __init__(self, upstream: Upstream, config: NvidiaDatasetsConfig) -> None:
        self._upstream = upstream
        self._config = config

    def fits(self, uri: str | None) -> bool:
        return uri is not None and uri.lower().startswith("hf://")

    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        if dataset.uri is None:
            message = "NeMo takes no rows; upload them to its Data Store, and register the place as a hf:// URI"
            raise BadRequest(message, code="unsupported_source", param="source")
        body: dict[str, object] = {
            "name": _name(dataset.id),
            "namespace": self._config.namespace,
            "files_url": dataset.uri,
            "project": self._config.project,
            "format": dataset.metadata.get("format"),
            "description": dataset.metadata.get("description"),
        }
        said = to_json({name: value for name, value in body.items() if value is not None})
        try:
            await self._upstream.fetch(self._call("POST", "v1/datasets", said))
        except Conflict:
            await self._check_same(dataset)

    async def settle(self, dataset: DatasetPlace, ctx: Context) -> None:
        """There is nothing to be said to NeMo."""

    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        _not_here()

    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        _not_here()

    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        try:
            await self._upstream.fetch(self._call("DELETE", self._path(dataset)))
        except NotFound:
            return

    async def health(self) -> Health:
        try:
            await self._upstream.fetch(self._call("GET", "v1/datasets?page_size=1"))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _check_same(self, dataset: DatasetPlace) -> None:
        """Raises Conflict where the name stands for other files there."""
        try:
            there = from_json(await self._upstream.fetch(self._call("GET", self._path(dataset))))
        except ValueError:
            there = None
        if not isinstance(there, dict) or there.get("files_url") != dataset.uri:
            message = f"NeMo has a dataset {dataset.id[:200]!r} already, of other files"
            raise Conflict(message, code="dataset_exists", param="dataset_id")

    def _path(self, dataset: DatasetPlace) -> str:
        return f"v1/datasets/{self._config.namespace}/{_name(dataset.id)}"

    def _call(self, method: str, path: str, body: bytes | None = None) -> Call:
        key = self._config.api_key
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key is None:
            return Call(method, path, body=body, headers=headers)
        headers["Authorization"] = f"Bearer {key.reveal()}"
        return Call(method, path, body=body, headers=headers, secrets=(key,))


@asynccontextmanager
async def open_nvidia_datasets(config: NvidiaDatasetsConfig) -> AsyncIterator[NvidiaDatasets]:
    async with open_upstream(config.base_url, config.network) as upstream:
        yield NvidiaDatasets(upstream, config)


def _name(identity: str) -> str:
    """An id as a name in NeMo, which stands in a path there. Raises BadRequest."""
    if not _NAME.fullmatch(identity):
        message = "NeMo's names are of letters, digits and `._@-`, 255 at most, and begin with a letter or digit"
        raise BadRequest(message, param="dataset_id")
    return identity


def _not_here() -> NoReturn:
    message = "the rows of this dataset lie in NeMo's Data Store: its jobs read them, and its own client adds to them"
    raise BadRequest(message, code="unsupported_operation", param="dataset_id")

"""Vector stores in a SQL database, their vectors wherever the instances of vector_io keep them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...runtime.errors import SettingsError
from .kept.models import RewriteQueryParams

if TYPE_CHECKING:
    from ...contracts.files import Files
    from ...contracts.inference import Inference
    from ...contracts.models import Listing
    from ...runtime.sql import Sql
    from ...runtime.vector_index import VectorIndex
    from .kept.service import VectorStoresService


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorStoresConfig:
    """default_*: of requests that do not say. max_concurrent_files: taken in at once by one process. lease_seconds:
    after which a file whose process shows no life is taken over. max_tries: of a file whose model is busy.
    """

    default_provider_id: str | None = None
    default_embedding_model: str | None = None
    default_chunk_size_tokens: int = 800
    default_chunk_overlap_tokens: int = 400
    default_search_mode: Literal["vector", "keyword", "hybrid"] = "vector"
    default_reranker_strategy: Literal["rrf", "weighted", "neural"] = "rrf"
    default_reranker_model: str | None = None
    chunk_multiplier: int = 5
    rewrite_query_params: RewriteQueryParams = field(default_factory=RewriteQueryParams)
    rrf_impact_factor: float = 60.0
    weighted_search_alpha: float = 0.5
    max_concurrent_files: int = 3
    lease_seconds: float = 30.0
    poll_seconds: float = 2.0
    max_tries: int = 8


@asynccontextmanager
async def open_vector_stores(
    config: VectorStoresConfig,
    *,
    store: Sql,
    indexes: Mapping[str, VectorIndex],
    inference: Inference,
    models: Listing,
    files: Files | None,
) -> AsyncIterator[VectorStoresService]:
    """The vector stores of `store`, and this process' share of the work on them. Raises SettingsError."""
    if config.default_chunk_overlap_tokens > config.default_chunk_size_tokens // 2:
        raise SettingsError(["default_chunk_overlap_tokens: expected at most half of default_chunk_size_tokens"])
    if config.default_reranker_strategy == "neural" and config.default_reranker_model is None:
        raise SettingsError(["default_reranker_strategy is neural, which needs a default_reranker_model"])
    # Imported here: SQLAlchemy, which a server whose stores are switched off does not need.
    from .kept.chunking import Chunking
    from .kept.desk import Desk, Ranking
    from .kept.embedding import Embedder
    from .kept.service import VectorStoresService
    from .kept.tables import MIGRATIONS
    from .kept.worker import Pace, Worker

    await store.prepare("vector_stores", MIGRATIONS)
    desk = Desk(
        sql=store,
        indexes=indexes,
        default=config.default_provider_id,
        embedder=Embedder(inference, models, config.default_embedding_model),
        files=files,
        chunking=Chunking(config.default_chunk_size_tokens, config.default_chunk_overlap_tokens),
        ranking=Ranking(
            mode=config.default_search_mode,
            ranker=config.default_reranker_strategy,
            rank_constant=config.rrf_impact_factor,
            alpha=config.weighted_search_alpha,
            model=config.default_reranker_model,
            multiplier=config.chunk_multiplier,
        ),
        rewriting=config.rewrite_query_params,
    )
    pace = Pace(
        files=config.max_concurrent_files,
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
        tries=config.max_tries,
    )
    worker = Worker(desk, pace)
    async with worker.at_work():
        yield VectorStoresService(desk, worker)

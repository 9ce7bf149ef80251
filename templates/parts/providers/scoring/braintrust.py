"""The scoring functions of Braintrust's autoevals, asked of models at OpenAI or at a service like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...contracts.shared.scoring import BasicScoringFnParams, ScoringResult
from ...runtime.errors import BadRequest
from ...runtime.scoring import ScoringFunction
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from ..inference.openai_compatible import OpenAICompatible, RemoteConfig, open_openai_compatible
from .asking import Judge
from .grading.functions import graded
from .grading.model import Grader

if TYPE_CHECKING:
    from ...contracts.shared.scoring import ScoringFnParams
    from ...runtime.context import Context
    from ...runtime.dataset_rows import Row
    from ...runtime.secret import Secret


def _function(name: str, description: str) -> ScoringFunction:
    params = BasicScoringFnParams(type="basic", aggregation_functions=["average"])
    return ScoringFunction(id=f"braintrust::{name}", description=description, returns="number", params=params)


FUNCTIONS: Sequence[ScoringFunction] = (
    _function("factuality", "How the facts of an answer stand to those of the expected one."),
    _function(
        "answer-correctness", "How many statements of an answer are right, and how near it is to the expected one."
    ),
    _function("answer-relevancy", "How near what an answer answers is to what was asked."),
    _function("answer-similarity", "How near an answer is in meaning to the expected one."),
    _function("faithfulness", "The share of an answer's statements that follow from its context."),
    _function("context-entity-recall", "The share of the expected answer's entities that the context names."),
    _function("context-precision", "1 where the context was useful for the expected answer, else 0."),
    _function("context-recall", "The share of the expected answer's sentences that the context holds."),
    _function("context-relevancy", "The share of the context that is needed to answer."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BraintrustConfig:
    """openai_api_key: for clients that do not send their own. base_url: of the service. model, embedding_model: at it.
    max_concurrent: rows of a request that are graded at once.
    """

    openai_api_key: Secret | None = None
    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-4o"
    embedding_model: str = "text-embedding-3-small"
    max_concurrent: int = 8
    network: NetworkConfig = field(default_factory=NetworkConfig)


class Braintrust:
    """Implements scoring, by models of one service."""

    def __init__(self, service: OpenAICompatible, config: BraintrustConfig) -> None:
        self._service = service
        self._grader = Grader(service, config.model, config.embedding_model)
        self._judge = Judge(service, config.max_concurrent)

    def functions(self) -> Sequence[ScoringFunction]:
        return FUNCTIONS

    def check(self, function: str, params: ScoringFnParams | None) -> None:
        if params is not None and not isinstance(params, BasicScoringFnParams):
            message = f"{function} takes no params of the type {params.type}; expected basic"
            raise BadRequest(message, param="scoring_functions")

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        from .figures import figures

        self.check(function, params)
        name = function.removeprefix("braintrust::")
        scored = await self._judge.each(rows, lambda row, number: graded(name, row, number, self._grader, ctx))
        wanted = params.aggregation_functions if params is not None else None
        return ScoringResult(
            score_rows=scored, aggregated_results=figures(scored, ("average",) if wanted is None else wanted)
        )

    async def health(self) -> Health:
        return await self._service.health()


@asynccontextmanager
async def open_braintrust(config: BraintrustConfig, *, instance: str, credential: str) -> AsyncIterator[Braintrust]:
    """credential: under which name clients send a key of their own."""
    remote = RemoteConfig(base_url=config.base_url, api_key=config.openai_api_key, network=config.network)
    async with open_openai_compatible(remote, instance=instance, credential=credential) as service:
        yield Braintrust(service, config)

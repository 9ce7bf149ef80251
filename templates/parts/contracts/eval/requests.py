"""What the requests of the eval API are made of.

Generated from apis/eval.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..shared.agent_config import AgentConfig
from ..shared.benchmark import Benchmark
from ..shared.content import InterleavedContent
from ..shared.sampling import SamplingParams
from ..shared.scoring import ScoringFnParams
from ..wire import WireModel


class EvalSystemMessage(WireModel):
    """What a model is told before each row; not with rows that are prompts to be completed."""

    role: Literal["system"]
    content: InterleavedContent


class ModelCandidate(WireModel):
    """A model of the server's inference."""

    type: Literal["model"]
    model: Annotated[str, Field(min_length=1)]
    """The model, as `/v1/models` lists it."""
    sampling_params: SamplingParams | None = None
    system_message: EvalSystemMessage | None = None


class AgentCandidate(WireModel):
    """An agent, made anew for each row and told what users say in it. It can have no tools of the client, which nobody
    would answer.
    """

    type: Literal["agent"]
    config: AgentConfig


EvalCandidate: TypeAlias = Annotated[ModelCandidate | AgentCandidate, Field(discriminator="type")]
"""Who is evaluated."""


class BenchmarkConfig(WireModel):
    """Who is evaluated, and how."""

    eval_candidate: EvalCandidate
    scoring_params: dict[str, ScoringFnParams] | None = None
    """How scoring functions are to score, by their ids; as they are registered if absent."""
    num_examples: Annotated[int | None, Field(ge=1)] = None
    """How many rows of the dataset are taken, from its beginning; all of them if absent."""


class EvaluateRowsRequest(WireModel):
    """Rows to be answered and scored."""

    input_rows: Annotated[list[dict[str, Any]], Field(min_length=1)]
    """The rows. What is asked stands in `chat_completion_input` (messages), `completion_input` (a prompt) or
    `input_query` (a question), the first of them that a row has; messages may be JSON in a text.
    """
    scoring_functions: Annotated[list[str], Field(max_length=100)]
    """What the answers are scored by."""
    benchmark_config: BenchmarkConfig
    benchmark_id: str
    """The benchmark whose provider does it."""


class RunEvalRequest(WireModel):
    """Who is to be evaluated by the benchmark."""

    benchmark_config: BenchmarkConfig
    benchmark: Benchmark | None = None
    """The benchmark itself, which the server tells the provider; what a client says here is replaced."""
    benchmark_id: str
    """The benchmark."""


class EvalJobStatusRequest(WireModel):
    """Tell how far a job is."""

    benchmark_id: str
    """The benchmark."""
    job_id: str
    """The job's id."""


class CancelEvalJobRequest(WireModel):
    """Cancel a job."""

    benchmark_id: str
    """The benchmark."""
    job_id: str
    """The job's id."""


class EvalJobResultRequest(WireModel):
    """Give the result of a job."""

    benchmark_id: str
    """The benchmark."""
    job_id: str
    """The job's id."""

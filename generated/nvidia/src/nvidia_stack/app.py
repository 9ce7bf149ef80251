"""The routes of `nvidia`, each bound to the method that answers it.

Made by stackgen from specs/distributions/nvidia.yaml; a change belongs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .contracts.benchmarks.requests import GetBenchmarkRequest, ListBenchmarksRequest
from .contracts.eval.requests import (
    CancelEvalJobRequest,
    EvalJobResultRequest,
    EvalJobStatusRequest,
    EvaluateRowsRequest,
    RunEvalRequest,
)
from .contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
    RerankRequest,
)
from .contracts.inspect.requests import HealthRequest, ListRoutesRequest, VersionRequest
from .contracts.models.requests import ListModelsRequest, RetrieveModelRequest
from .contracts.post_training.requests import (
    CancelTrainingJobRequest,
    GetTrainingJobArtifactsRequest,
    GetTrainingJobsRequest,
    GetTrainingJobStatusRequest,
    SupervisedFineTuneRequest,
)
from .contracts.providers.requests import InspectProviderRequest, ListProvidersRequest
from .contracts.safety.requests import CreateModerationRequest, RunShieldRequest
from .contracts.shields.requests import ListShieldsRequest, RetrieveShieldRequest
from .runtime.http import App, Http
from .runtime.provider_data import Format
from .wiring import Stack

OPENAPI = Path(__file__).with_name("openapi.json")

PROVIDER_DATA: Mapping[str, Format] = {"nvidia_api_key": "password"}
"""What clients may send in the provider-data header, and what it must look like."""


def create_app(stack: Stack, http: Http) -> App:
    """The application over an open stack."""
    return http.app(
        [
            # inference, v1
            http.relay(
                "/v1/chat/completions",
                CreateChatCompletionRequest,
                stack.inference.create_chat_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/completions", CreateCompletionRequest, stack.inference.create_completion, provider_data=True
            ),
            http.relay("/v1/embeddings", CreateEmbeddingRequest, stack.inference.create_embedding, provider_data=True),
            # inference, v1alpha
            http.relay("/v1alpha/inference/rerank", RerankRequest, stack.inference.rerank, provider_data=True),
            # inference, v1, deprecated
            http.relay(
                "/v1/openai/v1/chat/completions",
                CreateChatCompletionRequest,
                stack.inference.create_chat_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/openai/v1/completions",
                CreateCompletionRequest,
                stack.inference.create_completion,
                provider_data=True,
            ),
            http.relay(
                "/v1/openai/v1/embeddings", CreateEmbeddingRequest, stack.inference.create_embedding, provider_data=True
            ),
            # models, v1
            http.get("/v1/models", ListModelsRequest, stack.models.list_models),
            http.get("/v1/models/{model:path}", RetrieveModelRequest, stack.models.retrieve_model),
            # models, v1, deprecated
            http.get("/v1/openai/v1/models", ListModelsRequest, stack.models.list_models),
            http.get("/v1/openai/v1/models/{model:path}", RetrieveModelRequest, stack.models.retrieve_model),
            # safety, v1
            http.post("/v1/safety/run-shield", RunShieldRequest, stack.safety.run_shield, provider_data=True),
            http.post("/v1/moderations", CreateModerationRequest, stack.safety.create_moderation, provider_data=True),
            # safety, v1, deprecated
            http.post("/v1/openai/v1/safety/run-shield", RunShieldRequest, stack.safety.run_shield, provider_data=True),
            http.post(
                "/v1/openai/v1/moderations", CreateModerationRequest, stack.safety.create_moderation, provider_data=True
            ),
            # shields, v1
            http.get("/v1/shields", ListShieldsRequest, stack.shields.list_shields),
            http.get("/v1/shields/{identifier:path}", RetrieveShieldRequest, stack.shields.retrieve_shield),
            # eval, v1alpha
            http.post(
                "/v1alpha/eval/benchmarks/{benchmark_id}/evaluations",
                EvaluateRowsRequest,
                stack.eval.evaluate_rows,
                provider_data=True,
            ),
            http.post("/v1alpha/eval/benchmarks/{benchmark_id}/jobs", RunEvalRequest, stack.eval.run_eval),
            http.get(
                "/v1alpha/eval/benchmarks/{benchmark_id}/jobs/{job_id}",
                EvalJobStatusRequest,
                stack.eval.eval_job_status,
            ),
            http.delete(
                "/v1alpha/eval/benchmarks/{benchmark_id}/jobs/{job_id}",
                CancelEvalJobRequest,
                stack.eval.cancel_eval_job,
            ),
            http.get(
                "/v1alpha/eval/benchmarks/{benchmark_id}/jobs/{job_id}/result",
                EvalJobResultRequest,
                stack.eval.eval_job_result,
            ),
            # eval, v1, deprecated
            http.post(
                "/v1/eval/benchmarks/{benchmark_id}/evaluations",
                EvaluateRowsRequest,
                stack.eval.evaluate_rows,
                provider_data=True,
            ),
            http.post("/v1/eval/benchmarks/{benchmark_id}/jobs", RunEvalRequest, stack.eval.run_eval),
            http.get(
                "/v1/eval/benchmarks/{benchmark_id}/jobs/{job_id}", EvalJobStatusRequest, stack.eval.eval_job_status
            ),
            http.delete(
                "/v1/eval/benchmarks/{benchmark_id}/jobs/{job_id}", CancelEvalJobRequest, stack.eval.cancel_eval_job
            ),
            http.get(
                "/v1/eval/benchmarks/{benchmark_id}/jobs/{job_id}/result",
                EvalJobResultRequest,
                stack.eval.eval_job_result,
            ),
            # benchmarks, v1alpha
            http.get("/v1alpha/eval/benchmarks", ListBenchmarksRequest, stack.benchmarks.list_benchmarks),
            http.get("/v1alpha/eval/benchmarks/{benchmark_id}", GetBenchmarkRequest, stack.benchmarks.get_benchmark),
            # benchmarks, v1, deprecated
            http.get("/v1/eval/benchmarks", ListBenchmarksRequest, stack.benchmarks.list_benchmarks),
            http.get("/v1/eval/benchmarks/{benchmark_id}", GetBenchmarkRequest, stack.benchmarks.get_benchmark),
            # post_training, v1alpha
            http.post(
                "/v1alpha/post-training/supervised-fine-tune",
                SupervisedFineTuneRequest,
                stack.post_training.supervised_fine_tune,
            ),
            http.get("/v1alpha/post-training/jobs", GetTrainingJobsRequest, stack.post_training.get_training_jobs),
            http.get(
                "/v1alpha/post-training/job/status",
                GetTrainingJobStatusRequest,
                stack.post_training.get_training_job_status,
            ),
            http.post(
                "/v1alpha/post-training/job/cancel", CancelTrainingJobRequest, stack.post_training.cancel_training_job
            ),
            http.get(
                "/v1alpha/post-training/job/artifacts",
                GetTrainingJobArtifactsRequest,
                stack.post_training.get_training_job_artifacts,
            ),
            # post_training, v1, deprecated
            http.post(
                "/v1/post-training/supervised-fine-tune",
                SupervisedFineTuneRequest,
                stack.post_training.supervised_fine_tune,
            ),
            http.get("/v1/post-training/jobs", GetTrainingJobsRequest, stack.post_training.get_training_jobs),
            http.get(
                "/v1/post-training/job/status", GetTrainingJobStatusRequest, stack.post_training.get_training_job_status
            ),
            http.post(
                "/v1/post-training/job/cancel", CancelTrainingJobRequest, stack.post_training.cancel_training_job
            ),
            http.get(
                "/v1/post-training/job/artifacts",
                GetTrainingJobArtifactsRequest,
                stack.post_training.get_training_job_artifacts,
            ),
            # inspect, v1
            http.get("/v1/health", HealthRequest, stack.inspect.health, public=True),
            http.get("/v1/version", VersionRequest, stack.inspect.version, public=True),
            http.get("/v1/inspect/routes", ListRoutesRequest, stack.inspect.list_routes),
            # inspect, v1alpha
            http.get("/v1alpha/admin/health", HealthRequest, stack.inspect.health, public=True),
            http.get("/v1alpha/admin/version", VersionRequest, stack.inspect.version, public=True),
            http.get("/v1alpha/admin/inspect/routes", ListRoutesRequest, stack.inspect.list_routes),
            # providers, v1
            http.get("/v1/providers", ListProvidersRequest, stack.providers.list_providers),
            http.get("/v1/providers/{provider_id}", InspectProviderRequest, stack.providers.inspect_provider),
            # providers, v1alpha
            http.get("/v1alpha/admin/providers", ListProvidersRequest, stack.providers.list_providers),
            http.get(
                "/v1alpha/admin/providers/{provider_id}", InspectProviderRequest, stack.providers.inspect_provider
            ),
            # about the server
            http.document("/openapi.json", OPENAPI),
            http.metrics("/metrics"),
        ]
    )

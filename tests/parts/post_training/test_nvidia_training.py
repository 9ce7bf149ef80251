"""Jobs of NeMo Customizer, a fake of which answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from fake_customizer import FakeCustomizer
from parts.contracts.post_training.requests import (
    CancelTrainingJobRequest,
    GetTrainingJobArtifactsRequest,
    GetTrainingJobsRequest,
    GetTrainingJobStatusRequest,
)
from parts.contracts.post_training.responses import PostTrainingJobStatusResponse
from parts.providers.post_training.nvidia import NvidiaTraining, NvidiaTrainingConfig, open_nvidia_training
from parts.runtime.errors import BadRequest, Conflict, NotFound, StackError, Unavailable, UpstreamError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from training_stand_ins import CTX, config, fine_tune
from upstreams import FakeUpstream, Script, answers, drops, fake_upstream, refuses, shows_html

QUICK = NetworkConfig(timeout=TimeoutConfig(connect=5.0, read=5.0), backoff=0.001)
LORA = {
    "type": "LoRA",
    "lora_attn_modules": [],
    "apply_lora_to_mlp": True,
    "apply_lora_to_output": False,
    "rank": 16,
    "alpha": 32,
}
MODEL = "meta/llama-3.2-1b-instruct@v1.0.0+A100"


@asynccontextmanager
async def opened(script: Script, **settings: Any) -> AsyncIterator[tuple[NvidiaTraining, FakeUpstream]]:
    async with fake_upstream(script) as fake:
        made = NvidiaTrainingConfig(base_url=fake.url.removesuffix("/v1"), network=QUICK, **settings)
        async with open_nvidia_training(made) as training:
            yield training, fake


async def status(training: NvidiaTraining, id: str = "cust-0") -> PostTrainingJobStatusResponse:
    return await training.get_training_job_status(GetTrainingJobStatusRequest(job_uuid=id), CTX)


async def test_a_job_is_asked_for_in_the_services_words() -> None:
    fake = FakeCustomizer()
    settings = {"api_key": Secret("nv-key-of-the-server"), "dataset_namespace": "ours", "project_id": "p"}
    async with opened(fake, **settings) as (training, seen):
        asked = fine_tune(model=MODEL, algorithm_config=LORA, checkpoint_dir="mine@v2", training=config(n_epochs=3))
        made = await training.supervised_fine_tune(asked, CTX)
        await training.supervised_fine_tune(
            fine_tune(model=MODEL, training=config(max_steps_per_epoch=5, optimizer={"num_warmup_steps": 0})), CTX
        )
    assert made.job_uuid == "cust-0"
    assert {each.headers["authorization"] for each in seen.requests} == {"Bearer nv-key-of-the-server"}
    assert fake.jobs["cust-0"] == {
        "config": MODEL,
        "dataset": {"name": "pings", "namespace": "ours"},
        "hyperparameters": {
            "training_type": "sft",
            "finetuning_type": "lora",
            "lora": {"adapter_dim": 16, "alpha": 32},
            "epochs": 3,
            "batch_size": 2,
            "learning_rate": 3e-3,
            "weight_decay": 0.0,
            "warmup_steps": 2,
        },
        "output_model": "mine@v2",
        "project": "p",
    }
    plain = fake.jobs["cust-1"]["hyperparameters"]
    assert isinstance(plain, dict)
    assert (plain["finetuning_type"], plain["max_steps"]) == ("all_weights", 10)
    assert "warmup_steps" not in plain
    assert fake.jobs["cust-1"]["output_model"] == "test-example-model@v1"


async def test_a_job_goes_its_way_and_its_model_is_its_checkpoint() -> None:
    async with opened(FakeCustomizer()) as (training, _):
        await training.supervised_fine_tune(fine_tune(model=MODEL), CTX)
        asked = GetTrainingJobArtifactsRequest(job_uuid="cust-0")
        assert (await training.get_training_job_artifacts(asked, CTX)).checkpoints == []
        found = [await status(training) for _ in range(3)]
        assert [each.status for each in found] == ["scheduled", "in_progress", "completed"]
        assert found[1].checkpoints == []
        assert found[1].resources_allocated == {"percentage_done": 50.0}
        last = found[2]
        assert last.completed_at == last.scheduled_at == datetime(2025, 4, 4, 15, 24, 29, 220140, tzinfo=UTC)
        (checkpoint,) = last.checkpoints
        assert (checkpoint.identifier, checkpoint.epoch) == ("test-example-model@v1", 1)
        assert (await training.get_training_job_artifacts(asked, CTX)).checkpoints == [checkpoint]


async def test_all_pages_of_jobs_are_listed() -> None:
    async with opened(FakeCustomizer(page=2)) as (training, _):
        assert (await training.get_training_jobs(GetTrainingJobsRequest(), CTX)).data == []
        for _ in range(5):
            await training.supervised_fine_tune(fine_tune(model=MODEL), CTX)
        found = await training.get_training_jobs(GetTrainingJobsRequest(), CTX)
    assert [each.job_uuid for each in found.data] == [f"cust-{number}" for number in (4, 3, 2, 1, 0)]


async def test_a_job_is_cancelled_unless_it_has_ended() -> None:
    asked = CancelTrainingJobRequest(job_uuid="cust-0")
    async with opened(FakeCustomizer(steps=("running",))) as (training, seen):
        await training.supervised_fine_tune(fine_tune(model=MODEL), CTX)
        for _ in range(2):
            await training.cancel_training_job(asked, CTX)
        assert (await status(training)).status == "cancelled"
        assert sum(each.path.endswith("/cancel") for each in seen.requests) == 1
    async with opened(FakeCustomizer(steps=("failed",))) as (training, _):
        await training.supervised_fine_tune(fine_tune(model=MODEL), CTX)
        with pytest.raises(Conflict):
            await training.cancel_training_job(asked, CTX)
        assert (await status(training)).error == "no GPU is free"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"hyperparam_search_config": {"lr": 1}}, "hyperparam_search_config"),
        ({"algorithm_config": {"type": "QAT", "quantizer_name": "int4", "group_size": 32}}, "QAT"),
        ({"algorithm_config": {**LORA, "use_dora": True}}, "use_dora"),
        ({"algorithm_config": {**LORA, "quantize_base": True}}, "quantize_base"),
        ({"training": config(gradient_accumulation_steps=2)}, "gradient_accumulation_steps"),
        ({"training": config(data={"train_on_input": True})}, "train_on_input"),
        ({"training": config(data={"validation_dataset_id": "a"})}, "validation_dataset_id"),
        ({"training": {**config(), "data_config": None}}, "data_config is needed"),
        ({"model": None}, "names no model"),
    ],
)
async def test_what_the_service_has_no_word_for_is_refused(more: dict[str, Any], said: str) -> None:
    fake = FakeCustomizer()
    async with opened(fake) as (training, _):
        with pytest.raises(BadRequest, match=said):
            await training.supervised_fine_tune(fine_tune(**{"model": MODEL, **more}), CTX)
    assert fake.jobs == {}


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (refuses(401), Unavailable),
        (refuses(404), NotFound),
        (refuses(503), StackError),
        (drops, StackError),
        (shows_html, UpstreamError),
        (answers({"status": "dancing"}), UpstreamError),
        (answers([]), UpstreamError),
    ],
)
async def test_a_service_that_fails_is_told_of_as_such(script: Script, kind: type[StackError]) -> None:
    async with opened(script) as (training, _):
        with pytest.raises(kind) as error:
            await status(training)
    assert error.value.status >= 404


async def test_health_is_whether_it_answers() -> None:
    async with opened(refuses(404)) as (training, _):
        assert (await training.health()).status == "OK"
    async with opened(refuses(500)) as (training, _):
        assert (await training.health()).status == "Error"

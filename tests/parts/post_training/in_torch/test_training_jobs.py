"""Training jobs from request to checkpoint, each in a real process, on a tiny model of random weights."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import psutil
from parts.contracts.post_training.requests import (
    CancelTrainingJobRequest,
    GetTrainingJobArtifactsRequest,
    GetTrainingJobsRequest,
)
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound
from teaching import LORA, said
from training_stand_ins import CTX, ROWS, Lists, config, fine_tune, opened, prefer, status, until

pytestmark = pytest.mark.torch


async def test_ping_is_taught_pong(home: Path) -> None:
    taught = config(n_epochs=3, data={"validation_dataset_id": "pings"})
    async with opened(home) as training:
        made = await training.supervised_fine_tune(fine_tune(training=taught), CTX)
        assert made.job_uuid == "job"
        job = await until(training)
        assert (job.status, job.error) == ("completed", None)
        assert job.scheduled_at is not None
        assert job.started_at is not None
        assert job.completed_at is not None
        assert job.scheduled_at <= job.started_at <= job.completed_at
        assert [each.epoch for each in job.checkpoints] == [0, 1, 2]
        losses = [each.training_metrics.validation_loss for each in job.checkpoints if each.training_metrics]
        assert len(losses) == 3
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < 1
        assert job.resources_allocated is not None
        assert (job.resources_allocated["steps"], job.resources_allocated["total_steps"]) == (60, 60)
        asked = GetTrainingJobArtifactsRequest(job_uuid="job")
        assert (await training.get_training_job_artifacts(asked, CTX)).checkpoints == job.checkpoints
        listed = await training.get_training_jobs(GetTrainingJobsRequest(), CTX)
        assert [each.job_uuid for each in listed.data] == ["job"]
    last = job.checkpoints[-1]
    assert said(last.path) == "pong"
    # Nothing is left but checkpoints.
    assert sorted(each.name for each in Path(last.path).parent.iterdir()) == ["epoch-0", "epoch-1", "epoch-2"]


async def test_a_preference_is_turned(home: Path) -> None:
    """The model is first taught the answer that is then rejected, and its checkpoint trained further by its name."""
    rows = {**ROWS, "hellos": [{"input": "ping", "output": "hello"}] * 40}
    async with opened(home, Lists(rows)) as training:
        await training.supervised_fine_tune(fine_tune("first", training=config("hellos", n_epochs=3)), CTX)
        first = (await until(training, id="first")).checkpoints[-1]
        assert said(first.path) == "hello"
        steps = {"n_epochs": 3, "optimizer": {"lr": 1e-3}, "data": {"validation_dataset_id": "pairs"}}
        await training.preference_optimize(prefer("second", first.identifier, **steps), CTX)
        job = await until(training, id="second")
    assert (job.status, job.error) == ("completed", None)
    # Of preferences there is no perplexity.
    assert job.checkpoints[-1].training_metrics is None
    assert said(job.checkpoints[-1].path).startswith("pong")


async def test_the_same_job_gives_the_same_model_and_only_the_newest_are_kept(home: Path) -> None:
    async with opened(home, save_total_limit=1) as training:
        for id in ("one", "two"):
            await training.supervised_fine_tune(fine_tune(id, checkpoint_dir="mine"), CTX)
        found = [(await until(training, id=id)).checkpoints for id in ("one", "two")]
    assert [[each.epoch for each in checkpoints] for checkpoints in found] == [[1], [1]]
    one, two = (Path(checkpoints[0].path) for checkpoints in found)
    assert one.parent.parent == home / "jobs" / "mine"
    assert [each.name for each in one.parent.iterdir()] == ["epoch-1"]
    assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()


async def test_a_job_that_is_cancelled_ends_its_process(home: Path) -> None:
    me = psutil.Process()
    async with opened(home) as training:
        long = config(n_epochs=100_000)
        await training.supervised_fine_tune(fine_tune("long", training=long), CTX)
        await training.supervised_fine_tune(fine_tune("waiting", training=long), CTX)
        while not (await status(training, "long")).checkpoints:
            await until(training, "in_progress", id="long")
        assert (await status(training, "waiting")).status == "scheduled"
        for id in ("waiting", "long"):
            await training.cancel_training_job(CancelTrainingJobRequest(job_uuid=id), CTX)
        job = await until(training, "cancelled", id="long")
        assert (await status(training, "waiting")).status == "cancelled"
        assert not [each for each in me.children() if "training.child" in " ".join(each.cmdline())]
        # What there is stays, and what was under way does not.
        assert job.checkpoints
        names = {each.name for each in Path(job.checkpoints[0].path).parent.iterdir()}
        assert {each.partition("-")[0] for each in names} == {"epoch"}
        with pytest.raises(NotFound):
            await training.cancel_training_job(CancelTrainingJobRequest(job_uuid="other"), CTX)


async def test_a_process_that_something_ends_is_begun_again_where_it_was(home: Path) -> None:
    async with opened(home, save_seconds=0.0) as training:
        await training.supervised_fine_tune(fine_tune(training=config(n_epochs=5)), CTX)
        while not (await status(training)).checkpoints:
            await until(training, "in_progress")
        (trainer,) = (each for each in psutil.Process().children() if "training.child" in " ".join(each.cmdline()))
        trainer.kill()
        job = await until(training)
    assert (job.status, job.error) == ("completed", None)
    assert [each.epoch for each in job.checkpoints] == [2, 3, 4]
    assert job.resources_allocated is not None
    assert job.resources_allocated["steps"] == 100


async def test_a_job_and_what_it_made_are_its_owners(home: Path) -> None:
    alice, bob = Context("r", principal="alice"), Context("r", principal="bob")
    async with opened(home) as training:
        await training.supervised_fine_tune(fine_tune(training=config(n_epochs=1)), alice)
        while (job := await status(training, ctx=alice)).status != "completed":
            assert job.status != "failed", job.error
        (checkpoint,) = job.checkpoints
        assert (await training.get_training_jobs(GetTrainingJobsRequest(), bob)).data == []
        for ask in (
            training.get_training_job_artifacts(GetTrainingJobArtifactsRequest(job_uuid="job"), bob),
            training.cancel_training_job(CancelTrainingJobRequest(job_uuid="job"), bob),
            training.preference_optimize(prefer("other", checkpoint.identifier), bob),
            training.preference_optimize(prefer("other", checkpoint.path), bob),
        ):
            with pytest.raises(NotFound):
                await ask


async def test_what_is_wrong_with_the_data_or_the_layers_fails_the_job_with_its_reason(home: Path) -> None:
    async with opened(home) as training:
        await training.supervised_fine_tune(fine_tune("rows", training=config("odd later")), CTX)
        no_layer = {"type": "LoRA", **LORA, "lora_attn_modules": ["attention"]}
        await training.supervised_fine_tune(fine_tune("layers", algorithm_config=no_layer), CTX)
        far = config(optimizer={"optimizer_type": "sgd", "lr": 1e30})
        await training.supervised_fine_tune(fine_tune("far", training=far), CTX)
        rows, layers = await until(training, id="rows"), await until(training, id="layers")
        diverged = await until(training, id="far")
    assert (rows.status, layers.status, diverged.status) == ("failed", "failed", "failed")
    assert rows.error is not None
    assert "row 1 of the dataset 'odd later'" in rows.error
    assert layers.error is not None
    assert "it has k_proj, o_proj, q_proj, v_proj" in layers.error
    assert diverged.error is not None
    assert "a smaller lr may help" in diverged.error


async def test_a_job_is_asked_for_once(home: Path) -> None:
    async with opened(home) as training:
        await training.supervised_fine_tune(fine_tune(), CTX)
        with pytest.raises(Conflict):
            await training.supervised_fine_tune(fine_tune(), CTX)
        with pytest.raises(BadRequest, match="empty"):
            await training.supervised_fine_tune(fine_tune("b", hyperparam_search_config={"lr": [1e-3, 1e-4]}), CTX)
        await training.cancel_training_job(CancelTrainingJobRequest(job_uuid="job"), CTX)

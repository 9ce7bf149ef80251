"""What is refused before there is a job; without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from parts.contracts.post_training.requests import GetTrainingJobsRequest
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, NotFound, StackError, Unavailable
from training_stand_ins import CTX, ROWS, Lists, config, fine_tune, opened, prefer, status

LORA = {
    "type": "LoRA",
    "lora_attn_modules": [],
    "apply_lora_to_mlp": False,
    "apply_lora_to_output": False,
    "rank": 8,
    "alpha": 16,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What training processes find in place of torch."""
    folder = tmp_path / "shadow"
    folder.mkdir()
    (folder / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')\n")
    monkeypatch.syspath_prepend(str(folder))


async def refused(home: Path, request: Any, ctx: Context = CTX, **settings: Any) -> StackError:
    lists = Lists({**ROWS, "hers": ROWS["pings"]}, {"hers": "alice"})
    async with opened(home, lists, **settings) as training:
        asks = training.preference_optimize if hasattr(request, "finetuned_model") else training.supervised_fine_tune
        with pytest.raises(StackError) as error:
            await asks(request, ctx)
        assert (await training.get_training_jobs(GetTrainingJobsRequest(), ctx)).data == []
    return error.value


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"hyperparam_search_config": {"lr": [1, 2]}}, "hyperparam_search_config must be empty"),
        ({"training": config(efficiency_config={"fsdp_cpu_offload": True})}, "without FSDP"),
        ({"training": config(dtype="int8")}, "training_config.dtype is 'int8': bf16, fp16 or fp32"),
        ({"training": {**config(), "data_config": None}}, "data_config is needed"),
        ({"checkpoint_dir": "/etc"}, "checkpoint_dir must be a relative path"),
        ({"checkpoint_dir": "a/../../b"}, "checkpoint_dir must be a relative path"),
        ({"algorithm_config": LORA}, "names no layer"),
        ({"algorithm_config": {"type": "QAT", "quantizer_name": "int2", "group_size": 8}}, "int8, int4, 8da4w"),
        ({"model": None}, "names no model"),
        ({"training": config("empty")}, "the dataset 'empty' has no rows"),
        ({"training": config("odd")}, "row 0 of the dataset 'odd' cannot be trained on: it has the columns question"),
        ({"training": config(data={"data_format": "dialog"})}, "expected are dialog, messages or conversations"),
    ],
)
async def test_what_cannot_be_done_is_refused(home: Path, more: dict[str, Any], said: str) -> None:
    error = await refused(home, fine_tune(**more))
    assert isinstance(error, BadRequest)
    assert said in error.message


async def test_pairs_are_what_preferences_are_learned_from(home: Path) -> None:
    request = prefer(data={"dataset_id": "pings"})
    assert "expected are prompt, chosen and rejected" in (await refused(home, request)).message


@pytest.mark.parametrize("model", ["other", "../models/tiny", "/etc", "a:b/c d"])
async def test_only_known_models_are_trained(home: Path, model: str) -> None:
    error = await refused(home, fine_tune().model_copy(update={"model": model}))
    assert isinstance(error, NotFound)
    assert error.param == "model"


async def test_the_hub_may_be_closed(home: Path) -> None:
    error = await refused(home, fine_tune(model="owner/name"), hub=False)
    assert isinstance(error, NotFound)
    assert "the hub" not in error.message


@pytest.mark.parametrize("dataset", ["nothing", "hers"])
async def test_only_datasets_that_the_caller_sees_are_trained_on(home: Path, dataset: str) -> None:
    error = await refused(home, fine_tune(training=config(dataset)), Context("r", principal="bob"))
    assert isinstance(error, NotFound)
    validated = config(data={"validation_dataset_id": dataset})
    assert isinstance(await refused(home, fine_tune(training=validated), Context("r", principal="bob")), NotFound)


@pytest.mark.usefixtures("no_torch")
async def test_without_torch_requests_are_told_what_is_missing(home: Path) -> None:
    error = await refused(home, fine_tune())
    assert isinstance(error, Unavailable)
    assert error.code == "training_unavailable"
    assert "torch is not installed where this server runs; the server's README says" in error.message


@pytest.mark.usefixtures("no_torch")
async def test_health_knows_what_the_last_request_found(home: Path) -> None:
    async with opened(home) as training:
        assert (await training.health()).status == "OK"
        with pytest.raises(Unavailable):
            await training.supervised_fine_tune(fine_tune(), CTX)
        health = await training.health()
    assert health.status == "Error"
    assert "torch is not installed" in str(health)


async def test_of_a_job_that_is_not_there_nothing_is_told(home: Path) -> None:
    async with opened(home) as training:
        with pytest.raises(NotFound) as error:
            await status(training, "nothing")
    assert (error.value.code, error.value.param) == ("job_not_found", "job_uuid")

"""What NeMo Customizer is told of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest

if TYPE_CHECKING:
    from ...contracts.post_training.requests import SupervisedFineTuneRequest, TrainingConfig


def customization(
    request: SupervisedFineTuneRequest, *, namespace: str, project: str | None, output: str
) -> dict[str, object]:
    """The body of its creation. What the service has no word for is refused where it would change the model.

    Raises BadRequest.
    """
    training = request.training_config
    if not request.model:
        raise BadRequest("the request names no model", param="model")
    if training.data_config is None:
        raise BadRequest("training_config.data_config is needed: it names the dataset", param="training_config")
    _refuse(request)
    hyperparameters: dict[str, object] = {
        "training_type": "sft",
        "finetuning_type": "all_weights",
        "epochs": training.n_epochs,
        "batch_size": training.data_config.batch_size,
    }
    if (optimizer := training.optimizer_config) is not None:
        hyperparameters |= {"learning_rate": optimizer.lr, "weight_decay": optimizer.weight_decay}
        hyperparameters |= {"warmup_steps": optimizer.num_warmup_steps} if optimizer.num_warmup_steps else {}
    if training.max_steps_per_epoch > 0:
        hyperparameters["max_steps"] = training.max_steps_per_epoch * training.n_epochs
    algorithm = request.algorithm_config
    if algorithm is not None and algorithm.type == "LoRA":
        lora = {"adapter_dim": algorithm.rank, "alpha": algorithm.alpha}
        hyperparameters |= {"finetuning_type": "lora", "lora": lora}
    body: dict[str, object] = {
        "config": request.model,
        "dataset": {"name": training.data_config.dataset_id, "namespace": namespace},
        "hyperparameters": hyperparameters,
        "output_model": request.checkpoint_dir or output,
    }
    return body if project is None else {**body, "project": project}


def _refuse(request: SupervisedFineTuneRequest) -> None:
    data, algorithm = request.training_config.data_config, request.algorithm_config
    asked = {
        "hyperparam_search_config": bool(request.hyperparam_search_config),
        "algorithm_config of the type QAT": algorithm is not None and algorithm.type == "QAT",
        "algorithm_config.use_dora": algorithm is not None and algorithm.type == "LoRA" and bool(algorithm.use_dora),
        "algorithm_config.quantize_base": algorithm is not None
        and algorithm.type == "LoRA"
        and bool(algorithm.quantize_base),
        "training_config.gradient_accumulation_steps above 1": _accumulates(request.training_config),
        "data_config.train_on_input": data is not None and bool(data.train_on_input),
        "data_config.validation_dataset_id": data is not None and data.validation_dataset_id is not None,
    }
    for name, is_asked in asked.items():
        if is_asked:
            raise BadRequest(
                f"NeMo Customizer has no {name}", code="unsupported_parameter", param=name.partition(" ")[0]
            )


def _accumulates(training: TrainingConfig) -> bool:
    return training.gradient_accumulation_steps > 1

"""What the requests of the post_training API are made of.

Generated from apis/post_training.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel

DatasetFormat: TypeAlias = Literal["instruct", "dialog"]
"""A question and its answer, or a conversation."""


class DataConfig(WireModel):
    """What a model is trained on."""

    dataset_id: Annotated[str, Field(min_length=1)]
    """The dataset."""
    batch_size: Annotated[int, Field(ge=1)]
    """How many examples go through the model at once."""
    shuffle: bool
    """Whether each epoch takes them in another order."""
    data_format: DatasetFormat
    validation_dataset_id: str | None = None
    """A dataset that is measured with after each epoch."""
    packed: bool | None = False
    """Whether short examples share a row, which the model keeps apart."""
    train_on_input: bool | None = False
    """Whether questions are learned too."""


OptimizerType: TypeAlias = Literal["adam", "adamw", "sgd"]
"""The rule."""


class OptimizerConfig(WireModel):
    """How weights are changed."""

    optimizer_type: OptimizerType
    lr: Annotated[float, Field(gt=0.0)]
    """How much at most."""
    weight_decay: Annotated[float, Field(ge=0.0)]
    """By how much weights are drawn to 0."""
    num_warmup_steps: Annotated[int, Field(ge=0)]
    """After how many steps the rate is reached."""


class EfficiencyConfig(WireModel):
    """What saves memory."""

    enable_activation_checkpointing: bool | None = False
    """Whether what layers said is computed again in place of kept."""
    enable_activation_offloading: bool | None = False
    """Whether it is kept in the machine's memory, not the accelerator's."""
    memory_efficient_fsdp_wrap: bool | None = False
    """For training on several accelerators."""
    fsdp_cpu_offload: bool | None = False
    """For training on several accelerators."""


class TrainingConfig(WireModel):
    """How a model is trained."""

    n_epochs: Annotated[int, Field(ge=1)]
    """How often the data are gone through."""
    max_steps_per_epoch: int
    """After how many steps of the optimiser an epoch ends; without a bound where this is 0 or less."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1)]
    """Of how many batches a step consists."""
    max_validation_steps: int | None = 1
    """After how many batches a validation ends; without a bound where this is 0 or less."""
    data_config: DataConfig | None = None
    optimizer_config: OptimizerConfig | None = None
    efficiency_config: EfficiencyConfig | None = None
    dtype: str | None = "bf16"
    """What is computed with: bf16, fp16 or fp32."""


class LoraFinetuningConfig(WireModel):
    """Small matrices beside some of the layers, which alone are trained."""

    type: Literal["LoRA"]
    lora_attn_modules: list[str]
    """Layers of the attention by the last part of their names: q_proj, v_proj, …"""
    apply_lora_to_mlp: bool
    """Whether the layers between attentions get adapters too."""
    apply_lora_to_output: bool
    """Whether the layer that says the next token gets one."""
    rank: Annotated[int, Field(ge=1)]
    """How many columns a matrix has."""
    alpha: Annotated[int, Field(ge=1)]
    """What the adapters are multiplied with, together with 1/rank."""
    use_dora: bool | None = False
    """Whether the lengths of the weights' rows are learned by themselves (DoRA)."""
    quantize_base: bool | None = False
    """Whether the weights beside the adapters are held in 8 bits."""


class QATFinetuningConfig(WireModel):
    """All weights, which are rounded while they are trained, as they will be when the model is quantised."""

    type: Literal["QAT"]
    quantizer_name: str
    """How: int8 or int4 for the weights, 8da4w for weights of 4 bits and inputs of 8."""
    group_size: Annotated[int, Field(ge=1)]
    """How many weights share a scale."""


AlgorithmConfig: TypeAlias = Annotated[LoraFinetuningConfig | QATFinetuningConfig, Field(discriminator="type")]
"""What is trained: adapters, or weights that will be rounded; without it, all weights."""


class SupervisedFineTuneRequest(WireModel):
    """What is to be trained, on what, and how."""

    job_uuid: Annotated[str, Field(max_length=128, min_length=1)]
    """The job's id, which the client chooses; no other job may have it."""
    training_config: TrainingConfig
    hyperparam_search_config: dict[str, Any]
    """A search for the best settings. None of the providers here does one."""
    logger_config: dict[str, Any]
    """Where to log to. It changes nothing."""
    model: Annotated[str | None, Field(min_length=1)] = None
    """The model to train."""
    checkpoint_dir: str | None = None
    """Where checkpoints are to lie."""
    algorithm_config: AlgorithmConfig | None = None


DPOLossType: TypeAlias = Literal["sigmoid", "hinge", "ipo", "kto_pair"]
"""What is made smaller."""


class DPOAlignmentConfig(WireModel):
    """Direct preference optimisation."""

    beta: Annotated[float, Field(gt=0.0)]
    """How closely the model is to stay to what it was."""
    loss_type: DPOLossType


class PreferenceOptimizeRequest(WireModel):
    """What is to be trained, on which pairs, and how."""

    job_uuid: Annotated[str, Field(max_length=128, min_length=1)]
    """The job's id, which the client chooses; no other job may have it."""
    finetuned_model: Annotated[str, Field(min_length=1)]
    """The model to train."""
    algorithm_config: DPOAlignmentConfig
    training_config: TrainingConfig
    hyperparam_search_config: dict[str, Any]
    """A search for the best settings. None of the providers here does one."""
    logger_config: dict[str, Any]
    """Where to log to. It changes nothing."""


class CancelTrainingJobRequest(WireModel):
    """Which job is to be stopped."""

    job_uuid: Annotated[str, Field(min_length=1)]
    """Its id."""


class GetTrainingJobsRequest(WireModel):
    """List the jobs, the newest first."""


class GetTrainingJobStatusRequest(WireModel):
    """Say how far a job is."""

    job_uuid: str
    """The job's id."""


class GetTrainingJobArtifactsRequest(WireModel):
    """List the checkpoints of a job."""

    job_uuid: str
    """The job's id."""

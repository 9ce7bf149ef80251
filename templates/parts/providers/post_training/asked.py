"""What a request asks for, as its job keeps it: checked, and with nothing left to be chosen."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from pydantic_core import from_json, to_json

from ...runtime.errors import BadRequest
from .training.examples import Form
from .training.order import DType, Lora, Order, Qat, order_line, read_order

if TYPE_CHECKING:
    from ...contracts.post_training.requests import AlgorithmConfig, DataConfig, OptimizerConfig, TrainingConfig

_DTYPES: dict[str, DType] = {
    "bf16": "bf16",
    "fp16": "fp16",
    "fp32": "fp32",
    "bfloat16": "bf16",
    "float16": "fp16",
    "float32": "fp32",
}
_QUANTIZERS = ("int8", "int4", "8da4w")
_FOLDER = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
_USUAL_LR = 2e-5
_USUAL_DECAY = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """dataset, validation: the ids of datasets. form: of their rows."""

    order: Order
    form: Form
    dataset: str
    validation: str | None


def asked_bytes(asked: Asked) -> bytes:
    return to_json({**asdict(asked), "order": order_line(asked.order).decode()})


def read_asked(data: bytes) -> Asked:
    found = from_json(data)
    return Asked(**{**found, "order": read_order(found["order"].encode())})


# ── parts of a request ──────────────────────────────────────────────────────────────────────────────────────────────


def data_of(training: TrainingConfig) -> DataConfig:
    """Raises BadRequest."""
    if training.data_config is None:
        raise BadRequest("training_config.data_config is needed: it names the dataset", param="training_config")
    return training.data_config


def check_what_is_not_done(training: TrainingConfig, search: dict[str, object]) -> None:
    """Raises BadRequest for what would otherwise be passed over."""
    if search:
        raise BadRequest("hyperparam_search_config must be empty: no search is done", param="hyperparam_search_config")
    efficiency = training.efficiency_config
    if efficiency and (efficiency.memory_efficient_fsdp_wrap or efficiency.fsdp_cpu_offload):
        raise BadRequest(
            "efficiency_config: a job is one process on one device here, without FSDP", param="training_config"
        )


def dtype_of(training: TrainingConfig) -> DType:
    said = training.dtype or "bf16"
    if said not in _DTYPES:
        raise BadRequest(f"training_config.dtype is {said[:40]!r}: bf16, fp16 or fp32", param="training_config")
    return _DTYPES[said]


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    optimizer: Literal["adam", "adamw", "sgd"]
    lr: float
    weight_decay: float
    warmup_steps: int


def optimizer_of(config: OptimizerConfig | None) -> Optimizer:
    if config is None:
        return Optimizer(optimizer="adamw", lr=_USUAL_LR, weight_decay=_USUAL_DECAY, warmup_steps=0)
    return Optimizer(
        optimizer=config.optimizer_type,
        lr=config.lr,
        weight_decay=config.weight_decay,
        warmup_steps=config.num_warmup_steps,
    )


def lora_of(config: AlgorithmConfig | None) -> Lora | None:
    """Raises BadRequest."""
    if config is None or config.type != "LoRA":
        return None
    if not (config.lora_attn_modules or config.apply_lora_to_mlp or config.apply_lora_to_output):
        raise BadRequest("algorithm_config names no layer that gets adapters", param="algorithm_config")
    return Lora(
        modules=tuple(config.lora_attn_modules),
        mlp=config.apply_lora_to_mlp,
        output=config.apply_lora_to_output,
        rank=config.rank,
        alpha=config.alpha,
        dora=bool(config.use_dora),
        quantize_base=bool(config.quantize_base),
    )


def qat_of(config: AlgorithmConfig | None) -> Qat | None:
    """Raises BadRequest."""
    if config is None or config.type != "QAT":
        return None
    if config.quantizer_name not in _QUANTIZERS:
        said = f"quantizer_name is {config.quantizer_name[:40]!r}; there are {', '.join(_QUANTIZERS)}"
        raise BadRequest(f"algorithm_config.{said}", param="algorithm_config")
    return Qat(quantizer=config.quantizer_name, group=config.group_size)


def folder_below(wanted: str | None) -> str:
    """What a request's checkpoint_dir adds to the folder of all jobs. Raises BadRequest for what leads out of it."""
    if not wanted:
        return ""
    if _FOLDER.fullmatch(wanted) is None:
        raise BadRequest(
            "checkpoint_dir must be a relative path of plain names: it lies in a folder of the server's",
            param="checkpoint_dir",
        )
    return wanted

"""What a training process is told, and what it tells: JSON on its standard input and output, one object a line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from pydantic_core import from_json, to_json

DType: TypeAlias = Literal["bf16", "fp16", "fp32"]
DpoLoss: TypeAlias = Literal["sigmoid", "hinge", "ipo", "kto_pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters beside linear layers. modules: the last part of the layers' names, such as q_proj."""

    modules: tuple[str, ...]
    mlp: bool
    output: bool
    rank: int
    alpha: int
    dora: bool
    quantize_base: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Qat:
    """Training with weights rounded as they will be. quantizer: int8, int4 or 8da4w. group: weights of one scale."""

    quantizer: str
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dpo:
    """reference: whether the model as it was is what preferences are measured from."""

    beta: float
    loss: DpoLoss
    reference: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job as its process does it.

    name: what checkpoints are called after. model: a folder or a repository of the hub. folder: the job's own; data lie
    in it, and checkpoints come to lie in it. steps: of the optimiser in an epoch at most, 0 for no bound.
    validation_steps: batches in a validation at most, 0 for no bound. keep: how many checkpoints. save_seconds: between
    two states that the job could go on from. dpo: None where examples are to be learned, not preferences.
    """

    name: str
    model: str
    folder: str
    validate: bool
    epochs: int
    steps: int
    accumulation: int
    validation_steps: int
    batch_size: int
    shuffle: bool
    packed: bool
    train_on_input: bool
    optimizer: Literal["adam", "adamw", "sgd"]
    lr: float
    weight_decay: float
    warmup_steps: int
    dtype: DType
    activation_checkpointing: bool
    activation_offloading: bool
    lora: Lora | None
    qat: Qat | None
    dpo: Dpo | None
    seed: int
    device: str
    threads: int | None
    max_seq_length: int
    chat_template: str
    trust_remote_code: bool
    keep: int
    save_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process tells.

    ready: what it trains with. saved: that it could go on from here. checkpoint: one more, `details` as `Saved` has
    them. done: that it is. failed: why it cannot be done, in `message`.
    """

    event: Literal["ready", "saved", "checkpoint", "done", "failed"]
    message: str = ""
    details: dict[str, object] | None = None


TRAINING_FILE = "training.jsonl"
VALIDATION_FILE = "validation.jsonl"


def order_line(order: Order) -> bytes:
    return to_json(asdict(order)) + b"\n"


def read_order(line: bytes) -> Order:
    data = from_json(line)
    lora, qat, dpo = data.pop("lora"), data.pop("qat"), data.pop("dpo")
    return Order(
        **data,
        lora=None if lora is None else Lora(**{**lora, "modules": tuple(lora["modules"])}),
        qat=None if qat is None else Qat(**qat),
        dpo=None if dpo is None else Dpo(**dpo),
    )


def told_line(told: Told) -> bytes:
    return to_json(asdict(told)) + b"\n"


def read_told(line: bytes) -> Told:
    return Told(**from_json(line))

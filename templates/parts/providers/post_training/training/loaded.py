"""The model that is trained, as it comes to stand in memory."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import transformers

from ...inference.model_files import BadModel, short
from ...inference.refusals import is_out_of_memory
from ...inference.torch_text.loading import choose_device
from ...inference.torch_text.references import locate
from .lora import adapt
from .order import Order, Qat
from .tokens import plain_template

log = logging.getLogger(__name__)

Tensor: TypeAlias = Any

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """dtype: what is computed with. pad: the token that fills rows up. most: tokens of a sequence."""

    model: Any
    tokenizer: Any
    device: Tensor
    dtype: Tensor
    pad: int
    most: int

    def precision(self) -> AbstractContextManager[object]:
        if self.dtype == torch.float32:
            return nullcontext()
        found: AbstractContextManager[object] = torch.autocast(self.device.type, dtype=self.dtype)
        return found

    def keeping(self, *, offloaded: bool) -> AbstractContextManager[object]:
        """What is kept for the way back lies in the machine's memory, not the accelerator's, where it is offloaded."""
        if not offloaded or self.device.type == "cpu":
            return nullcontext()
        found: AbstractContextManager[object] = torch.autograd.graph.save_on_cpu()
        return found

    @property
    def trained(self) -> list[tuple[str, Tensor]]:
        """The weights that training changes."""
        return [(name, each) for name, each in self.model.named_parameters() if each.requires_grad]


def load(order: Order) -> Loaded:
    """The model with its adapters. Weights that are trained have 32 bits, or small steps would be rounded away.

    Raises BadModel.
    """
    device, dtype = choose_device(order.device), DTYPES[order.dtype]
    if device.type == "cpu" and dtype == torch.float16:
        raise BadModel("fp16 cannot be trained with on a CPU; bf16 and fp32 can")
    if order.threads is not None:
        torch.set_num_threads(order.threads)
    transformers.utils.logging.disable_progress_bar()
    folder = locate(order.model, code=order.trust_remote_code)
    options = {"local_files_only": True, "trust_remote_code": order.trust_remote_code}
    whole = order.lora is None
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32 if whole else dtype, use_safetensors=True, **options
        ).to(device)
    except Exception as error:  # every architecture raises what it likes
        log.debug("%s cannot be loaded", order.model, exc_info=True)
        if is_out_of_memory(error):
            raise BadModel(f"there is not enough memory on {device} for {order.model}") from None
        raise BadModel(f"{order.model} cannot be loaded: {short(error)}") from None
    if not tokenizer.is_fast:
        raise BadModel(f"{order.model} has no tokenizer.json, and other tokenizers are not supported")
    end = tokenizer.eos_token_id
    if end is None:
        raise BadModel(f"{order.model} has no token that ends an answer")
    if tokenizer.chat_template is None:
        tokenizer.chat_template = plain_template(order.chat_template, tokenizer.eos_token)
    torch.manual_seed(order.seed)
    if order.lora is not None:
        adapt(model, order.lora)
    if order.qat is not None:
        _round(model, order.qat)
    if order.activation_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    places = model.config.get_text_config().to_dict().get("max_position_embeddings")
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        device=device,
        dtype=dtype,
        pad=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        most=min(order.max_seq_length, places or order.max_seq_length),
    )


def _round(model: Any, qat: Qat) -> None:
    """Has the linear layers compute with rounded weights, and learn what that takes. Raises BadModel."""
    from torchao.quantization import quantize_
    from torchao.quantization.qat import IntxFakeQuantizeConfig, QATConfig

    weights = {"int8": torch.int8, "int4": torch.int4, "8da4w": torch.int4}.get(qat.quantizer)
    if weights is None:
        raise BadModel(f"there is no quantizer {qat.quantizer!r}: int8, int4, 8da4w")
    head = model.get_output_embeddings()
    narrow = [each.shape for each in _linear(model, head) if each.shape[1] % qat.group]
    if narrow:
        raise BadModel(f"a group_size of {qat.group} does not divide a layer's {narrow[0][1]} inputs")
    acts = IntxFakeQuantizeConfig(torch.int8, "per_token", is_symmetric=False) if qat.quantizer == "8da4w" else None
    config = QATConfig(
        activation_config=acts, weight_config=IntxFakeQuantizeConfig(weights, group_size=qat.group), step="prepare"
    )
    quantize_(model, config, filter_fn=lambda each, name: isinstance(each, torch.nn.Linear) and each is not head)


def _linear(model: Any, head: Any) -> list[Tensor]:
    return [each.weight for each in model.modules() if isinstance(each, torch.nn.Linear) and each is not head]

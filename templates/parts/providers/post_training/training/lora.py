"""Low-rank adapters: beside each of some linear layers two small matrices, which alone are trained.

Written out here, as it is a page: peft would bring accelerate and psutil for it. What is saved is the whole model with
the adapters worked into its weights, so that whatever serves the model needs to know nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn import functional

from ...inference.model_files import BadModel
from .order import Lora

Tensor: TypeAlias = Any
Model: TypeAlias = Any

_MLP = ("gate_proj", "up_proj", "down_proj", "gate_up_proj", "fc1", "fc2", "w1", "w2", "w3")
_OTHER_NAMES = {"output_proj": ("o_proj", "out_proj", "dense")}
"""What torchtune calls a layer, and what models of transformers call it."""

_HALF = 127


class Adapted(nn.Module):  # type: ignore[misc]
    """A linear layer with adapters: W x + alpha/rank B A x; with DoRA, each row of that scaled to a learned length."""

    def __init__(self, base: Tensor, lora: Lora) -> None:
        super().__init__()
        weight = base.weight.detach()
        self.scale = lora.alpha / lora.rank
        self.bias = base.bias
        kept = {"dtype": torch.float32, "device": weight.device}
        self.a = nn.Parameter(torch.empty(lora.rank, weight.shape[1], **kept))
        self.b = nn.Parameter(torch.zeros(weight.shape[0], lora.rank, **kept))
        nn.init.kaiming_uniform_(self.a, a=5**0.5)
        self.length = nn.Parameter(weight.float().norm(dim=1)) if lora.dora else None
        self.dtype = weight.dtype
        steps = None
        if lora.quantize_base:
            # A byte for each weight, and a step for each row.
            steps = weight.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / _HALF
            weight = (weight.float() / steps).round().to(torch.int8)
        self.register_buffer("steps", steps)
        self.register_buffer("weight", weight)

    def base(self) -> Tensor:
        """The weights as they were."""
        return self.weight if self.steps is None else (self.weight.float() * self.steps).to(self.dtype)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.base()
        said = functional.linear(x, weight) + self.scale * functional.linear(functional.linear(x, self.a), self.b)
        if self.length is not None:
            with torch.no_grad():
                norm = (weight.float() + self.scale * self.b @ self.a).norm(dim=1)
            said = said * (self.length / norm)
        said = said.to(x.dtype) if self.bias is None else (said + self.bias).to(x.dtype)
        return said

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def merged(self) -> Tensor:
        """The weights with the adapters in them."""
        weight = self.base().float() + self.scale * self.b @ self.a
        if self.length is not None:
            weight = weight * (self.length / weight.norm(dim=1)).unsqueeze(1)
        return weight


def adapt(model: Model, lora: Lora) -> None:
    """Puts adapters beside the layers that `lora` names, and has nothing else trained. Raises BadModel for none."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    head = model.get_output_embeddings()
    linear = {name: each for name, each in model.named_modules() if isinstance(each, nn.Linear) and each is not head}
    wanted = {other for name in lora.modules for other in (name, *_OTHER_NAMES.get(name, ()))}
    wanted |= set(_MLP) if lora.mlp else set()
    chosen = {name: each for name, each in linear.items() if name.rpartition(".")[2] in wanted}
    if lora.modules and not any(name.rpartition(".")[2] not in _MLP for name in chosen):
        there = sorted({name.rpartition(".")[2] for name in linear} - set(_MLP))
        raise BadModel(f"lora_attn_modules names no layer of this model; it has {', '.join(there)}")
    if lora.output and isinstance(head, nn.Linear):
        name = next(name for name, each in model.named_modules() if each is head)
        chosen[name] = head
        # Its weights are no longer the embeddings'.
        model.config.tie_word_embeddings = False
    if not chosen:
        raise BadModel("there is no layer to put adapters beside: name some in lora_attn_modules")
    for name, each in chosen.items():
        above, _, last = name.rpartition(".")
        model.get_submodule(above).add_module(last, Adapted(each, lora))


def merged_weights(model: Model) -> Iterator[tuple[str, Tensor]]:
    """The model's weights under the names that it had them by before it was adapted."""
    adapted = {name: each for name, each in model.named_modules() if isinstance(each, Adapted)}
    for name, tensor in model.state_dict().items():
        above, _, last = name.rpartition(".")
        if above not in adapted or last == "bias":
            yield name, tensor
        elif last == "weight":
            yield name, adapted[above].merged()

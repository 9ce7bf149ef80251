"""A model and its tokenizer, loaded: where, in what precision, and what it can do."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
import transformers

from ..model_files import BadModel, short
from ..refusals import is_out_of_memory
from .references import locate

log = logging.getLogger(__name__)

USUAL_CONTEXT = 8192
"""Tokens of one request where the config does not say, unless the model has fewer."""

Tensors: TypeAlias = Any
"""A model, tokenizer or tensor of torch or transformers, which the type checker does not follow."""

_CAPABILITY = {"int4": (8, 0), "fp8": (8, 9)}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Source(Protocol):
    """Which model, and how to load it: the provider's config."""

    @property
    def model(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def quantization(self) -> str | None: ...
    @property
    def max_seq_len(self) -> int | None: ...
    @property
    def trust_remote_code(self) -> bool: ...
    @property
    def threads(self) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model on its device, its fast tokenizer (`tokenizers.Tokenizer` is `tokenizer.backend_tokenizer`), and the most
    tokens of one request.
    """

    model: Tensors
    tokenizer: Tensors
    device: Tensors
    context: int


def load_text(source: Source) -> Loaded:
    """A model that generates. Blocks. Raises BadModel."""
    return _load(source, "ForCausalLM", "LMHeadModel", by=transformers.AutoModelForCausalLM)


def load_reranker(source: Source) -> Loaded:
    """A model that compares: a sequence classifier, or one that generates and is asked. Blocks. Raises BadModel."""
    folder = locate(source.model, code=source.trust_remote_code)
    if _architecture(folder).endswith("ForSequenceClassification"):
        return _load(source, "ForSequenceClassification", by=transformers.AutoModelForSequenceClassification)
    return load_text(source)


def _load(source: Source, *kinds: str, by: Tensors) -> Loaded:
    folder = locate(source.model, code=source.trust_remote_code)
    device = choose_device(source.device)
    if source.threads is not None:
        torch.set_num_threads(source.threads)
    # A log is no place for bars.
    transformers.utils.logging.disable_progress_bar()
    found = _architecture(folder)
    # What is not of the kind is often one by another name (ForConditionalGeneration); transformers knows.
    log.debug("%s is a %s, wanted is one of %s", source.model, found, kinds)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=source.trust_remote_code
        )
        model = by.from_pretrained(
            folder,
            dtype=choose_dtype(source.dtype, folder, device),
            quantization_config=quantization(source.quantization, device),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=source.trust_remote_code,
        )
        model = model.to(device).eval()
    except BadModel:
        raise
    except Exception as error:  # every architecture raises what it likes
        log.debug("%s cannot be loaded", source.model, exc_info=True)
        if is_out_of_memory(error):
            raise BadModel(f"there is not enough memory on {device} for {source.model}") from None
        raise BadModel(f"{source.model} cannot be loaded: {short(error)}") from None
    if not tokenizer.is_fast:
        raise BadModel(f"{source.model} has no tokenizer.json, and other tokenizers are not supported")
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        device=device,
        context=choose_context(source.max_seq_len, model, tokenizer),
    )


def choose_device(wanted: str) -> Tensors:
    """The device by its name; for `auto` the best there is. Raises BadModel for one that is not there."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise BadModel(f"{wanted!r} is no device: auto, cpu, cuda, mps or cuda:NUMBER") from None
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": 1 if torch.backends.mps.is_available() else 0,
    }.get(device.type, 0)
    if (device.index or 0) >= there:
        raise BadModel(f"the device {wanted} is not there; torch {torch.__version__} sees {there} of {device.type}")
    return device


def choose_dtype(wanted: str, folder: Path, device: Tensors) -> Tensors:
    """The dtype by its name; `auto` is the checkpoint's own, but never half precision on a CPU, which has no fast
    arithmetic for it.
    """
    if wanted != "auto":
        return _DTYPES[wanted]
    said = _config(folder)
    own = said.get("dtype") or said.get("torch_dtype")
    return torch.float32 if device.type == "cpu" and own == "float16" else "auto"


def choose_context(wanted: int | None, model: Tensors, tokenizer: Tensors) -> int:
    """The most tokens of one request: the model's own up to USUAL_CONTEXT, unless the config says. Raises BadModel
    where it says more than the model has places for.
    """
    said = model.config.get_text_config().to_dict()
    own = said.get("max_position_embeddings")
    if said.get("model_type") in ("roberta", "xlm-roberta", "camembert") and own is not None:
        # These number their places from after the padding's.
        own -= (said.get("pad_token_id") or 0) + 1
    # A tokenizer without a length of its own says 1e30.
    told = [int(each) for each in (own, tokenizer.model_max_length) if each is not None and 0 < each < 1e9]
    most = min(told, default=USUAL_CONTEXT)
    if wanted is not None and own is not None and wanted > own:
        raise BadModel(f"max_seq_len is {wanted}, and the model has places for {own} tokens")
    return wanted or min(most, USUAL_CONTEXT)


def quantization(kind: str | None, device: Tensors) -> Tensors:
    """How transformers is to quantise the weights as it loads them, None for not at all. Raises BadModel where the
    device has no arithmetic for it.
    """
    if kind is None:
        return None
    _check_quantization(kind, device)
    from torchao import quantization as torchao

    how = {
        "int8": torchao.Int8WeightOnlyConfig,
        "int4": torchao.Int4WeightOnlyConfig,
        "fp8": torchao.Float8DynamicActivationFloat8WeightConfig,
    }[kind]
    return transformers.TorchAoConfig(quant_type=how())


def _check_quantization(kind: str, device: Tensors) -> None:
    if kind == "int8" and device.type in ("cpu", "cuda"):
        return
    if kind == "int8" or device.type != "cuda":
        raise BadModel(f"quantization {kind} does not work on {device.type}")
    has, needs = torch.cuda.get_device_capability(device), _CAPABILITY[kind]
    if has < needs:
        said = "{}.{}".format
        raise BadModel(f"quantization {kind} needs compute capability {said(*needs)}, and {device} has {said(*has)}")


def _architecture(folder: Path) -> str:
    names = _config(folder).get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def _config(folder: Path) -> Mapping[str, object]:
    with suppress(OSError, ValueError):
        said = json.loads((folder / "config.json").read_bytes())
        if isinstance(said, dict):
            return said
    raise BadModel(f"{folder / 'config.json'} is damaged: it is no JSON object")

"""Loads a model of sentence-transformers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sentence_transformers.util import get_device_name
from transformers import PretrainedConfig
from transformers.utils.logging import disable_progress_bar

from ..model_files import BadModel, short
from ..refusals import is_out_of_memory
from .batches import OutOfMemory
from .encoder import Encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """device, dtype: None for what is there, and what suits it. quantization: "int8", or None. prompt_name: None for
    the model's default. matryoshka: whether its vectors may be shortened, None for what it says of itself. threads:
    None for torch's own choice. code: whether the model's own Python code may run.
    """

    device: str | None = None
    dtype: str | None = None
    quantization: str | None = None
    prompt_name: str | None = None
    matryoshka: bool | None = None
    threads: int | None = None
    code: bool = False


def load(folder: Path, options: Options) -> Encoder:
    """The model of a folder, tried with a word; blocks. Raises BadModel."""
    disable_progress_bar()
    try:
        model = SentenceTransformer(
            str(folder),
            device=options.device,
            trust_remote_code=options.code,
            # A model's own code may lie in another repository.
            local_files_only=not options.code,
            model_kwargs={"use_safetensors": True, **_numbers(options)},
        )
        _check_input(model)
        encoder = Encoder(
            model,
            prompt=_prompt(model, options.prompt_name),
            lengths=_lengths(model.config, int(model.get_embedding_dimension()), options.matryoshka),
            threads=options.threads,
        )
        encoder.encode(encoder.tokenize(["word"]))
    except BadModel as error:
        raise BadModel(f"{folder} cannot be used: {error}") from None
    except OutOfMemory:
        raise BadModel(f"there is not enough memory for {folder}") from None
    except Exception as error:  # torch, transformers and a model's own code raise what they like
        if is_out_of_memory(error):
            raise BadModel(f"there is not enough memory for {folder}") from None
        log.debug("%s cannot be loaded", folder, exc_info=True)
        raise BadModel(f"{folder} cannot be loaded: {type(error).__name__}: {short(error)}") from None
    return encoder


def _check_input(model: SentenceTransformer) -> None:
    """Raises BadModel where the model's first step is none that `Encoder` can feed."""
    first = model[0]
    if isinstance(first, StaticEmbedding):
        return
    if not isinstance(first, Transformer) or first.tokenizer is None or "text" not in first.modality_config:
        raise BadModel(f"its first module, {type(first).__name__}, takes something else than text")
    if "message" in first.modality_config:
        raise BadModel("it puts every text into a chat template, which is not supported")
    if first.processing_kwargs:
        raise BadModel("its processing_kwargs have texts made tokens in a way of its own, which is not supported")


def _numbers(options: Options) -> dict[str, object]:
    """What the model's numbers are: the CPU computes in float32 best, whatever the weights were saved in."""
    device = options.device or get_device_name()
    dtype = options.dtype or ("float32" if device.startswith("cpu") else "auto")
    kwargs: dict[str, object] = {"dtype": dtype}
    if options.quantization == "int8":
        from torchao.quantization import Int8WeightOnlyConfig
        from transformers import TorchAoConfig

        kwargs["quantization_config"] = TorchAoConfig(quant_type=Int8WeightOnlyConfig())
    return kwargs


def _prompt(model: SentenceTransformer, name: str | None) -> str:
    """The text before every text. Raises BadModel where the model has no prompt of that name."""
    if name is None:
        name = model.default_prompt_name
    if name is None:
        return ""
    prompt = model.prompts.get(name)
    if prompt is None:
        raise BadModel(f"the model has no prompt {name!r}; it has: {', '.join(sorted(model.prompts)) or 'none'}")
    return str(prompt)


def _lengths(config: PretrainedConfig | None, dimensions: int, matryoshka: bool | None) -> range | tuple[int, ...]:
    """To which lengths vectors may be cut: those that the model's config names, or any where it says that it was
    trained so (`matryoshka_dimensions`, `is_matryoshka`: words of that file that several publishers use).
    """
    whole = (dimensions,)
    if matryoshka is not None:
        return range(1, dimensions + 1) if matryoshka else whole
    said = config.to_dict() if config is not None else {}
    named = said.get("matryoshka_dimensions")
    if isinstance(named, list) and named:
        return tuple(sorted({each for each in named if isinstance(each, int) and 0 < each < dimensions} | {dimensions}))
    return range(1, dimensions + 1) if said.get("is_matryoshka") else whole

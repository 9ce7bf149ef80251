"""What a model in sentence-transformers' layout says of itself, read before anything is loaded, so that what is missing
or not known here can be told in a sentence.

modules.json                 Transformer, Pooling, and what comes after
config.json                  the Transformer's architecture
tokenizer.json               its tokenizer (the Transformer's files may lie in a folder of their own)
sentence_bert_config.json    max_seq_length
1_Pooling/config.json        one vector of many
2_Dense/config.json          a layer after it, with weights beside
model.safetensors, onnx/model.onnx
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..model_files import BadModel, pickled
from ..sentences.folder import MODULES, no_modules
from .families import FAMILIES

Json: TypeAlias = Mapping[str, object]
Mode: TypeAlias = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]

# In the order in which the library joins the vectors of several modes.
_MODES: Mapping[str, Mode] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_ACTIVATIONS = {"tanh": "Tanh", "identity": "Identity", "relu": "ReLU"}
USUAL_TOKENS = 512
"""Tokens of one text where no file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A layer after pooling. folder: where its weights are. activation: Tanh, Identity or ReLU."""

    folder: Path
    activation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize:
    """Vectors of length one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A model's folder. transformer: where its own files are. config: config.json. weights: its safetensors files, or
    one ONNX file. after: what follows pooling, in order. tokens: of one text, at most. prompt: stands before each text.
    """

    transformer: Path
    config: Json
    weights: tuple[Path, ...]
    pooling: tuple[Mode, ...]
    after: tuple[Dense | Normalize, ...]
    tokens: int
    prompt: str
    lower: bool

    @property
    def kind(self) -> str:
        return str(self.config.get("model_type", ""))


def read_layout(folder: Path) -> Layout:
    """Raises BadModel, saying what is missing, damaged or not known."""
    transformer, pooling, after = _modules(folder)
    config = read_json(transformer / "config.json")
    if not (transformer / "tokenizer.json").is_file():
        raise BadModel(
            f"{transformer} has no tokenizer.json; transformers makes one of older files: "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )
    own = next(iter(sorted(transformer.glob("sentence_*_config.json"))), None)
    said: Json = read_json(own) if own is not None else {}
    prompt = _prompt(folder, pooling)
    return Layout(
        transformer=transformer,
        config=config,
        weights=find_weights(transformer, str(config.get("model_type", ""))),
        pooling=_modes(pooling),
        after=after,
        tokens=_tokens(transformer, config, said),
        prompt=prompt,
        lower=said.get("do_lower_case") is True,
    )


def read_json(path: Path) -> Json:
    """A file that holds an object. Raises BadModel."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadModel(f"{path.parent} has no {path.name}") from None
    except (OSError, ValueError) as error:
        raise BadModel(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise BadModel(f"{path} does not hold a JSON object")
    return found


# ── weights ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def find_weights(folder: Path, kind: str) -> tuple[Path, ...]:
    """The safetensors files of an architecture that is known here, else an ONNX file. Raises BadModel."""
    onnx = next((each for each in (folder / "onnx" / "model.onnx", folder / "model.onnx") if each.is_file()), None)
    if kind in FAMILIES and (weights := _safetensors(folder)):
        return weights
    if onnx is not None:
        return (onnx,)
    raise no_weights(str(folder), kind, sorted(each.name for each in folder.iterdir()))


def no_weights(where: str, kind: str, names: Sequence[str]) -> BadModel:
    """Why a model of this kind and these files cannot be run."""
    if kind not in FAMILIES and any(name.endswith(".safetensors") for name in names):
        return BadModel(
            f"{where} is a model of type {kind!r}, which can be run from an ONNX file only (from safetensors: "
            f"{', '.join(FAMILIES)}); write one with `optimum-cli export onnx -m FOLDER FOLDER/onnx`"
        )
    pickle = next((name for name in names if name.endswith((".bin", ".pt"))), None)
    if pickle is not None:
        return pickled(where, pickle)
    return BadModel(f"{where} has no weights: neither model.safetensors nor onnx/model.onnx")


def _safetensors(folder: Path) -> tuple[Path, ...]:
    """The file of the weights, or its pieces."""
    whole = folder / "model.safetensors"
    if whole.is_file():
        return (whole,)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return ()
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict):
        raise BadModel(f"{index} does not say where the weights are")
    pieces = tuple(folder / name for name in sorted({str(each) for each in places.values()}))
    missing = [each.name for each in pieces if not each.is_file()]
    if missing:
        raise BadModel(f"{folder} lacks pieces of its weights: {', '.join(missing[:20])}")
    return pieces


# ── modules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _modules(folder: Path) -> tuple[Path, Json, tuple[Dense | Normalize, ...]]:
    """(the Transformer's folder, the pooling's config, what follows)."""
    if not (folder / MODULES).is_file():
        raise no_modules(str(folder))
    listed = _listed(folder / MODULES)
    names = [name for name, _ in listed]
    if names[:2] != ["Transformer", "Pooling"]:
        raise BadModel(f"{folder / 'modules.json'} names {', '.join(names)}; only Transformer, then Pooling, can begin")
    after: list[Dense | Normalize] = []
    for name, path in listed[2:]:
        if name == "Normalize":
            after.append(Normalize())
        elif name == "Dense":
            after.append(_dense(folder / path))
        else:
            raise BadModel(f"{folder / 'modules.json'} names {name}, a module that is not known here: {_INSTEAD}")
    return folder / listed[0][1], read_json(folder / listed[1][1] / "config.json"), tuple(after)


_INSTEAD = "Pooling, Dense and Normalize are; sentence-transformers itself can run it"


def _listed(path: Path) -> list[tuple[str, str]]:
    """(name of the module's class, its folder)"""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [(str(each["type"]).rpartition(".")[2], str(each["path"])) for each in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadModel(f"{path} cannot be read as a list of modules: {error!r}") from None


def _dense(folder: Path) -> Dense:
    config = read_json(folder / "config.json")
    said = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    activation = _ACTIVATIONS.get(said.lower())
    if activation is None:
        raise BadModel(f"{folder} has the activation {said}, which is not known here: Tanh, Identity and ReLU are")
    if config.get("use_residual") or config.get("module_input_name", "sentence_embedding") != "sentence_embedding":
        raise BadModel(f"{folder} is a Dense layer of a kind that is not known here: {_INSTEAD}")
    if not (folder / "model.safetensors").is_file():
        raise BadModel(f"{folder} has no model.safetensors; SentenceTransformer(FOLDER).save(OTHER_FOLDER) writes one")
    return Dense(folder=folder, activation=activation)


def _modes(config: Json) -> tuple[Mode, ...]:
    said = config.get("pooling_mode")
    if said is None:
        return tuple(mode for key, mode in _MODES.items() if config.get(key)) or ("mean",)
    names = said if isinstance(said, list) else [said]
    known = {str(mode): mode for mode in _MODES.values()}
    unknown = [str(name) for name in names if name not in known]
    if unknown:
        raise BadModel(f"the model's pooling is {', '.join(unknown)}, which is not known here: {', '.join(known)} are")
    return tuple(known[str(name)] for name in names)


def _prompt(folder: Path, pooling: Json) -> str:
    """What the library puts before every text that comes without a prompt's name."""
    path = folder / "config_sentence_transformers.json"
    config: Json = read_json(path) if path.is_file() else {}
    name, prompts = config.get("default_prompt_name"), config.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) else None
    if prompt and pooling.get("include_prompt") is False:
        raise BadModel(f"{path} has a default prompt that is not to be pooled, which is not known here")
    return str(prompt or "")


def _tokens(transformer: Path, config: Json, said: Json) -> int:
    """Tokens of one text, at most: the least of what the files say."""
    path = transformer / "tokenizer_config.json"
    tokenizer: Json = read_json(path) if path.is_file() else {}
    own, usual, most = (
        said.get("max_seq_length"),
        tokenizer.get("model_max_length"),
        config.get("max_position_embeddings"),
    )
    family = FAMILIES.get(str(config.get("model_type", "")))
    if isinstance(most, int) and family is not None:
        most -= family.first_position(config)
    return min(
        [int(each) for each in (own or usual, most) if isinstance(each, int | float) and each > 0] or [USUAL_TOKENS]
    )

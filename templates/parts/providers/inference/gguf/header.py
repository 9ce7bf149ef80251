"""The head of a GGUF file: what a model says of itself, read before llama.cpp loads it, so that what is wrong with a
file can be told in a sentence.

GGUF 2 and 3: magic, version, number of tensors, number of metadata; the metadata; name, shape, type and offset of each
tensor; the tensors' data, which begin at a multiple of the alignment.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from ..model_files import BadModel

Scalar: TypeAlias = str | int | float | bool

MAGIC = b"GGUF"
VERSIONS = (2, 3)
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MAX_STRING = 64 * 1024 * 1024
_MAX_DIMENSIONS = 8
# Of models that keep something else, or less: states in place of keys and values, or these compressed.
_OTHER_CACHES = (".ssm.", "lora_rank", ".wkv.", "shortconv", "full_attention_interval")
# Of so many layers at least one sees the whole context; the others only what is near.
_MOST_SLIDING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a model says of itself. metadata: every value that is not a list."""

    metadata: Mapping[str, Scalar]

    def number(self, key: str) -> int | None:
        """`<architecture>.<key>`, such as context_length; None where the model does not say."""
        found = self.metadata.get(f"{self.metadata.get('general.architecture')}.{key}")
        return found if isinstance(found, int) else None

    def cache_bytes(self, tokens: int) -> int:
        """The least that llama.cpp keeps for so many tokens, keys and values of two bytes each; 0 where the head does
        not tell.
        """
        layers, heads, kept = (
            self.number(key) for key in ("block_count", "attention.head_count", "attention.head_count_kv")
        )
        if not layers or not heads or not kept or any(mark in key for key in self.metadata for mark in _OTHER_CACHES):
            return 0
        usual = (self.number("embedding_length") or 0) // heads
        width = sum(self.number(f"attention.{which}_length") or usual for which in ("key", "value"))
        if self.number("attention.sliding_window"):
            layers = layers // _MOST_SLIDING
        return 2 * tokens * layers * kept * width

    @property
    def chat_template(self) -> str | None:
        found = self.metadata.get("tokenizer.chat_template")
        return found if isinstance(found, str) and found.strip() else None


def read_header(path: Path) -> Header:
    """The head of a file. Raises BadModel where it is no GGUF, or less than all of one."""
    try:
        with path.open("rb") as file:
            return _read(file, path)
    except OSError as error:
        raise BadModel(f"{path} cannot be read: {error.strerror or error}") from None
    except (struct.error, EOFError, UnicodeDecodeError):
        raise BadModel(
            f"{path} is damaged or incomplete: its {path.stat().st_size} bytes end within its header"
        ) from None


def _read(file: BinaryIO, path: Path) -> Header:
    if file.read(4) != MAGIC:
        raise BadModel(f"{path} is no GGUF file: it does not begin with {MAGIC.decode()}")
    version = _number(file, "<I")
    if version not in VERSIONS:
        raise BadModel(f"{path} is GGUF of version {version}, and versions 2 and 3 can be read")
    tensors, values = _number(file, "<Q"), _number(file, "<Q")
    metadata: dict[str, Scalar] = {}
    for _ in range(values):
        key = _string(file)
        value = _value(file, _number(file, "<I"))
        if value is not None:
            metadata[key] = value
    last = max((_tensor_offset(file) for _ in range(tensors)), default=0)
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1:
        raise BadModel(f"{path} is damaged: its alignment is {alignment!r}")
    data = -(-file.tell() // alignment) * alignment
    size = path.stat().st_size
    if tensors and size <= data + last:
        raise BadModel(f"{path} is incomplete: it has {size} bytes, and its last tensor begins at byte {data + last}")
    return Header(metadata=metadata)


def _number(file: BinaryIO, layout: str) -> int:
    (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return int(value)


def _string(file: BinaryIO) -> str:
    length = _number(file, "<Q")
    if length > _MAX_STRING:
        raise EOFError
    data = file.read(length)
    if len(data) < length:
        raise EOFError
    return data.decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Scalar | None:
    """One value; None for a list, which is passed over."""
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        _pass_over(file, _number(file, "<I"), _number(file, "<Q"))
        return None
    layout = _SCALARS.get(kind)
    if layout is None:
        raise EOFError
    (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return value if isinstance(value, int | float | bool) else None


def _pass_over(file: BinaryIO, kind: int, count: int) -> None:
    if kind in _SCALARS:
        file.seek(struct.calcsize(_SCALARS[kind]) * count, 1)
        return
    for _ in range(count):
        _value(file, kind)


def _tensor_offset(file: BinaryIO) -> int:
    _string(file)
    dimensions = _number(file, "<I")
    if dimensions > _MAX_DIMENSIONS:
        raise EOFError
    file.seek(8 * dimensions + 4, 1)
    return _number(file, "<Q")

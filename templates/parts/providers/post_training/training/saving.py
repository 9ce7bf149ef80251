"""What training leaves on the disk: checkpoints, and the state that it could go on from.

A checkpoint is a folder as transformers loads it, with its figures in `training.json`. Both come to stand under their
names whole and safe on the disk, or not at all: what is under way has a name that begins with a dot.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from .loaded import Loaded
from .lora import merged_weights

_FIGURES = "training.json"
_STATE = "state.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of a validation. perplexity: None where preferences are learned, which have none."""

    loss: float
    perplexity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint. epoch: from 0 on. Of what was not validated there is no loss and no perplexity."""

    identifier: str
    path: str
    epoch: int
    created_at: str
    train_loss: float | None
    validation_loss: float | None
    perplexity: float | None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process works in a job's folder: one whose server hung may not have ended yet."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def save_checkpoint(
    loaded: Loaded,
    folder: Path,
    *,
    name: str,
    epoch: int,
    train_loss: float | None,
    validation: Figures | None,
) -> Saved:
    place, under_way = folder / f"epoch-{epoch}", folder / f".epoch-{epoch}"
    shutil.rmtree(under_way, ignore_errors=True)
    loaded.model.save_pretrained(under_way, state_dict=dict(_weights(loaded)))
    _say_precision(under_way, str(loaded.dtype).removeprefix("torch."))
    loaded.tokenizer.save_pretrained(under_way)
    saved = Saved(
        identifier=f"{name}-{epoch}",
        path=str(place),
        epoch=epoch,
        created_at=datetime.now(UTC).isoformat(),
        train_loss=train_loss,
        validation_loss=validation.loss if validation else None,
        perplexity=validation.perplexity if validation else None,
    )
    (under_way / _FIGURES).write_text(json.dumps(asdict(saved)))
    for file in (*under_way.rglob("*"), under_way):
        _settle(file)
    shutil.rmtree(place, ignore_errors=True)
    under_way.rename(place)
    _settle(folder)
    return saved


def checkpoints(folder: Path) -> list[Saved]:
    """Those that there are, the oldest first."""
    found = [Saved(**json.loads(file.read_bytes())) for file in folder.glob(f"epoch-*/{_FIGURES}")]
    return sorted(found, key=lambda each: each.epoch)


def prune(folder: Path, keep: int) -> None:
    """Removes all but the newest."""
    for each in checkpoints(folder)[:-keep]:
        shutil.rmtree(each.path)


def save_state(folder: Path, state: dict[str, Any]) -> None:
    under_way = folder / f".{_STATE}"
    torch.save(state, under_way)
    _settle(under_way)
    under_way.replace(folder / _STATE)
    _settle(folder)


def load_state(folder: Path, device: Any) -> dict[str, Any] | None:
    """What was saved last, None for nothing."""
    file = folder / _STATE
    if not file.exists():
        return None
    found: dict[str, Any] = torch.load(file, map_location=device, weights_only=True)
    return found


def forget_state(folder: Path) -> None:
    (folder / _STATE).unlink(missing_ok=True)


def _weights(loaded: Loaded) -> Iterator[tuple[str, Any]]:
    """In the precision that was asked for; what several names share is written once."""
    first: dict[int, str] = {}
    if loaded.model.config.tie_word_embeddings:
        for name, tensor in loaded.model.state_dict().items():
            first.setdefault(tensor.data_ptr(), name)
    kept = frozenset(first.values())
    for name, tensor in merged_weights(loaded.model):
        if not kept or name in kept:
            yield name, tensor.to(loaded.dtype) if tensor.is_floating_point() else tensor


def _say_precision(folder: Path, dtype: str) -> None:
    """transformers writes down what the model was trained in."""
    file = folder / "config.json"
    config = json.loads(file.read_bytes())
    file.write_text(json.dumps({**config, "dtype": dtype}, indent=2))


def _settle(place: Path) -> None:
    """Has what was written there outlast the machine's power."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

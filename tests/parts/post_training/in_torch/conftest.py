"""A tiny model to be trained."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tiny import llama, save


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(llama(), tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def home(tmp_path: Path, tiny_folder: Path) -> Path:
    """A server's folder, whose models are the tiny one."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny").symlink_to(tiny_folder)
    return tmp_path

"""Training on this machine does what every provider of training does."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

pytest.importorskip("torch")

from parts.providers.post_training.service import LocalTraining
from parts.testing.post_training import FinetuningSuite
from training_stand_ins import opened

pytestmark = pytest.mark.torch


class TestLocal(FinetuningSuite):
    model = "tiny"
    dataset = "pings"
    seconds = 300.0

    @pytest.fixture(autouse=True)
    def at_home(self, home: Path) -> None:
        self.home = home

    def opens(self) -> AbstractAsyncContextManager[LocalTraining]:
        return opened(self.home)

"""The queue in front of a model for embeddings, where more come than may wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from parts.providers.inference.sentences import batches as module
from parts.providers.inference.sentences.batches import Batches, Input, Rows
from parts.runtime.errors import Unavailable


class Held:
    """A model that computes nothing until it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()

    @property
    def context(self) -> int | None:
        return None

    def enter(self) -> None:
        pass

    def tokenize(self, inputs: Sequence[Input]) -> list[str]:
        return [str(each) for each in inputs]

    def encode(self, batch: Sequence[str]) -> Rows:
        self.let.wait()
        return np.ones((len(batch), 2), np.float32)


async def test_one_more_than_may_wait_is_told_so_and_the_others_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    encoder = Held()
    batches: Batches[str] = Batches(encoder, texts=2, tokens=100, name="held")
    try:
        asked = [asyncio.create_task(batches.embed([f"text {number}"])) for number in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as caught:
            await batches.embed(["one more"])
        assert (caught.value.status, caught.value.code) == (503, "model_overloaded")
        encoder.let.set()
        assert [len(each.rows) for each in await asyncio.gather(*asked)] == [1] * 5
        assert len((await batches.embed(["later"])).rows) == 1
    finally:
        encoder.let.set()
        await batches.close()

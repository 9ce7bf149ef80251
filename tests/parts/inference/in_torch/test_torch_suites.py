"""inline::transformers before the suites that third parties prove their providers with."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from parts.providers.inference.transformers import Transformers, TransformersConfig, open_transformers
from parts.testing.inference import BrokenChatSuite, ChatSuite, CompletionsSuite

pytestmark = pytest.mark.torch


class TestTransformers(ChatSuite[Transformers], CompletionsSuite[Transformers]):
    chat_model = completion_model = "llama"

    @pytest.fixture(autouse=True)
    def _folder(self, folders: dict[str, Path]) -> None:
        self.folder = folders["llama"]

    def opens(self) -> AbstractAsyncContextManager[Transformers]:
        return open_transformers(TransformersConfig(model=str(self.folder), model_id="llama"), instance="here")


class TestAModelThatIsNotThere(BrokenChatSuite[Transformers]):
    def opens(self) -> AbstractAsyncContextManager[Transformers]:
        return open_transformers(TransformersConfig(model="/no/such/model"), instance="here")

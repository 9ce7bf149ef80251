"""A model in torch where there is no torch: the server runs, and says what it lacks."""

from __future__ import annotations

import sys

import pytest
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import SentenceTransformersConfig, open_sentence_transformers
from parts.runtime.context import Context
from parts.runtime.errors import Unavailable


async def test_embeddings_in_torch_without_torch_are_503(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] in ("torch", "sentence_transformers")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "parts.providers.inference.sentences.loading", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    async with open_sentence_transformers(SentenceTransformersConfig(), instance="here") as provider:
        assert [model.id for model in await provider.list_models()] == ["nomic-ai/nomic-embed-text-v1.5"]
        assert (await provider.health()).status == "Error"
        request = CreateEmbeddingRequest.model_validate({"model": "m", "input": "x"})
        with pytest.raises(Unavailable, match="is not installed where this server runs"):
            await provider.create_embedding(request, Context("r"))

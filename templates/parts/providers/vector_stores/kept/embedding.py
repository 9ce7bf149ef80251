"""Vectors from the server's own inference, and which model makes them."""

from __future__ import annotations

import base64
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....contracts.inference.requests import CreateEmbeddingRequest
from ....contracts.inference.responses import CreateEmbeddingResponse
from ....contracts.models.requests import ListModelsRequest
from ....runtime.asking import on_behalf
from ....runtime.errors import BadRequest, UpstreamError

if TYPE_CHECKING:
    from ....contracts.inference import Inference
    from ....contracts.models import Listing
    from ....runtime.context import Context

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Embedder:
    """default: the model of stores whose request names none; None for the only one that there is."""

    inference: Inference
    models: Listing
    default: str | None

    async def model(self, named: str | None, ctx: Context) -> str:
        """Which model a store is made with. Raises BadRequest where that is not clear."""
        if (known := named or self.default) is not None:
            return known
        found = [each.id for each in await self._listed(ctx)]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        what = f"one of {shown}" if found else "the id of a model for embeddings; the server knows of none"
        raise BadRequest(f"embedding_model: expected {what}", code="embedding_model_unclear", param="embedding_model")

    async def dimension(self, model: str, ctx: Context) -> int:
        """How many numbers the model's vectors have: by its metadata, else by a vector of it."""
        said = await self._said(model, "embedding_dimension", ctx)
        return said or len((await self.vectors(model, ["dimension"], ctx))[0])

    async def most_tokens(self, model: str, ctx: Context) -> int | None:
        """How much of a text the model reads, where its metadata says so."""
        return await self._said(model, "context_length", ctx)

    async def _said(self, model: str, key: str, ctx: Context) -> int | None:
        for each in await self._listed(ctx):
            said = each.metadata.get(key) if each.id == model else None
            if isinstance(said, int | str) and str(said).isdecimal() and int(said) > 0:
                return int(said)
        return None

    async def vectors(self, model: str, texts: Sequence[str], ctx: Context) -> list[array[float]]:
        """A vector for each text, 32-bit floats. Raises StackError."""
        body = to_json({"model": model, "input": list(texts), "encoding_format": "float"})
        asked = CreateEmbeddingRequest.model_validate_json(body)
        answer = (await self.inference.create_embedding(asked, on_behalf(ctx, body))).parse(CreateEmbeddingResponse)
        found = {each.index: each.embedding for each in answer.data}
        if found.keys() != set(range(len(texts))):
            message = f"the model {model[:200]!r} gave {len(answer.data)} vectors for {len(texts)} texts"
            raise UpstreamError(message, code="upstream_invalid_answer")
        return [_floats(found[number]) for number in range(len(texts))]

    async def _listed(self, ctx: Context) -> list[Model]:
        models = (await self.models.list_models(ListModelsRequest(), ctx)).data
        return [each for each in models if each.model_type == "embedding"]


def _floats(said: list[float] | str) -> array[float]:
    if isinstance(said, str):
        vector = array("f")
        vector.frombytes(base64.b64decode(said))
        return vector
    return array("f", said)


if TYPE_CHECKING:
    from ....contracts.models.responses import Model

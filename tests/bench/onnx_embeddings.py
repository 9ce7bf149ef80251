"""What a vector costs with inline::onnx-embeddings, and how far it is from sentence-transformers', where that is there.

PYTHONPATH=templates:tests/parts/inference python tests/bench/onnx_embeddings.py [FOLDER]

CPU milliseconds per text, two threads: 32 texts of 5 to 60 words as one request, one after another, and 128 at once.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec

import numpy as np
from encoder_folders import SENTENCES, minilm
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.contracts.inference.responses import CreateEmbeddingResponse
from parts.providers.inference.onnx_embeddings import OnnxEmbeddingsConfig, open_onnx_embeddings
from parts.runtime.context import Context

RANDOM = random.Random(1)
WORDS = " ".join(SENTENCES[:3]).split()
TEXTS = [" ".join(RANDOM.choices(WORDS, k=RANDOM.choice((5, 8, 10, 12, 16, 20, 30, 45, 60)))) for _ in range(32)]
ROUNDS = 8


async def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else str(minilm())
    async with open_onnx_embeddings(OnnxEmbeddingsConfig(model=folder, threads=2), instance="bench") as model:

        async def embed(*texts: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
            request = CreateEmbeddingRequest.model_validate({"model": "m", "input": list(texts)})
            answer = (await model.create_embedding(request, Context("r"))).parse(CreateEmbeddingResponse)
            return np.array([each.embedding for each in answer.data])

        async def singly() -> None:
            for text in TEXTS:
                await embed(text)

        await told("one request", lambda: embed(*TEXTS), 32)
        await told("one after another", singly, 32)
        await told("128 at once", lambda: asyncio.gather(*(embed(text) for text in TEXTS * 4)), 128)
        vectors = await embed(*TEXTS)
    if find_spec("sentence_transformers") is None or find_spec("torch") is None:
        return
    # They spin otherwise, beside whatever else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(2)
    library = SentenceTransformer(folder, device="cpu")

    async def by_the_library() -> None:
        library.encode(TEXTS, batch_size=32, show_progress_bar=False)

    await told("the library's own batch of 32", by_the_library, 32)
    sys.stdout.write(f"largest difference: {np.abs(vectors - library.encode(TEXTS)).max():.1e}\n")


async def told(name: str, work: Callable[[], Awaitable[object]], texts: int) -> None:
    await work()
    before = time.process_time()
    for _ in range(ROUNDS):
        await work()
    sys.stdout.write(f"{name}: {(time.process_time() - before) / ROUNDS / texts * 1000:.1f} ms\n")


if __name__ == "__main__":
    asyncio.run(main())

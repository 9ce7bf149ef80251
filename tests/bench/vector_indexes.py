"""What adding and finding costs in each place for vectors, and how many of the nearest ten are found.

PYTHONPATH=templates:tests/parts/storage:tests/parts/vector_io python tests/bench/vector_indexes.py [VECTORS]

384 numbers each, in 200 clusters, added by 500; milliseconds of 100 searches, one after another, the median and the
longest of ten; among them a filter that lets through a hundredth, and three words of a text of a hundred.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
from parts.providers.vector_io.pgvector import VectorIndexConfig, open_pgvector
from parts.providers.vector_io.sqlite_vec import SqliteVecConfig, open_sqlite_vec
from parts.runtime.vector_filters import Compare
from parts.runtime.vector_index import Entry, VectorIndex
from pgvector_configs import pgvector_config
from real_servers import running_postgres

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
RANDOM, NUMBERS = random.Random(1), np.random.default_rng(1)
CENTRES = NUMBERS.normal(size=(200, 384))
ALL = (CENTRES[NUMBERS.integers(200, size=COUNT)] + NUMBERS.normal(size=(COUNT, 384))).astype(np.float32)
ALL /= np.linalg.norm(ALL, axis=1, keepdims=True)
WORDS = [f"word{number}" for number in range(5000)]
SHARES = [1 / (rank + 1) for rank in range(5000)]


@asynccontextmanager
async def places(folder: Path) -> AsyncIterator[dict[str, AbstractAsyncContextManager[VectorIndex]]]:
    with running_postgres({}) as postgres:
        found = {"sqlite-vec": open_sqlite_vec(SqliteVecConfig(db_path=str(folder / "v.db")), instance="bench")}
        made: dict[str, AbstractAsyncContextManager[VectorIndex]] = dict(found)
        for kind in ("none", "HNSW", "IVFFlat"):
            config = pgvector_config(postgres.database(), vector_index=VectorIndexConfig(type=kind))
            made[f"pgvector, {kind}"] = open_pgvector(config, instance="bench")
        yield made


def entry(number: int) -> Entry:
    text = " ".join(RANDOM.choices(WORDS, SHARES, k=100))
    vector = array("f", ALL[number].tobytes())
    return Entry(id=f"e{number}", group=f"g{number // 50}", text=text, vector=vector, attributes={"n": number % 100})


async def measured(name: str, index: VectorIndex) -> None:
    begun = time.perf_counter()
    await index.create("vs_b", 384)
    created = time.perf_counter() - begun
    begun = time.perf_counter()
    for start in range(0, COUNT, 500):
        await index.add("vs_b", [entry(number) for number in range(start, min(start + 500, COUNT))])
    added = time.perf_counter() - begun
    asked = [(ALL[n] + 0.02 * NUMBERS.normal(size=384)).astype(np.float32) for n in range(0, COUNT, COUNT // 100)][:100]
    found = 0.0

    async def near(number: int) -> None:
        nonlocal found
        vector = asked[number]
        hits = await index.near("vs_b", array("f", vector.tobytes()), limit=10, where=None)
        best = {f"e{n}" for n in np.argsort(-(ALL @ vector))[:10]}
        found += len(best & {hit.id for hit in hits}) / len(asked)

    async def filtered(number: int) -> None:
        vector = array("f", asked[number].tobytes())
        assert len(await index.near("vs_b", vector, limit=10, where=Compare("n", "eq", number))) == 10

    async def words(number: int) -> None:
        await index.matching("vs_b", RANDOM.choices(WORDS, SHARES, k=3), limit=10, where=None)

    times = [await told(each) for each in (near, filtered, words)]
    per_entry = added / COUNT * 1e6
    sys.stdout.write(f"{name:18} create {created * 1000:.1f} ms, add {per_entry:.0f} µs each, ten of ten {found:.2f}\n")
    sys.stdout.write(f"{'':18} near {times[0]}, with a filter {times[1]}, words {times[2]}\n")


async def told(work: Callable[[int], Awaitable[None]]) -> str:
    taken = []
    for number in range(100):
        begun = time.perf_counter()
        await work(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return f"{statistics.median(taken):.1f} ms ({max(sorted(taken)[:-10]):.1f})"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with places(Path(folder)) as found:
            for name, opens in found.items():
                async with opens as index:
                    await measured(name, index)


if __name__ == "__main__":
    asyncio.run(main())

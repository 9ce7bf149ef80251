"""What requests for embeddings cost beside the library they are made with: `nox -s bench_embeddings`, or with a number
of threads, `nox -s bench_embeddings -- 2`.

CPU per text of 32 clients that each ask for one text after another: of inline::sentence-transformers called in this
process, and of a built server that has it, over HTTP. Beside each, in turns, the library's own `encode` of 32 texts at
once, with the same model, threads and texts. Figures are medians of several rounds; texts are of 10 to 60 tokens.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parts" / "inference"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "templates"))

import httpx
from built.servers import clean_environ, free_port, running, stackgen
from parts.contracts.inference.requests import CreateEmbeddingRequest
from parts.providers.inference.sentence_transformers import (
    SentenceTransformers,
    SentenceTransformersConfig,
    open_sentence_transformers,
)
from parts.runtime.context import Context
from sentence_models import minilm

CLIENTS = 32
TURNS = 4
ROUNDS = 5
TEXTS = [f"Report {number}: " + "the quick brown fox jumps over it " * (1 + number % 7) for number in range(CLIENTS)]
DISTRIBUTION = """
name: bench
summary: Embeddings in torch.
apis: [inference, models, inspect, providers]
providers:
  inference:
    - id: here
      type: inline::sentence-transformers
      config: {model: "${env.MODEL}", model_id: minilm, device: cpu, threads: "${env.THREADS}"}
"""


async def main(threads: int) -> None:
    config = SentenceTransformersConfig(model=str(minilm()), model_id="minilm", device="cpu", threads=threads)
    async with open_sentence_transformers(config, instance="here") as provider:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads)
        library = SentenceTransformer(str(minilm()), device="cpu")

        async def encode() -> None:
            library.encode(TEXTS, batch_size=CLIENTS)

        sys.stdout.write(
            f"all-MiniLM-L6-v2, {threads} threads of torch {torch.__version__}, {os.cpu_count()} processors\n"
        )
        await compare("called", lambda: asks(provider), encode, time.process_time)
        await over_http(threads, encode)


async def over_http(threads: int, encode: Callable[[], Awaitable[None]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "distributions").mkdir()
        (folder / "distributions" / "bench.yaml").write_text(DISTRIBUTION)
        done = stackgen("build", "bench", "--specs", folder, "--out", folder / "out")
        if done.returncode:
            raise SystemExit(done.stderr)
        port = free_port()
        command = [sys.executable, "-P", "-m", "bench_stack", "--host", "127.0.0.1", "--port", str(port)]
        said = {"MODEL": str(minilm()), "THREADS": str(threads), "PYTHONPATH": str(folder / "out" / "src")}
        log = folder / "log"
        with running(command, port=port, ready="/v1/health", environ=clean_environ(said), log=log) as server:
            limits = httpx.Limits(max_connections=CLIENTS)
            async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=60) as client:
                clock = of_process(server.process.pid)
                sys.stdout.flush()
                await compare("over HTTP", lambda: posts(client), encode, clock)


async def compare(
    name: str, ours: Callable[[], Awaitable[None]], encode: Callable[[], Awaitable[None]], clock: Callable[[], float]
) -> None:
    """clock: CPU seconds of whoever does our work."""
    await ours()
    await encode()
    pairs = []
    for _ in range(ROUNDS):
        before = time.process_time()
        for _ in range(TURNS):
            await encode()
        theirs = time.process_time() - before
        before = clock()
        await ours()
        pairs.append((clock() - before, theirs))
    per_text = [1000 * statistics.median(column) / (CLIENTS * TURNS) for column in zip(*pairs, strict=True)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    sys.stdout.write(
        f"{name:>10}: {per_text[0]:.2f} ms of CPU per text, the library's encode {per_text[1]:.2f}: {ratio:.2f} of it\n"
    )


async def asks(provider: SentenceTransformers) -> None:
    async def client(text: str) -> None:
        for _ in range(TURNS):
            request = CreateEmbeddingRequest.model_validate_json(body(text))
            await provider.create_embedding(request, Context("r"))

    await asyncio.gather(*(client(text) for text in TEXTS))


async def posts(http: httpx.AsyncClient) -> None:
    async def client(text: str) -> None:
        for _ in range(TURNS):
            answer = await http.post("/v1/embeddings", content=body(text), headers={"content-type": "application/json"})
            answer.raise_for_status()

    await asyncio.gather(*(client(text) for text in TEXTS))


def body(text: str) -> bytes:
    return json.dumps({"model": "minilm", "input": text}).encode()


def of_process(pid: int) -> Callable[[], float]:
    """CPU seconds of another process so far, as Linux tells them."""
    tick = os.sysconf("SC_CLK_TCK")

    def clock() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / tick

    return clock


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))

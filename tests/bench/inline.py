"""What models for text give inside a server: `nox -s bench_inline`, or `nox -s bench_inline -- --http --threads 2`.

Of inline::llama-cpp with Gemma 3 270M in Q4_K_M and of inline::transformers with a Llama of 110 million random weights
in fp32, called in this process and (--http) in a built server:

- 8 streams at once beside the same 8 one after the other;
- one stream beside the library: `generate` of transformers, and of llama.cpp the server object of its binding, given
  the same request. The library runs in this process, with weights of its own where it is transformers.

All take turns: each round is 8 streams at once, then eight times one stream and the library. Answers are greedy, and of
one length. Ratios are of each round's, or pair's, wall and CPU time; figures are medians, after a few answers to warm
up. What embeddings cost is measured by `nox -s bench_embeddings` and tests/bench/onnx_embeddings.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "parts" / "inference"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "templates"))

import httpx
from built.servers import Running, clean_environ, free_port, running, stackgen
from gguf_files import gemma
from parts.contracts.inference.requests import CreateCompletionRequest
from parts.runtime.context import Context
from parts.runtime.reply import Events

Ask: TypeAlias = Callable[[bytes], Awaitable[int]]
"""One stream of the request, to its end: how many tokens it had."""

Clock: TypeAlias = Callable[[], float]

STREAMS = 8
NAME = "bench"
PROMPTS = [f"Report {number}:" + " the harbour" * (1 + number % 3) for number in range(STREAMS)]
DISTRIBUTION = """
name: bench
summary: A model for text.
apis: [inference, models, inspect, providers]
providers:
  inference:
    - {id: here, type: %s, config: %s}
"""


class Completes(Protocol):
    async def create_completion(self, request: CreateCompletionRequest, ctx: Context) -> object: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured. type, config: of the provider. ask: the provider called. library: what it is made with."""

    title: str
    type: str
    config: Mapping[str, object]
    ask: Ask
    library: Ask


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Round:
    """STREAMS streams at once; each of them alone; the library's answer to each."""

    together: Spent
    alone: Sequence[Spent]
    library: Sequence[Spent]


# ── the two ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def llama_cpp(threads: int) -> AsyncIterator[Subject]:
    from parts.providers.inference.llama_cpp import LlamaCppConfig, open_llama_cpp

    config = {"model": str(gemma()), "model_id": NAME, "context_size": 512, "slots": STREAMS, "threads": threads}
    async with open_llama_cpp(LlamaCppConfig(**config), instance="here") as provider:
        assert provider.loaded is not None, provider.problem
        server = provider.loaded.engine.server

        async def library(body: bytes) -> int:
            heard: list[bytes] = []
            server.handle_completions(body, heard.append)
            return int(json.loads(heard[-1])["usage"]["completion_tokens"])

        title = f"inline::llama-cpp, Gemma 3 270M in Q4_K_M, {STREAMS} slots"
        yield Subject(title, "inline::llama-cpp", config, called(provider), library)


@asynccontextmanager
async def transformers(threads: int) -> AsyncIterator[Subject]:
    from parts.runtime.openmp import calm_threads

    calm_threads()
    import torch
    from parts.providers.inference.transformers import TransformersConfig, open_transformers
    from random_llama import random_llama
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        random_llama(Path(folder))
        config = {"model": folder, "model_id": NAME, "device": "cpu", "max_batch_size": STREAMS, "threads": threads}
        async with open_transformers(TransformersConfig(**config), instance="here") as provider:
            assert not provider.problem, provider.problem
            # Of this thread too, where the library runs.
            torch.set_num_threads(threads)
            tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)

            async def library(body: bytes) -> int:
                asked = json.loads(body)
                inputs = tokenizer(asked["prompt"], return_tensors="pt", return_token_type_ids=False)
                found = model.generate(**inputs, max_new_tokens=asked["max_tokens"], do_sample=False)
                new = found[0, inputs["input_ids"].shape[1] :]
                tokenizer.decode(new)
                return len(new)

            size = sum(each.numel() for each in model.parameters()) // 10**6
            title = f"inline::transformers, a Llama of {size} million weights, fp32, torch {torch.__version__}"
            yield Subject(title, "inline::transformers", config, called(provider), library)


SUBJECTS = {"llama-cpp": llama_cpp, "transformers": transformers}


def called(provider: Completes) -> Ask:
    async def ask(body: bytes) -> int:
        ctx = Context("r", body=body)
        events = await provider.create_completion(CreateCompletionRequest.model_validate_json(body), ctx)
        assert isinstance(events, Events)
        async for _ in events:
            pass
        return ctx.usage.completion_tokens or 0

    return ask


def posted(http: httpx.AsyncClient) -> Ask:
    async def ask(body: bytes) -> int:
        async with http.stream("POST", "/v1/completions", content=body) as answer:
            said = b"".join([piece async for piece in answer.aiter_raw()])
        answer.raise_for_status()
        last = said.split(b"\n\n")[-3]
        return int(json.loads(last.removeprefix(b"data:"))["usage"]["completion_tokens"])

    return ask


@contextmanager
def served(subject: Subject) -> Iterator[Running]:
    """A built server that has the model."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "distributions").mkdir()
        text = DISTRIBUTION % (subject.type, json.dumps(subject.config))
        (folder / "distributions" / "bench.yaml").write_text(text)
        done = stackgen("build", "bench", "--specs", folder, "--out", folder / "out")
        if done.returncode:
            raise SystemExit(done.stderr)
        port = free_port()
        command = [sys.executable, "-P", "-m", "bench_stack", "--host", "127.0.0.1", "--port", str(port)]
        environ = clean_environ({"PYTHONPATH": str(folder / "out" / "src")})
        with running(command, port=port, ready="/v1/health", environ=environ, log=folder / "log") as server:
            yield server


# ── measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def measure(name: str, ask: Ask, library: Ask, clock: Clock, bodies: Sequence[bytes], rounds: int) -> None:
    """clock: CPU seconds of whoever does the provider's work."""
    await asyncio.gather(*map(ask, bodies[:2]))
    await library(bodies[0])
    found = [await one_round(ask, library, clock, bodies) for _ in range(rounds)]
    tokens = json.loads(bodies[0])["max_tokens"]
    many = tokens * STREAMS
    wall = statistics.median(sum(each.wall for each in one.alone) / one.together.wall for one in found)
    cpu = statistics.median(sum(each.cpu for each in one.alone) / one.together.cpu for one in found)
    together = statistics.median(many / one.together.wall for one in found)
    in_turn = statistics.median(many / sum(each.wall for each in one.alone) for one in found)
    tell(
        f"{name:>9}: {STREAMS} at once {together:.1f} tokens/s, in turn {in_turn:.1f}: {wall:.2f} times; CPU {cpu:.2f}"
    )
    pairs = [pair for one in found for pair in zip(one.alone, one.library, strict=True)]
    ours, theirs = (statistics.median(tokens / each.wall for each in side) for side in zip(*pairs, strict=True))
    wall = statistics.median(library.wall / alone.wall for alone, library in pairs)
    cpu = statistics.median(alone.cpu / library.cpu for alone, library in pairs)
    tell(f"{name:>9}: one stream {ours:.1f} tokens/s, the library {theirs:.1f}: {wall:.2f} times; CPU {cpu:.2f} of it")


async def one_round(ask: Ask, library: Ask, clock: Clock, bodies: Sequence[bytes]) -> Round:
    together = await spent(map(ask, bodies), bodies, clock)
    alone, theirs = [], []
    for body in bodies:
        alone.append(await spent([ask(body)], [body], clock))
        theirs.append(await spent([library(body)], [body], time.process_time))
    return Round(together, alone, theirs)


async def spent(asked: Iterable[Awaitable[int]], bodies: Sequence[bytes], clock: Clock) -> Spent:
    """What these take at once, each of which must give as many tokens as its body asks for."""
    wall, cpu = time.perf_counter(), clock()
    got = await asyncio.gather(*asked)
    found = Spent(time.perf_counter() - wall, clock() - cpu)
    if got != [json.loads(body)["max_tokens"] for body in bodies]:
        raise SystemExit(f"answers of {got} tokens, each of which should have {json.loads(bodies[0])['max_tokens']}")
    return found


def of_process(pid: int) -> Clock:
    """CPU seconds of another process so far, as Linux tells them."""
    tick = os.sysconf("SC_CLK_TCK")

    def clock() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / tick

    return clock


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def body_of(prompt: str, tokens: int) -> bytes:
    asked: dict[str, Any] = {"model": NAME, "prompt": prompt, "max_tokens": tokens, "temperature": 0}
    # Prompts are read anew each time, as the library reads them.
    asked |= {"stream": True, "stream_options": {"include_usage": True}, "ignore_eos": True, "cache_prompt": False}
    return json.dumps(asked).encode()


async def main(said: argparse.Namespace) -> None:
    bodies = [body_of(prompt, said.tokens) for prompt in PROMPTS]
    for name in said.only or SUBJECTS:
        async with SUBJECTS[name](said.threads) as subject:
            tell(f"{subject.title}; threads: {said.threads}; tokens: {said.tokens}; processors: {os.cpu_count()}")
            await measure("called", subject.ask, subject.library, time.process_time, bodies, said.rounds)
            if said.http:
                await over_http(subject, bodies, said.rounds)


async def over_http(subject: Subject, bodies: Sequence[bytes], rounds: int) -> None:
    headers = {"content-type": "application/json"}
    with served(subject) as server:
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=600) as client:
            clock = of_process(server.process.pid)
            await measure("over HTTP", posted(client), subject.library, clock, bodies, rounds)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="one of the two")
    parser.add_argument("--threads", type=int, default=1, help="of each model and library (default: 1)")
    parser.add_argument("--tokens", type=int, default=64, help="of each answer (default: 64)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--http", action="store_true", help="over HTTP too")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))

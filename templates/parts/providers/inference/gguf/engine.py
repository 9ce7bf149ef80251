"""One model in llama.cpp, inside this process.

llama.cpp has its own scheduler: requests run side by side in its slots, on threads of its own. What is here carries
requests to it and answers back, without holding up the event loop:

    async with open_engine(path, options) as engine:
        async for chunk in engine.generate(engine.server.handle_chat_completions, body): …
"""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

# The extension module has no type information.
import xllamacpp  # type: ignore[import-untyped]

from ..model_files import BadModel
from ..pools import on_pool
from ..refusals import MOST_WAITING, overloaded, stopping
from .answers import raised

Hear: TypeAlias = Callable[[bytes], bool]
Handle: TypeAlias = Callable[[bytes, Hear], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """context: tokens of one request. slots: requests at once. threads: None for one per processor. gpu_layers: None
    for as many as fit. chat_template: Jinja, None for the model's own. pooling: whether a model for embeddings lacks
    its own way to make one vector of many, so that the mean is taken.
    """

    name: str
    context: int
    slots: int
    threads: int | None
    gpu_layers: int | None
    chat_template: str | None
    embeddings: bool
    pooling: bool


class Engine:
    """A model that is loaded. server: llama.cpp's, whose `handle_` methods block until they are done."""

    def __init__(self, server: xllamacpp.Server, slots: int) -> None:
        self.server = server
        # As many calls as llama.cpp has slots: the others wait here, where one that is left costs nothing.
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="llama-cpp")
        self._closing = threading.Event()
        self._asked = 0

    def check_open(self) -> None:
        """Raises Unavailable where it is being closed, or is, or where too many wait."""
        if self._closing.is_set():
            raise stopping()
        if self._asked >= MOST_WAITING:
            raise overloaded()

    async def generate(self, handle: Handle, body: bytes) -> AsyncGenerator[bytes, None]:
        """What llama.cpp says to a request, a JSON document at a time. Closing it ends the generation with the next
        token. Raises BadRequest where llama.cpp cannot make a task of the request, Unavailable when the server stops.
        """
        self.check_open()
        loop = asyncio.get_running_loop()
        # Not bounded: a generation is, by its context.
        said: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        left = threading.Event()

        def say(item: bytes | BaseException | None) -> None:
            loop.call_soon_threadsafe(said.put_nowait, item)

        def hear(chunk: bytes) -> bool:
            say(chunk)
            if self._closing.is_set():
                # Half an answer must not look like a whole one.
                say(stopping())
            return left.is_set() or self._closing.is_set()

        self._asked += 1
        job = self._pool.submit(handle, body, hear)
        job.add_done_callback(lambda done: say(stopping() if done.cancelled() else done.exception()))
        try:
            while (item := await said.get()) is not None:
                if isinstance(item, BaseException):
                    raise raised(item)
                yield item
        finally:
            self._asked -= 1
            left.set()
            job.cancel()

    async def embed(self, body: bytes) -> bytes:
        """llama.cpp's answer to an embedding request. Raises BadRequest as `generate` does."""
        self.check_open()
        self._asked += 1
        try:
            answer = await on_pool(self._pool, lambda: self.server.handle_embeddings(body))
        except (ValueError, RuntimeError, MemoryError) as error:
            raise raised(error) from None
        finally:
            self._asked -= 1
        return bytes(answer)

    async def close(self) -> None:
        """Ends what is being generated, and frees the model."""
        self._closing.set()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        # The last reference goes on another thread: its destructor waits for llama.cpp's own.
        held = [self.server]
        self.server = None
        await asyncio.to_thread(held.clear)


@asynccontextmanager
async def open_engine(path: Path, options: Options) -> AsyncIterator[Engine]:
    """The model of a file, loaded. Raises BadModel where llama.cpp cannot load it."""
    engine = Engine(await asyncio.to_thread(load, path, options), options.slots)
    try:
        yield engine
    finally:
        await engine.close()


def memory() -> int:
    """Bytes of memory, of this machine and of every GPU that llama.cpp sees."""
    return sum(int(device["memory_total"]) for device in xllamacpp.get_device_info())


def load(path: Path, options: Options) -> xllamacpp.Server:
    """Loads a model; blocks. Raises BadModel."""
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {options.name}
    params.embedding = options.embeddings
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots
    threads = options.threads or os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    if options.gpu_layers is not None:
        params.n_gpu_layers = options.gpu_layers
    if options.chat_template is not None:
        params.chat_template = options.chat_template
    if options.embeddings:
        # A text is embedded in one piece.
        params.n_batch = params.n_ubatch = options.context
        if options.pooling:
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # Prompts that have left their slot are not kept: memory stays what it is after the first requests.
    params.cache_ram_mib = 0
    params.endpoint_metrics = True
    params.verbosity = 1  # errors only
    return _serve(params, path)


def _serve(params: xllamacpp.CommonParams, path: Path) -> xllamacpp.Server:
    """The binding cannot leave out llama.cpp's HTTP listener. It gets a socket in a folder of ours that is gone once
    the model is loaded, and a key that nobody has: nobody can connect.
    """
    params.ui = False
    params.n_threads_http = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    with tempfile.TemporaryDirectory(prefix="llama-cpp-") as folder:
        params.hostnames = [str(Path(folder) / "none.sock")]
        try:
            server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise BadModel(
                f"llama.cpp cannot load {path} with {params.n_ctx} tokens of context: {error} Its reasons are in the"
                " server's log; where memory is short, a smaller context_size or fewer slots help."
            ) from None
    # Its loop may not have begun yet, and one that is told to end before it begins never ends. What only the loop can
    # answer has it begin.
    server.handle_metrics()
    return server

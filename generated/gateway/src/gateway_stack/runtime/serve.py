"""Running a generated server: one process, or several under a supervisor.

What the generated `__main__.py` does, with `settings` read and its `Settings.server` a ServerConfig:

    async def serve(settings: Settings, process: Process) -> None:
        async with open_stack(settings) as stack:
            http = Http(process.accounts, max_body_bytes=settings.server.max_body_bytes, provider_data=PROVIDER_DATA)
            await process.serve(create_app(stack, http))

    sys.exit(run("gateway", serve, settings, settings.server))

`run` gives the exit code: 0 after SIGTERM or SIGINT, 1 after a crash, 2 where settings are wrong, 3 where the server
could not start. SIGTERM refuses new connections and lets requests finish for `shutdown_seconds`; then streams end with
an error event.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn
import uvloop

from .errors import SettingsError, StackError
from .faults import Formatter
from .http_app import App
from .http_protocol import HttpProtocol
from .metrics import FOLDER_VARIABLE, Accounts
from .supervise import supervise

S = TypeVar("S")

EXIT_CRASHED = 1
EXIT_BAD_SETTINGS = 2
EXIT_NOT_STARTED = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Where and how the server listens.

    host: an address or name; "0.0.0.0" for every IPv4 interface, "::" for every one. workers: processes that serve.
    tls_certfile, tls_keyfile: PEM, both or neither. max_body_bytes: the largest request that is read.
    shutdown_seconds: how long requests may go on after SIGTERM. log_requests: a log line for each request. log_level:
    debug, info, warning or error.
    """

    host: str = "127.0.0.1"
    port: int = 8321
    workers: int = 1
    tls_certfile: str | None = None
    tls_keyfile: str | None = None
    max_body_bytes: int = 100 * 1024 * 1024
    shutdown_seconds: float = 30.0
    log_requests: bool = False
    log_level: str = "info"


class Process:
    """One serving process, as the generated `serve` sees it. accounts: where its requests are counted."""

    def __init__(self, config: ServerConfig, listener: socket.socket, on_ready: Callable[[], None]) -> None:
        self.accounts = Accounts(log_requests=config.log_requests)
        self._config = config
        self._listener = listener
        self._on_ready = on_ready
        self._task = asyncio.current_task()
        self._server: _Server | None = None
        self._app: App | None = None

    async def serve(self, app: App) -> None:
        """Serves until the process is told to stop; returns when the last request has ended."""
        self._app = app
        self._server = _Server(_uvicorn_config(app, self._config), self._ready)
        await self._server.serve(sockets=[self._listener])
        self.accounts.settle()

    def _ready(self) -> None:
        self._on_ready()
        if self._app is not None:
            # After those who only wait for the server to be there.
            asyncio.get_running_loop().call_later(_PREPARE_SECONDS, self._app.prepare)

    def stop(self) -> None:
        """No new connections; what is running may go on for `shutdown_seconds`. A second time: at once."""
        if self._server is None or self._app is None:
            # Still starting: there is nothing to finish.
            if self._task is not None:
                self._task.cancel()
        elif not self._server.should_exit:
            self._server.should_exit = True
            asyncio.get_running_loop().call_later(self._config.shutdown_seconds, self._app.abandon)
        else:
            self._app.abandon()


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to us, and says when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def run(name: str, serve: Callable[[S, Process], Awaitable[None]], settings: S, config: ServerConfig) -> int:
    """Serves until it is told to stop; the exit code. name: of the distribution, for the line that says it is ready."""
    console = logging.StreamHandler()
    console.setFormatter(Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=config.log_level.upper(), handlers=[console])
    # Its warnings are about clients that send what is no HTTP, a line for each.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        listener = bind(config)
    except (OSError, ValueError) as error:
        return _not_started(f"{name} cannot start: {error}")
    ready = _ready_line(name, config, listener)

    def work(on_ready: Callable[[], None]) -> int:
        return _run_process(name, serve, settings, config, listener, on_ready)

    if config.workers == 1:
        # One process counts in memory, whatever its surroundings say of shared files.
        os.environ.pop(FOLDER_VARIABLE, None)
        return work(lambda: _say(ready))
    with tempfile.TemporaryDirectory(prefix=f"{name}-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            return supervise(
                work,
                workers=config.workers,
                listener=listener,
                patience=config.shutdown_seconds + 10,
                on_ready=lambda: _say(ready),
                on_end=lambda pid: _forget(folder, pid),
            )
        finally:
            del os.environ[FOLDER_VARIABLE]


def refuse(name: str, error: SettingsError) -> int:
    """Says everything that is wrong with the settings, without a secret; the exit code."""
    problems = "".join(f"  {problem}\n" for problem in error.problems)
    sys.stderr.write(f"{name} cannot start, its settings are wrong:\n{problems}")
    return EXIT_BAD_SETTINGS


def bind(config: ServerConfig) -> socket.socket:
    """The listening address, taken. Raises OSError or ValueError that says in one line why it cannot be."""
    if (config.tls_certfile is None) != (config.tls_keyfile is None):
        raise ValueError("tls_certfile and tls_keyfile are given both or neither")
    if config.tls_certfile is not None:
        _check_certificate(config.tls_certfile, config.tls_keyfile)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host or None, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise OSError(f"the host {config.host} is not known: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        # Listening from here on, so that a port in use is noticed now, and nobody is refused while workers start.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {config.host} port {config.port}: {error.strerror}") from None
    return listener


_BACKLOG = 2048
_PREPARE_SECONDS = 0.3


def _check_certificate(certfile: str, keyfile: str | None) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile)
    except OSError as error:
        raise OSError(f"the certificate {certfile} with the key {keyfile} cannot be used: {error}") from None


def _run_process(
    name: str,
    serve: Callable[[S, Process], Awaitable[None]],
    settings: S,
    config: ServerConfig,
    listener: socket.socket,
    on_ready: Callable[[], None],
) -> int:
    async def main() -> None:
        process = Process(config, listener, on_ready)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.stop)
        await serve(settings, process)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
    except asyncio.CancelledError:
        return 0
    except SettingsError as error:
        return refuse(name, error)
    except StackError as error:
        return _not_started(f"{name} cannot start: {error.message}")
    except Exception:
        log.exception("%s has crashed", name)
        return EXIT_CRASHED
    return 0


def _uvicorn_config(app: App, config: ServerConfig) -> uvicorn.Config:
    application: Any = app
    return uvicorn.Config(
        application,
        http=HttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        # Longer than the clients' pools keep theirs, so that it is not us who closes one just when it is used.
        timeout_keep_alive=75,
        # `abandon` comes first and is kinder; this is for what does not heed it.
        timeout_graceful_shutdown=int(config.shutdown_seconds) + 3,
        ssl_certfile=config.tls_certfile,
        ssl_keyfile=config.tls_keyfile,
    )


def _ready_line(name: str, config: ServerConfig, listener: socket.socket) -> str:
    host = f"[{config.host}]" if ":" in config.host else config.host
    scheme = "http" if config.tls_certfile is None else "https"
    workers = f", {config.workers} workers" if config.workers > 1 else ""
    return f"serving {name} on {scheme}://{host}:{listener.getsockname()[1]}{workers}"


def _forget(folder: str, pid: int) -> None:
    """Drops what a worker that is gone had in flight; what it had counted stays."""
    for entry in os.listdir(folder):
        if entry.startswith("gauge_live") and entry.endswith(f"_{pid}.db"):
            os.remove(os.path.join(folder, entry))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _not_started(line: str) -> int:
    sys.stderr.write(line + "\n")
    return EXIT_NOT_STARTED

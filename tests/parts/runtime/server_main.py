"""A server as a generated package makes one, for tests that need a process.

server_main.py PORT WORKERS SHUTDOWN_SECONDS [refuse|crash]
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from http_calls import PROVIDER_DATA, ChatRequest, Provider
from parts.runtime.context import Context
from parts.runtime.errors import Unavailable
from parts.runtime.http import App, Http
from parts.runtime.serve import Process, ServerConfig, run
from pydantic import BaseModel


@dataclass(frozen=True)
class Settings:
    server: ServerConfig
    how: str


class Nothing(BaseModel):
    pass


class Pid(BaseModel):
    pid: int


async def pid(request: Nothing, ctx: Context) -> Pid:
    return Pid(pid=os.getpid())


async def die(request: Nothing, ctx: Context) -> Pid:
    os._exit(9)


def create_app(provider: Provider, http: Http) -> App:
    return http.app(
        [
            http.relay("/chat", ChatRequest, provider.chat, provider_data=True),
            http.get("/pid", Nothing, pid),
            http.get("/die", Nothing, die),
            http.metrics("/metrics"),
        ]
    )


async def serve(settings: Settings, process: Process) -> None:
    if settings.how == "refuse":
        raise Unavailable("the database is not there")
    if settings.how == "crash":
        raise ValueError("oh")
    http = Http(process.accounts, max_body_bytes=settings.server.max_body_bytes, provider_data=PROVIDER_DATA)
    await process.serve(create_app(Provider(), http))
    sys.stderr.write("closed well\n")


if __name__ == "__main__":
    port, workers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    config = ServerConfig(port=port, workers=workers, shutdown_seconds=seconds)
    sys.exit(run("tested", serve, Settings(config, sys.argv[4] if len(sys.argv) > 4 else ""), config))

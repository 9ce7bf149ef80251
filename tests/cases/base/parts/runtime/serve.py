from __future__ import annotations

from dataclasses import dataclass

import uvicorn


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    port: int
    workers: int


Server = uvicorn.Server

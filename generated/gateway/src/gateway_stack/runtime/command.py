"""The command line of a generated server."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from .serve import ServerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line, read. config: the values file; the others, where given, replace what the settings say."""

    config: Path | None
    host: str | None
    port: int | None
    workers: int | None

    def over(self, server: ServerConfig) -> ServerConfig:
        """The server's settings, with what the command line says in their place."""
        return replace(
            server,
            host=server.host if self.host is None else self.host,
            port=server.port if self.port is None else self.port,
            workers=server.workers if self.workers is None else self.workers,
        )


def read_options(program: str, summary: str, *, most_workers: int = 1024) -> Options:
    """Reads sys.argv; ends the program with 2 where that is not understood, and with 0 after `--help`.

    most_workers: 1 where something in the server cannot be shared by processes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=summary)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings by name, YAML or JSON")
    parser.add_argument("--host", help="the address to listen on")
    parser.add_argument("--port", type=_port, metavar="N", help="the port to listen on, 0 for any that is free")
    parser.add_argument(
        "--workers",
        type=lambda text: _within(text, 1, most_workers),
        metavar="N",
        help=f"the number of processes that serve, at most {most_workers}",
    )
    read = parser.parse_args()
    return Options(config=read.config, host=read.host, port=read.port, workers=read.workers)


def _port(text: str) -> int:
    return _within(text, 0, 65535)


def _within(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got {text!r}")
    return int(text)

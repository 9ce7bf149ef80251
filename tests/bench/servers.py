"""What is measured: built distributions; floors, which are relays written by hand that do less; and where they are
named, alternatives: one floor over each client and each server that there is a choice of.

Each has an environment of its own with what it needs and no more. Floors get the versions of the lock, so that a
difference is never one of two uvicorns.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from built.servers import CACHE, ROOT, stackgen
from stackgen.environment import environment_for, find_uv, install, run_tool

BASE = "fastapi-aiohttp"
"""What ratios are to, where it takes part."""

_LOCK = ROOT / "specs" / "lock" / "requirements.txt"
_UVICORN = "uvicorn[standard]"
_FASTAPI = "fastapi==0.165.0"
FLOORS: Mapping[str, tuple[str, ...]] = {
    BASE: (_FASTAPI, _UVICORN, "aiohttp"),
    # Without sniffio httpx looks for it anew with each request.
    "fastapi-httpx": (_FASTAPI, _UVICORN, "httpx==0.28.1", "sniffio==1.3.1"),
    "raw-relay": (_UVICORN, "aiohttp"),
}
DISTRIBUTIONS = ("gateway", "nvidia")
NAMES = (*FLOORS, *DISTRIBUTIONS)

_SERVERS: Mapping[str, tuple[str, ...]] = {
    "uvicorn": (_UVICORN,),
    "h11": ("uvicorn", "h11"),
    "granian": ("granian==2.8.7", "uvloop"),
}
_CLIENTS: Mapping[str, tuple[str, ...]] = {
    "aiohttp": ("aiohttp",),
    "httpx": ("httpx==0.28.1", "sniffio==1.3.1"),
    "httpx2": ("httpx2==2.16.2",),
    "pyreqwest": ("pyreqwest==0.15.1",),
    "wreq": ("wreq==0.13.0",),
    "niquests": ("niquests==3.21.2",),
}
ALTERNATIVES = (*(f"{client}-on-uvicorn" for client in _CLIENTS), "aiohttp-on-h11", "aiohttp-on-granian")
"""`relays/serve.py`, each with its libraries."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """command: without address. model: how it names the upstream's `mock`. packages: what it needs, all told."""

    name: str
    command: Sequence[str | Path]
    environ: Mapping[str, str]
    model: str
    packages: int


def prepare(name: str, upstream: str, folder: Path) -> Server:
    """A server that is installed and can be started. folder: for what has to be built first."""
    if name in FLOORS:
        return _floor(name, upstream)
    if name in ALTERNATIVES:
        return _alternative(name, upstream)
    python = built(name, folder)
    environ = {
        "gateway": {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": upstream},
        "nvidia": {"NVIDIA_API_KEY": "none", "NVIDIA_BASE_URL": upstream},
    }[name]
    model = {"gateway": "openai/mock", "nvidia": "nvidia/mock"}[name]
    return Server(
        name=name,
        command=module(python, name),
        environ=environ,
        model=model,
        # Itself is among them.
        packages=_count_packages(python) - 1,
    )


def built(name: str, folder: Path) -> Path:
    """The interpreter of an environment with that distribution, as the specs have it now."""
    done = stackgen("build", name, "--out", folder / name)
    if done.returncode:
        raise SystemExit(done.stderr)
    return environment_for(folder / name, CACHE / "envs", lambda _: None)


def module(python: Path, name: str) -> list[str | Path]:
    return [python, "-P", "-m", f"{name.replace('-', '_')}_stack"]


def _floor(name: str, upstream: str) -> Server:
    python = _environment(name, FLOORS[name])
    app = f"{name.replace('-', '_')}:app"
    options = ("--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "75")
    command: list[str | Path] = [python, "-m", "uvicorn", "--app-dir", Path(__file__).parent / "floors", app, *options]
    return Server(
        name=name,
        command=command,
        environ={"UPSTREAM": upstream},
        model="mock",
        packages=_count_packages(python),
    )


def _alternative(name: str, upstream: str) -> Server:
    client, _, server = name.partition("-on-")
    python = _environment(name, (*_CLIENTS[client], *_SERVERS[server]))
    return Server(
        name=name,
        command=[python, Path(__file__).parent / "relays" / "serve.py", client, server],
        environ={"UPSTREAM": upstream},
        model="mock",
        packages=_count_packages(python),
    )


def _environment(name: str, requirements: Sequence[str]) -> Path:
    """As `environment_for`, of these requirements, what they need constrained by the lock."""
    key = "\0".join([sys.version, _LOCK.read_text(), *requirements])
    folder = CACHE / "envs" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    python = folder / "bin" / "python"
    finished = folder / "finished"
    if not finished.is_file():
        uv = find_uv()
        if uv is None:
            raise SystemExit("the floors' environments are made with uv: pip install uv")
        run_tool([*uv, "venv", "--quiet", "--clear", "--no-project", "--no-config", "--python", sys.executable, folder])
        install(python, ["--constraint", _LOCK, *requirements])
        finished.touch()
    return python


def _count_packages(python: Path) -> int:
    (site,) = python.parent.parent.glob("lib/python*/site-packages")
    return len(list(site.glob("*.dist-info")))


def some_of(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """A reader of words of these, separated by commas, for the command line."""

    def read(text: str) -> tuple[str, ...]:
        words = tuple(text.split(","))
        if unknown := [word for word in words if word not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(known)}")
        return words

    return read

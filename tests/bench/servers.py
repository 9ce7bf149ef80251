"""What is measured: built distributions, and floors, which are relays written by hand that do less.

Each has an environment of its own with what it needs and no more. Floors get the versions of the lock, so that a
difference is never one of two uvicorns.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
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

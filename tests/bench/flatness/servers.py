"""Distributions of any size, built in a workspace of their own and started, and what their processes use."""

from __future__ import annotations

import compileall
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from built.servers import ROOT, clean_environ, free_port, running, stackgen

__all__ = ["ROOT", "Gateway", "gateway", "upstream"]

TYPES = ("openai", "groq", "cerebras", "sambanova")
"""Of the services that differ by their URL alone."""

NOTHING: Mapping[str, str] = MappingProxyType({})

REST_SECONDS = 1.5
"""After which a server has done what it does on its own account: asked for models, prepared for requests."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A built server that runs. start_cpu, start_memory: seconds and MiB once it has come to rest."""

    pid: int
    port: int
    build_seconds: float
    start_cpu: float
    start_memory: float

    def cpu(self) -> float:
        """Seconds of processor time so far, all threads', of user and system."""
        return _cpu(self.pid)

    def memory(self) -> float:
        """MiB that it holds."""
        return _memory(self.pid)

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@contextmanager
def upstream(home: Path) -> Iterator[int]:
    """The service's port."""
    port = free_port()
    command = [sys.executable, Path(__file__).with_name("upstream.py"), str(port)]
    with running(command, port=port, ready="/models-1/v1/models", environ=clean_environ({}), log=home / "upstream.log"):
        yield port


@contextmanager
def gateway(
    home: Path,
    name: str,
    service: int,
    *,
    providers: int = 1,
    listed: int = 10,
    resources: int = 0,
    allowed: int = 0,
    store: Path | None = None,
    environ: Mapping[str, str] = NOTHING,
) -> Iterator[Gateway]:
    """A server of so many instances, the first of which lists `listed` models and the others one; of so many
    registered models, and so many that the instance is allowed to offer (0: all). store: the SQLite file of the models
    that clients register, None where they cannot. environ: more of its environment.
    """
    specs = home / "specs"
    (specs / "distributions").mkdir(parents=True, exist_ok=True)
    document = {
        "name": name,
        "apis": ["inference", "models", "inspect", "providers"],
        "providers": {"inference": [_instance(n, service, listed if n == 0 else 1, allowed) for n in range(providers)]},
        "resources": {
            "models": [
                {"model_id": f"r{n}", "provider_id": "p0", "provider_model_id": f"m{n % listed}"}
                for n in range(resources)
            ]
        },
    }
    if store is not None:
        document["storage"] = {
            "backends": {"kv_default": {"type": "inline::kv-sqlite", "config": {"db_path": str(store)}}}
        }
    (specs / "distributions" / f"{name}.yaml").write_text(json.dumps(document, indent=1))
    begun = time.perf_counter()
    done = stackgen("build", name, "--specs", specs, "--out", home / name)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds = time.perf_counter() - begun
    # As an installation does; else the first start would be charged with it.
    compileall.compile_dir(home / name, quiet=1)
    module = f"{name.replace('-', '_')}_stack"
    variables = clean_environ({"PYTHONPATH": str(home / name / "src"), **environ})
    port = free_port()
    command = [sys.executable, "-P", "-m", module, "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port=port, ready="/v1/health", environ=variables, log=home / f"{name}.log") as server:
        time.sleep(REST_SECONDS)
        pid = server.process.pid
        yield Gateway(pid, port, seconds, _cpu(pid), _memory(pid))


def _instance(number: int, service: int, listed: int, allowed: int) -> Mapping[str, object]:
    config: dict[str, object] = {
        "base_url": f"http://127.0.0.1:{service}/models-{listed}/v1",
        "api_key": "sk-not-a-secret",
        # So that it is not the pool that 1,000 streams wait for.
        "network": {"max_connections": 4000},
    }
    if allowed:
        config["allowed_models"] = [f"m{n}" for n in range(allowed)]
    return {"id": f"p{number}", "type": f"remote::{TYPES[number % len(TYPES)]}", "config": config}


def _cpu(pid: int) -> float:
    # Linux' clock of another process: nanoseconds, where /proc/PID/stat counts hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)


def _memory(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

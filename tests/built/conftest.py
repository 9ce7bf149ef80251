"""Built distributions in clean environments, in front of a real llama.cpp server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from stackgen.environment import environment_for

from .fronts import Front, Service, fake_service, front
from .servers import CACHE, Running, clean_environ, free_port, running, stackgen


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Everything here is slow and needs the real clients: without `-m slow` it is not even imported."""
    here = Path(__file__).parent
    return True if "not slow" in config.option.markexpr and here in collection_path.parents else None


@dataclass(frozen=True, slots=True)
class Built:
    """A distribution as `stackgen build` wrote it, and the interpreter of an environment that holds it."""

    name: str
    folder: Path
    python: Path

    @property
    def module(self) -> str:
        return f"{self.name.replace('-', '_')}_stack"

    @property
    def openapi(self) -> Path:
        return self.folder / "src" / self.module / "openapi.json"

    @contextmanager
    def serve(self, environ: Mapping[str, str], *arguments: str) -> Iterator[Running]:
        port = free_port()
        command = [self.python, "-P", "-m", self.module, "--host", "127.0.0.1", "--port", str(port), *arguments]
        log = self.folder.parent / f"{self.name}-{port}.log"
        with running(command, port=port, ready="/v1/health", environ=clean_environ(environ), log=log) as server:
            yield server


@dataclass(frozen=True, slots=True)
class Served:
    """A built distribution that runs in front of llama.cpp (`upstream`). model: the real model's id there."""

    name: str
    url: str
    instance: str
    model: str
    upstream: str


@dataclass(frozen=True, slots=True)
class Target:
    """A distribution, the instance of it that stands in front of llama.cpp, and the variables that make it do so."""

    distribution: str
    instance: str
    variables: Mapping[str, str]

    def environ(self, upstream: str) -> dict[str, str]:
        return {name: text.format(upstream=upstream) for name, text in self.variables.items()}


OPENAI = {"OPENAI_API_KEY": "sk-not-a-secret", "OPENAI_BASE_URL": "{upstream}/v1"}
TARGETS = {
    "gateway-llama-cpp": Target("gateway", "llama-cpp-server", {"LLAMA_CPP_SERVER_URL": "{upstream}/v1"}),
    "gateway-openai": Target("gateway", "openai", OPENAI),
    "nvidia": Target("nvidia", "nvidia", {"NVIDIA_BASE_URL": "{upstream}/v1", "NVIDIA_API_KEY": "nv-not-a-secret"}),
    "starter": Target("starter", "openai", OPENAI),
}


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Built]:
    """Builds a distribution by name, once."""

    @cache
    def make(name: str) -> Built:
        folder = tmp_path_factory.mktemp("built") / name
        done = stackgen("build", name, "--out", folder)
        assert done.returncode == 0, done.stderr
        return Built(name, folder, environment_for(folder, CACHE / "envs", lambda _: None))

    return make


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real llama.cpp server, without a path."""
    port = free_port()
    program = Path(__file__).with_name("llama_cpp.py")
    command = [sys.executable, program, str(port), CACHE / "models"]
    log = tmp_path_factory.mktemp("llama-cpp") / "log"
    with running(command, port=port, ready="/health", environ=clean_environ({}), log=log) as server:
        yield server.url


@pytest.fixture(scope="session", params=TARGETS)
def served(request: pytest.FixtureRequest, build: Callable[[str], Built], llama_cpp: str) -> Iterator[Served]:
    """Each distribution in turn, as the clients see it."""
    target = TARGETS[request.param]
    with ExitStack() as stack:
        server = stack.enter_context(build(target.distribution).serve(target.environ(llama_cpp)))
        yield Served(target.distribution, server.url, target.instance, f"{target.instance}/gemma", llama_cpp)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """A fake service that does what the test at hand says."""
    with fake_service() as fake:
        yield fake


@pytest.fixture(scope="session")
def gateway(
    build: Callable[[str], Built], service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """The gateway in front of that service, one process for all the tests that leave it well."""
    with front(build("gateway"), service, tmp_path_factory.mktemp("gateway")) as running_front:
        yield running_front

"""`stackgen run`: one command from specs to a server that answers."""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fake_hub import REPOSITORY, fake_hub
from gguf_files import TEMPLATE, gemma

from .fronts import becomes_true, children
from .servers import ROOT, Running, free_port, running
from .test_openai_sdk import cosine

pytestmark = pytest.mark.slow

# An environment is made, and weights are fetched.
SECONDS = 300.0


@contextmanager
def run(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[Running]:
    """`stackgen run` with these arguments, in a folder, from when the server answers."""
    port = free_port()
    program = "import sys; from stackgen.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", *arguments, "--port", str(port)]
    # Here the whole environment counts: it may say how the package registry is reached.
    kept = {name: text for name, text in os.environ.items() if not name.endswith(("_API_KEY", "_MODEL"))}
    whole = {**kept, "PYTHONPATH": str(ROOT / "generator"), **(environ or {})}
    log = folder / "log"
    with running(command, port=port, ready="/v1/health", environ=whole, log=log, seconds=SECONDS) as server:
        yield server


def says(server: Running, text: str) -> bool:
    return becomes_true(lambda: text in server.log.read_text(), 60)


def answer_in(log: str) -> str:
    """What stands below the curl command and its empty line."""
    return log.partition("\ncurl ")[2].partition("}'\n\n")[2].strip()


def test_run_builds_installs_and_serves(tmp_path: Path) -> None:
    with run(tmp_path, "gateway") as server:
        with urllib.request.urlopen(server.url + "/v1/models", timeout=10) as answer:
            assert answer.status == 200
        assert server.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".stackgen", "log"]
    said = server.log.read_text()
    assert "stackgen run: making the environment" in said
    assert "stackgen run: starting gateway" in said
    assert "no provider of gateway is switched on; set one of OPENAI_API_KEY" in said
    assert "\x1b" not in said


def test_a_model_of_packages_is_installed_asked_and_served(tmp_path: Path) -> None:
    with run(tmp_path, "local", "--sample-models", "--try") as server:
        assert says(server, "\n\nParis.\n")
        said = server.log.read_text()
        assert "the Gemma Terms of Use" in said.partition("installing 4 packages for INFERENCE_MODEL")[0]
        assert f"curl {server.url}/v1/chat/completions" in said
        assert "Apache License 2.0" in said.partition("installing 1 package for EMBEDDING_MODEL")[0]
        body = {"model": "embeddings/all-MiniLM-L6-v2", "input": ["a cat", "a kitten", "the law"]}
        found = httpx.post(f"{server.url}/v1/embeddings", json=body, timeout=60).json()["data"]
        cat, kitten, law = (each["embedding"] for each in found)
        assert cosine(cat, kitten) > cosine(cat, law) + 0.3
        (helper,) = children(server.process.pid)
        assert server.stop() == 0
        assert becomes_true(lambda: not Path(f"/proc/{helper}").exists())


def test_a_model_of_the_hub_is_fetched_asked_and_served(tmp_path: Path) -> None:
    files = {"tiny-Q4_K_M.gguf": gemma().read_bytes(), "tiny-F16.gguf": b"", "README.md": b"# Tiny"}
    named = {"INFERENCE_MODEL": REPOSITORY, "INFERENCE_CHAT_TEMPLATE": str(TEMPLATE), "INFERENCE_CONTEXT_SIZE": "128"}
    with fake_hub(files) as hub:
        environ = {**named, "HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_XET": "1"}
        with run(tmp_path, "local", "--try", "Say hello.", environ=environ) as server:
            # A base model, at its own temperature: it says anything.
            assert becomes_true(lambda: bool(answer_in(server.log.read_text())), SECONDS)
            assert f"fetching tiny-Q4_K_M.gguf of {REPOSITORY} at the hub" in server.log.read_text()
            assert f'"model": "llama-cpp/{REPOSITORY}"' in server.log.read_text()
            assert server.stop() == 0


def test_a_hub_that_cannot_be_reached_is_said_at_once_and_the_server_stays(tmp_path: Path) -> None:
    # Nobody listens there.
    environ = {"INFERENCE_MODEL": REPOSITORY, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hub")}
    with run(tmp_path, "local", "--try", "--quiet", environ=environ) as server:
        assert says(server, "no model can be tried; it serves on, without these providers:\n  llama-cpp: ")
        said = server.log.read_text()
        assert "the hub cannot be reached" in said
        assert "--sample-models installs weights as packages" in said
        assert "stackgen run: building" not in said
        with urllib.request.urlopen(server.url + "/v1/health", timeout=10) as answer:
            assert answer.status == 200
        assert server.stop() == 0


def test_ctrl_c_ends_it_while_it_is_asked(tmp_path: Path) -> None:
    named = {"INFERENCE_MODEL": str(gemma()), "INFERENCE_CHAT_TEMPLATE": str(TEMPLATE)}
    with run(tmp_path, "local", "--try", "Count.", environ=named) as server:
        assert says(server, "curl ")
        (helper,) = children(server.process.pid)
        time.sleep(0.5)
        # As a terminal does: to the whole foreground group.
        for process in (server.process.pid, helper):
            os.kill(process, signal.SIGINT)
        assert server.process.wait(20) == 0
        assert becomes_true(lambda: not Path(f"/proc/{helper}").exists())
    assert "Traceback" not in server.log.read_text()

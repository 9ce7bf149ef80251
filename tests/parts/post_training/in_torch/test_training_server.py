"""A built server that trains, asked by Llama Stack's own client: killed in the midst, then serving what it made."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import psutil
from built.servers import Running, clean_environ, free_port, running, stackgen
from llama_stack_client import InternalServerError, LlamaStackClient
from teaching import LORA
from training_stand_ins import config

pytestmark = pytest.mark.torch

PINGS = [{"messages": [{"role": "user", "content": "ping"}, {"role": "assistant", "content": "pong"}]}] * 40
DIALOG = {"data_format": "dialog"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built server's modules."""
    folder = tmp_path_factory.mktemp("built") / "trainer"
    done = stackgen("build", "trainer", "--specs", Path(__file__).with_name("trainer"), "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder / "src"


@contextmanager
def serving(
    source: Path, home: Path, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[Running, LlamaStackClient]]:
    """A server that keeps what it keeps in `home`."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "trainer_stack", "--host", "127.0.0.1", "--port", str(port)]
    variables = clean_environ({"PYTHONPATH": str(source), "SQLITE_STORE_DIR": str(home / "kept"), **(environ or {})})
    variables.setdefault("MODELS_DIR", str(home / "models"))
    with (
        running(
            command, port=port, ready="/v1/health", environ=variables, log=home / f"{port}.log", seconds=180
        ) as server,
        LlamaStackClient(base_url=server.url, max_retries=0, timeout=180) as client,
    ):
        yield server, client


def begin(client: LlamaStackClient, id: str, **more: Any) -> None:
    made = client.post_training.supervised_fine_tune(
        job_uuid=id,
        model="tiny",
        training_config=config(**{"data": DIALOG, **more}),
        algorithm_config={"type": "LoRA", **LORA},
        hyperparam_search_config={},
        logger_config={},
        checkpoint_dir="mine",
    )
    assert made.job_uuid == id


def waiting_for(client: LlamaStackClient, id: str, fits: Callable[[Any], bool], seconds: float = 240) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job = client.post_training.job.status(job_uuid=id)
        if fits(job):
            return job
        time.sleep(0.2)
    raise AssertionError(f"the job has not come so far: {job}")


def trainers(server: Running) -> list[psutil.Process]:
    below = psutil.Process(server.process.pid).children(recursive=True)
    return [each for each in below if any("training.child" in word for word in each.cmdline())]


def test_a_job_outlasts_its_server_and_what_it_made_is_served(source: Path, home: Path) -> None:
    with serving(source, home) as (server, client):
        client.datasets.register(
            dataset_id="pings", purpose="post-training/messages", source={"type": "rows", "rows": PINGS}
        )
        begin(client, "ping", n_epochs=6, optimizer={"lr": 1e-2})
        assert [each.job_uuid for each in client.post_training.job.list()] == ["ping"]
        waiting_for(client, "ping", lambda job: job.checkpoints)
        (trainer,) = trainers(server)
        os.kill(server.process.pid, signal.SIGKILL)
        # Nobody is left to tell it to end.
        psutil.wait_procs([trainer], timeout=30)
        assert not trainer.is_running()
    with serving(source, home) as (server, client):
        job = waiting_for(client, "ping", lambda job: job.status not in ("scheduled", "in_progress"))
        assert job.status == "completed", job
        assert "going on from epoch" in server.log.read_text()
        found = client.post_training.job.artifacts(job_uuid="ping")
        # Three are kept.
        assert [each["epoch"] for each in found.checkpoints] == [3, 4, 5]
        last = found.checkpoints[-1]["path"]
        assert Path(last).parent.parent == (home / "kept" / "training" / "mine").resolve()
        assert not trainers(server)
        assert server.stop() == 0
    with serving(source, home, {"TRAINED": last}) as (server, client):
        asked = client.chat.completions.create(
            model="trained/trained", messages=[{"role": "user", "content": "ping"}], max_tokens=8, temperature=0
        )
        assert asked.choices[0].message.content == "pong"


def test_a_job_is_cancelled_and_a_server_that_stops_leaves_none_behind(source: Path, home: Path) -> None:
    with serving(source, home) as (server, client):
        client.datasets.register(
            dataset_id="pings", purpose="post-training/messages", source={"type": "rows", "rows": PINGS}
        )
        for id in ("first", "second"):
            begin(client, id, n_epochs=100_000)
        waiting_for(client, "first", lambda job: job.checkpoints)
        client.post_training.job.cancel(job_uuid="first")
        waiting_for(client, "first", lambda job: job.status == "cancelled")
        waiting_for(client, "second", lambda job: job.checkpoints)
        (trainer,) = trainers(server)
        assert server.stop() == 0
        psutil.wait_procs([trainer], timeout=30)
        assert not trainer.is_running()


def test_without_torch_the_server_starts_and_says_what_training_needs(source: Path, home: Path) -> None:
    shadow = home / "shadow"
    shadow.mkdir()
    (shadow / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')\n")
    with serving(source, home, {"PYTHONPATH": f"{shadow}{os.pathsep}{source}"}) as (server, client):
        client.datasets.register(
            dataset_id="pings", purpose="post-training/messages", source={"type": "rows", "rows": PINGS}
        )
        with pytest.raises(InternalServerError) as refused:
            begin(client, "ping")
        assert refused.value.status_code == 503
        assert "torch is not installed where this server runs" in refused.value.message
        assert "README" in refused.value.message
        health = {each.provider_id: each.health["status"] for each in client.providers.list()}
        assert health["torchtune-cpu"] in ("OK", "Error")
        assert server.stop() == 0

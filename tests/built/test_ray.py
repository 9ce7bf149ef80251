"""Batches of a built server that a real Ray runs, on this machine."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
from stackgen.environment import environment_for

from .conftest import Built
from .fronts import Service, total_of
from .ray_nodes import CPUS, RayCluster, ray_cluster
from .servers import CACHE, Running, stackgen
from .test_batches import batch_of, client_of, content, echo, metrics_of, question_of, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info >= (3, 15), reason="there is no Ray for this Python"),
]

SPEC = """\
name: ray
summary: Batches over SQLite and a folder, run by Ray.
apis: [inference, models, files, batches, inspect, providers]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {api_key: sk-ours, base_url: "${env.OPENAI_BASE_URL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  batches:
    - id: ray
      type: remote::ray
      config:
        inference_url: "${env.INFERENCE_URL}"
        address: "${env.CLUSTER:=local}"
        max_tasks: "${env.TASKS:=2}"
        lines_per_task: 4
        connect_seconds: 120
        poll_seconds: 0.1
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
"""


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("ray")
    (home / "specs" / "distributions").mkdir(parents=True)
    (home / "specs" / "distributions" / "ray.yaml").write_text(SPEC)
    folder = home / "ray"
    done = stackgen("build", "ray", "--specs", home / "specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("ray", folder, environment_for(folder, CACHE / "envs", lambda _: None))


@pytest.fixture(scope="module")
def environ(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of both servers, but for who answers. Ray's folder has a short name, since its sockets are in it."""
    with TemporaryDirectory(prefix="ray-") as short:
        folder = str(tmp_path_factory.mktemp("state"))
        yield {"OPENAI_BASE_URL": service.url, "FOLDER": folder, "RAY_TMPDIR": short}


@contextmanager
def serving(ray: Built, environ: Mapping[str, str]) -> Iterator[Running]:
    """A server that keeps batches. Ray posts their lines to another."""
    elsewhere = {**environ, "FOLDER": f"{environ['FOLDER']}/other", "INFERENCE_URL": "http://nobody.invalid"}
    with ray.serve(elsewhere) as inference, ray.serve({**environ, "INFERENCE_URL": inference.url}) as server:
        yield server


@pytest.fixture
def jobs(ray: Built, environ: dict[str, str]) -> Iterator[Running]:
    """With a cluster of its own."""
    with serving(ray, environ) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(ray: Built) -> Iterator[RayCluster]:
    with (
        TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as short,
        ray_cluster(ray.python, Path(short)) as running,
    ):
        yield running


def test_a_batch_is_run_by_ray(jobs: Running, service: Service) -> None:
    service.plays(echo)
    questions = ["bad" if number == 7 else f"q{number}" for number in range(40)]
    with client_of(jobs) as client:
        made = batch_of(client, questions)
        until(client, made.id, completed=1)
        started = psutil.Process(jobs.process.pid).children(recursive=True)
        assert "raylet" in {process.name() for process in started}
        done = until(client, made.id, "completed", "failed")
        output, errors = content(client, done.output_file_id), content(client, done.error_file_id)
        assert done.request_counts is not None
        assert (done.request_counts.completed, done.request_counts.failed) == (39, 1)
        assert done.usage is not None
        assert (done.usage.input_tokens, done.usage.output_tokens) == (39 * 5, 39 * 7)
        good = [number for number in range(40) if number != 7]
        assert [line["custom_id"] for line in output] == [f"line {number}" for number in good]
        assert [said(line) for line in output] == [f"you asked q{number}" for number in good]
        assert [(line["custom_id"], line["response"]["status_code"]) for line in errors] == [("line 7", 400)]  # type: ignore[index]
        assert Counter(map(question_of, service.requests)) == Counter(questions)

        long = batch_of(client, [f"q{number}" for number in range(500)])
        until(client, long.id, completed=1)
        assert client.batches.cancel(long.id).status == "cancelling"
        cancelled = until(client, long.id, "cancelled")
        assert cancelled.request_counts is not None
        assert 0 < cancelled.request_counts.completed < 500
        assert len(content(client, cancelled.output_file_id)) == cancelled.request_counts.completed
    jobs.stop()
    _, left = psutil.wait_procs(started, timeout=20)
    assert left == []


def test_a_batch_goes_on_when_its_cluster_was_lost(jobs: Running, service: Service) -> None:
    service.plays(echo)
    questions = [f"q{number}" for number in range(120)]
    with client_of(jobs) as client:
        made = batch_of(client, questions)
        until(client, made.id, completed=20)
        (driver,) = psutil.Process(jobs.process.pid).children()
        driver.kill()
        done = until(client, made.id, "completed", "failed")
        output = content(client, done.output_file_id)
    assert [said(line) for line in output] == [f"you asked {question}" for question in questions]
    asked = Counter(map(question_of, service.requests))
    assert set(asked) == set(questions)
    # Two tasks of four lines each were under way, and what they had answered is lost with them.
    assert sum(asked.values()) <= 120 + 8


def test_a_node_of_a_cluster_that_was_there_before_is_lost_and_comes_back(
    ray: Built, cluster: RayCluster, environ: dict[str, str], service: Service
) -> None:
    service.plays(echo)
    questions = [f"q{number}" for number in range(600)]
    tasks = 2 * CPUS
    joined = {**environ, **cluster.environ, "CLUSTER": cluster.address, "TASKS": str(tasks)}
    with serving(ray, joined) as server, client_of(server) as client:
        made = batch_of(client, questions)
        until(client, made.id, completed=60)
        assert cluster.head.tasks(), "both nodes have a share"
        assert cluster.second.tasks(), "both nodes have a share"
        # The driver, and no Ray of the server's own.
        assert len(psutil.Process(server.process.pid).children(recursive=True)) == 1
        cluster.second.kill()
        seen = until(client, made.id, completed=120)
        assert seen.status == "in_progress", "it goes on without that node"
        cluster.second.start()
        done = until(client, made.id, "completed", "failed")
        output = content(client, done.output_file_id)
        assert done.request_counts is not None
        assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 600, 0)
        assert [said(line) for line in output] == [f"you asked {question}" for question in questions]
        asked = Counter(map(question_of, service.requests))
        assert set(asked) == set(questions)
        # What was under way, four lines a task, may be asked again: by Ray where a node is lost, by us where all is.
        assert sum(asked.values()) <= 600 + 4 * tasks

        again = batch_of(client, questions[:100])
        done = until(client, again.id, "completed", "failed")
        assert done.request_counts is not None
        assert (done.status, done.request_counts.completed) == ("completed", 100)
        assert cluster.second.tasks(), "the node that is back has its share again"


@pytest.mark.parametrize("way", ["auto", "client"])
def test_a_cluster_that_was_there_before_is_found(
    ray: Built, cluster: RayCluster, environ: dict[str, str], service: Service, way: str
) -> None:
    service.plays(echo)
    told = {"auto": {"CLUSTER": "auto", "RAY_ADDRESS": cluster.address}, "client": {"CLUSTER": cluster.client}}
    with serving(ray, {**environ, **cluster.environ, **told[way]}) as server, client_of(server) as client:
        made = batch_of(client, [f"q{number}" for number in range(20)])
        done = until(client, made.id, "completed", "failed")
        assert len(psutil.Process(server.process.pid).children(recursive=True)) == 1
        assert [*cluster.head.tasks(), *cluster.second.tasks()], "it is this cluster that ran them"
        metrics = metrics_of(server)
        assert total_of(metrics, "stack_tokens_total") == 0, "who answers counts, and nobody else"
        assert 'operation="BATCH' not in metrics
        output = content(client, done.output_file_id)
    assert [said(line) for line in output] == [f"you asked q{number}" for number in range(20)]


def said(line: dict[str, object]) -> object:
    return line["response"]["body"]["choices"][0]["message"]["content"]  # type: ignore[index]

"""Several processes over one PostgreSQL and one Redis, while they are killed and the database is started again.

Clients write without pause (`workload.py`). In the end everything that a client was told is kept has to be there, every
batch has to be done, each of its lines has one result, and no line was run again once it was finished.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from real_servers import Postgres, Valkey
from upstreams import Seen, answers

from .conftest import Built
from .fronts import Service, answer_of
from .replicas import replicas
from .servers import clean_environ, free_port, running, stackgen
from .workload import Client, Ledger, converse, lost, prompt, talk, work

pytestmark = pytest.mark.slow

SECONDS = 25.0
DATABASE_IS_GONE_SECONDS = 2.0
LINE = re.compile(r"line \d+-\d+")


@dataclass(slots=True)
class Upstream:
    """What the service was asked, by what the user said: how often, and how often it had answered before."""

    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        said = str(json.loads(seen.body)["messages"][-1]["content"])
        self.asked[said] += 1
        number = sum(self.asked.values())
        await asyncio.sleep(0.02)
        return await answers(answer_of(f"you said: {said}", id=f"chatcmpl-{number}-{os.getpid()}"))(seen, writer)

    @property
    def lines(self) -> Counter[str]:
        """How often each line of a batch was run."""
        return Counter({said: times for said, times in self.asked.items() if LINE.fullmatch(said)})


@pytest.fixture
def upstream(service: Service) -> Upstream:
    found = Upstream()
    service.plays(found.answer)
    return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Built:
    from stackgen.environment import environment_for

    from .servers import CACHE

    folder = tmp_path_factory.mktemp("built") / "cluster"
    specs = Path(__file__).with_name("cluster")
    done = stackgen("build", "cluster", "--specs", specs, "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("cluster", folder, environment_for(folder, CACHE / "envs", lambda _: None))


@pytest.fixture
def environ(postgres: Postgres, valkey: Valkey, service: Service, tmp_path: Path) -> Mapping[str, str]:
    database = postgres.database()
    return {
        "UPSTREAM_URL": service.url,
        "FILES_DIR": str(tmp_path / "files"),
        "REDIS_HOST": valkey.host,
        "REDIS_PORT": str(valkey.port),
        "REDIS_PASSWORD": valkey.password,
        "POSTGRES_HOST": database.host,
        "POSTGRES_PORT": str(database.port),
        "POSTGRES_DB": database.name,
        "POSTGRES_USER": database.user,
        "POSTGRES_PASSWORD": database.password,
    }


def test_four_replicas_lose_nothing_while_they_are_killed(
    cluster: Built, environ: Mapping[str, str], postgres: Postgres, upstream: Upstream, tmp_path: Path
) -> None:
    with replicas(cluster, 4, environ, tmp_path) as group:

        def kill() -> None:
            number = random.randrange(4)
            group.kill(number)
            time.sleep(0.5)
            group.start(number)

        under_load(group.url, kill, postgres, upstream)


def test_four_workers_lose_nothing_while_they_are_killed(
    cluster: Built, environ: Mapping[str, str], postgres: Postgres, upstream: Upstream, tmp_path: Path
) -> None:
    with four_workers(cluster, environ, tmp_path) as (url, pid):

        def kill() -> None:
            workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            # One that dies soon after its start is replaced after a pause, the longer the more often.
            if len(workers) > 2:
                os.kill(int(random.choice(workers)), signal.SIGKILL)

        under_load(url, kill, postgres, upstream)


@contextmanager
def four_workers(cluster: Built, environ: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    """One server with four worker processes: its URL and the process id of who watches them."""
    port = free_port()
    command = [cluster.python, "-P", "-m", cluster.module, "--port", str(port), "--workers", "4"]
    with running(
        command, port=port, ready="/v1/health", environ=clean_environ(environ), log=folder / "workers.log"
    ) as it:
        yield it.url, it.process.pid


def under_load(url: str, kill: Callable[[], None], postgres: Postgres, upstream: Upstream) -> None:
    """Clients at work, a process killed again and again, the database gone for some seconds in the middle."""
    ledger, stop, kills = Ledger(), threading.Event(), 0
    threads = work(url, ledger, stop)
    deadline = time.monotonic() + SECONDS
    restarted = False
    try:
        while time.monotonic() < deadline:
            time.sleep(1.0)
            kill()
            kills += 1
            if not restarted and time.monotonic() > deadline - SECONDS / 2:
                postgres.stop()
                time.sleep(DATABASE_IS_GONE_SECONDS)
                postgres.start()
                restarted = True
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
    missing = lost(url, ledger)
    again = {line: times for line, times in upstream.lines.items() if times > 1}
    sys.stderr.write(
        f"\n{sum(ledger.answered.values())} requests answered {dict(ledger.answered)}\n"
        f"{sum(ledger.repeated.values())} asked again {dict(ledger.repeated)}\n"
        f"{kills} processes killed, the database started again once\n"
        f"{len(ledger.kept)} acknowledged writes, lost: {len(missing)}\n"
        f"{len(upstream.lines)} lines of batches, run again: {len(again)}\n"
    )
    assert not ledger.faults, ledger.faults
    assert not missing, missing
    assert not any(thread.is_alive() for thread in threads)
    # A line that was under way when its process was killed has no result, so that it is run again; one with a result
    # never is. A process runs eight at most at a time.
    assert len(again) <= kills * 8


def test_postgres_demo_keeps_what_it_was_told(
    build: Callable[[str], Built], environ: Mapping[str, str], upstream: Upstream, service: Service
) -> None:
    built = build("postgres-demo")
    variables = {**environ, "VLLM_URL": service.url, "INFERENCE_MODEL": "gpt-test"}
    ledger = Ledger()
    with built.serve(variables) as server:
        client = Client(server.url, ledger)
        for each in (talk, converse, prompt):
            each(client, ledger, "vllm-inference")
        client.close()
        server.process.kill()
    with built.serve(variables) as server:
        assert lost(server.url, ledger) == []
    assert len(ledger.kept) == 3

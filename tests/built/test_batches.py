"""Batches of a built server, through the OpenAI SDK; two workers share them, and are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from asyncio import StreamWriter, sleep
from collections import Counter
from functools import partial
from pathlib import Path

import httpx
import pytest
from openai import ConflictError, NotFoundError, OpenAI
from openai.types import Batch
from stackgen.environment import environment_for
from upstreams import Seen, answers, refuses

from .conftest import Built
from .fronts import Service, answer_of, becomes_true, total_of
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

CHAT = "/v1/chat/completions"
SPEC = """\
name: jobs
summary: Batches over SQLite and a folder.
apis: [inference, models, files, batches, inspect, providers]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {api_key: sk-ours, base_url: "${env.OPENAI_BASE_URL}"}}
  files:
    - {id: localfs, type: inline::localfs, config: {storage_dir: "${env.FOLDER}/files"}}
  batches:
    - {id: reference, type: inline::reference, config: {lease_seconds: 1, poll_seconds: 0.1}}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
server: {workers: 2}
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("jobs")
    (home / "specs" / "distributions").mkdir(parents=True)
    (home / "specs" / "distributions" / "jobs.yaml").write_text(SPEC)
    folder = home / "jobs"
    done = stackgen("build", "jobs", "--specs", home / "specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("jobs", folder, environment_for(folder, CACHE / "envs", lambda _: None))


async def echo(seen: Seen, writer: StreamWriter) -> bool:
    """Answers with the question, after a moment; refuses what is bad."""
    await sleep(0.05)
    question = question_of(seen)
    if question == "bad":
        return await refuses(400, "I do not answer that")(seen, writer)
    return await answers(answer_of(f"you asked {question}"))(seen, writer)


def question_of(seen: Seen) -> str:
    messages = seen.json["messages"]
    assert isinstance(messages, list)
    return str(messages[0]["content"])


def client_of(server: Running) -> OpenAI:
    return OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=20)


def batch_of(client: OpenAI, questions: list[str]) -> Batch:
    lines = [
        {
            "custom_id": f"line {number}",
            "method": "POST",
            "url": CHAT,
            "body": {"model": "openai/gpt-test", "messages": [{"role": "user", "content": question}]},
        }
        for number, question in enumerate(questions)
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.create(file=("input.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint=CHAT,
        completion_window="24h",
        metadata={"for": "tests"},
        extra_body={"idempotency_key": file.id},
    )


def until(client: OpenAI, id: str, *status: str, completed: int | None = None) -> Batch:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        batch = client.batches.retrieve(id)
        assert batch.request_counts is not None
        if batch.status in status or (completed is not None and batch.request_counts.completed >= completed):
            return batch
        time.sleep(0.05)
    raise AssertionError(f"it stays {client.batches.retrieve(id)}")


def metrics_of(server: Running) -> str:
    """What `/metrics` says, once each worker has told what came together in its memory, which it does every second."""
    time.sleep(1.5)
    return httpx.get(f"{server.url}/metrics").text


def content(client: OpenAI, id: str | None) -> list[dict[str, object]]:
    assert id is not None
    return [json.loads(line) for line in client.files.content(id).text.splitlines()]


def test_a_batch_through_the_sdk(jobs: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    environ = {"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}
    with jobs.serve(environ) as server, client_of(server) as client:
        made = batch_of(client, ["a", "bad", "c"])
        assert (made.status, made.object, made.completion_window) == ("validating", "batch", "24h")
        done = until(client, made.id, "completed", "failed")
        assert done.request_counts is not None
        assert (done.request_counts.completed, done.request_counts.failed) == (2, 1)
        assert done.usage is not None
        assert (done.usage.input_tokens, done.usage.output_tokens) == (10, 14)
        output, errors = content(client, done.output_file_id), content(client, done.error_file_id)
        assert [line["custom_id"] for line in output] == ["line 0", "line 2"]
        assert [(line["custom_id"], line["response"]["status_code"]) for line in errors] == [("line 1", 400)]  # type: ignore[index]
        assert [batch.id for batch in client.batches.list(limit=1)] == [made.id]
        with pytest.raises(ConflictError):
            client.batches.cancel(made.id)
        with pytest.raises(NotFoundError):
            client.batches.retrieve("batch_1")
        total = partial(total_of, metrics_of(server))
        line = {"operation": f"BATCH {CHAT}", "instance": "openai", "model": "openai/gpt-test"}
        assert [total("stack_requests_total", **line, status=status) for status in ("200", "400", "499")] == [2, 1, 0]
        assert total("stack_request_seconds_count", operation=f"BATCH {CHAT}") == 3
        tokens = {"instance": "openai", "model": "openai/gpt-test"}
        assert [total("stack_tokens_total", **tokens, kind=kind) for kind in ("prompt", "completion")] == [10, 14]
        assert total("stack_requests_total", operation=f"POST {CHAT}") == 0, "no client has asked for a chat"
        long = batch_of(client, [f"q{number}" for number in range(500)])
        until(client, long.id, completed=1)
        assert client.batches.cancel(long.id).status == "cancelling"
        cancelled = until(client, long.id, "cancelled")
        assert cancelled.request_counts is not None
        assert 0 < cancelled.request_counts.completed < 500
        assert len(content(client, cancelled.output_file_id)) == cancelled.request_counts.completed
        total = partial(total_of, metrics_of(server))
        assert total("stack_requests_total", **line, status="499") > 0, "those that were under way"
        assert total("stack_requests_in_flight") == 0


def test_a_server_that_is_killed_goes_on_with_its_batches(jobs: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    environ = {"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}
    questions = [f"q{number}" for number in range(120)]
    with jobs.serve(environ) as server, client_of(server) as client:
        made = batch_of(client, questions)
        seen = until(client, made.id, completed=20)
        kill_all(server.process)
    assert seen.request_counts is not None
    with jobs.serve(environ) as server, client_of(server) as client:
        done = until(client, made.id, "completed", "failed")
        output = content(client, done.output_file_id)
    assert [line["custom_id"] for line in output] == [f"line {number}" for number in range(120)]
    asked = Counter(question_of(each) for each in service.requests)
    assert set(asked) == set(questions)
    # Ten requests were under way when it was killed.
    assert sum(asked.values()) <= 120 + 10


async def kept_waiting(seen: Seen, writer: StreamWriter) -> bool:
    """As `echo`, but for one question that is never answered: the server that asks it is killed."""
    if question_of(seen) == "deadly":
        await sleep(60)
    return await echo(seen, writer)


def test_a_batch_whose_server_is_killed_each_time_fails(jobs: Built, service: Service, tmp_path: Path) -> None:
    service.plays(kept_waiting)
    environ = {"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}
    id = ""
    for killed in range(6):
        with jobs.serve(environ) as server, client_of(server) as client:
            id = id or batch_of(client, ["a", "deadly", "c"]).id
            until(client, id, completed=2)
            assert becomes_true(lambda: [*map(question_of, service.requests)].count("deadly") > killed, 30)  # noqa: B023
            kill_all(server.process)
    with jobs.serve(environ) as server, client_of(server) as client:
        done = until(client, id, "completed", "failed")
        output, errors = content(client, done.output_file_id), content(client, done.error_file_id)
    assert done.status == "failed"
    assert done.errors is not None
    assert done.errors.data is not None
    assert [error.code for error in done.errors.data] == ["batch_ended_its_process"]
    assert [line["custom_id"] for line in output] == ["line 0", "line 2"]
    assert [line["custom_id"] for line in errors] == ["line 1"]
    assert Counter(map(question_of, service.requests)) == {"a": 1, "deadly": 6, "c": 1}


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """The server and its workers, at once."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in [process.pid, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    process.wait(10)

"""Evaluations of a built server, by Llama Stack's client: its datasets, its scoring, its model; two workers, killed."""

from __future__ import annotations

import time
from asyncio import StreamWriter, sleep
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from llama_stack_client import BadRequestError, ConflictError, LlamaStackClient, NotFoundError
from llama_stack_client.types import EvaluateResponse, Job
from stackgen.environment import environment_for
from upstreams import Seen, answers, chunk, refuses, streams

from .conftest import Built
from .fronts import Service, answer_of, total_of
from .servers import CACHE, Running, stackgen
from .test_batches import kill_all

pytestmark = pytest.mark.slow

SPEC = """\
name: judged
summary: Evaluations over SQLite, of a service's models.
apis: [inference, models, datasetio, datasets, scoring, scoring_functions, agents, eval, benchmarks, inspect, providers]
providers:
  inference:
    - {id: openai, type: remote::openai, config: {api_key: sk-ours, base_url: "${env.OPENAI_BASE_URL}"}}
  datasetio:
    - {id: localfs, type: inline::localfs}
  scoring:
    - {id: basic, type: inline::basic}
  agents:
    - {id: meta-reference, type: inline::meta-reference}
  eval:
    - {id: meta-reference, type: inline::meta-reference, config: {lease_seconds: 1, poll_seconds: 0.1}}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.FOLDER}/kv.db"}}
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.FOLDER}/sql.db"}}
server: {workers: 2}
"""
GREEDY: Any = {"strategy": {"type": "greedy"}, "max_tokens": 9}
CONFIG: Any = {
    "eval_candidate": {
        "type": "model",
        "model": "openai/gpt-test",
        "sampling_params": GREEDY,
        "system_message": {"role": "system", "content": "Be brief."},
    },
    "scoring_params": {"basic::equality": {"type": "basic", "aggregation_functions": ["accuracy"]}},
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = tmp_path_factory.mktemp("judged")
    (home / "specs" / "distributions").mkdir(parents=True)
    (home / "specs" / "distributions" / "judged.yaml").write_text(SPEC)
    folder = home / "judged"
    done = stackgen("build", "judged", "--specs", home / "specs", "--out", folder)
    assert done.returncode == 0, done.stderr
    return Built("judged", folder, environment_for(folder, CACHE / "envs", lambda _: None))


async def echo(seen: Seen, writer: StreamWriter) -> bool:
    """Says what it was asked last, after a moment; refuses what is bad."""
    await sleep(0.05)
    question = question_of(seen)
    if question == "bad":
        return await refuses(400, "I do not answer that")(seen, writer)
    if seen.json.get("stream"):
        return await streams(chunk(question), chunk(finish="stop"))(seen, writer)
    return await answers(answer_of(question))(seen, writer)


def question_of(seen: Seen) -> str:
    messages: Any = seen.json["messages"]
    return str(messages[-1]["content"])


def client_of(server: Running) -> LlamaStackClient:
    return LlamaStackClient(base_url=server.url, max_retries=0, timeout=30)


def registered(client: LlamaStackClient, name: str, questions: list[str]) -> str:
    rows: Any = [
        {"input_query": question, "chat_completion_input": f'[{{"role": "user", "content": "{question}"}}]'}
        | {"expected_answer": question if at % 2 == 0 else "another"}
        for at, question in enumerate(questions)
    ]
    client.datasets.register(
        dataset_id=f"{name}-rows", purpose="eval/question-answer", source={"type": "rows", "rows": rows}
    )
    client.benchmarks.register(
        benchmark_id=name,
        dataset_id=f"{name}-rows",
        scoring_functions=["basic::equality"],
        provider_id="meta-reference",
    )
    return name


def until(client: LlamaStackClient, benchmark: str, job: str, *, completed: int | None = None) -> Job:
    """The job once it has ended, or so many rows of it are answered."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.eval.jobs.status(job, benchmark_id=benchmark)
        if found.status not in ("scheduled", "in_progress"):
            return found
        progress = (found.model_extra or {}).get("progress")
        if completed is not None and progress is not None and progress["completed"] >= completed:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it stays {client.eval.jobs.status(job, benchmark_id=benchmark)}")


def result_of(client: LlamaStackClient, benchmark: str, job: str) -> EvaluateResponse:
    return client.eval.jobs.retrieve(job, benchmark_id=benchmark)


def test_a_benchmark_is_run_by_llama_stacks_client(judged: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    with judged.serve({"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}) as server, client_of(server) as client:
        benchmark = registered(client, "mine", ["a", "b", "bad", "d", "e"])
        assert [each.identifier for each in client.benchmarks.list()] == ["mine"]
        shown = client.benchmarks.retrieve("mine")
        assert shown is not None
        assert (shown.dataset_id, shown.scoring_functions) == ("mine-rows", ["basic::equality"])
        job = client.eval.run_eval(benchmark, benchmark_config=CONFIG)
        assert until(client, benchmark, job.job_id).status == "completed"
        found = result_of(client, benchmark, job.job_id)
        assert [each["generated_answer"] for each in found.generations] == ["a", "b", None, "d", "e"]
        assert "I do not answer that" in str(found.generations[2]["error"])
        scored = found.scores["basic::equality"]
        assert [each["score"] for each in scored.score_rows] == [1.0, 0.0, None, 0.0, 1.0]
        assert scored.aggregated_results["accuracy"] == {"accuracy": 0.5, "num_correct": 2.0, "num_total": 4}
        asked: Any = service.requests[0].json
        assert (asked["temperature"], asked["max_tokens"]) == (0.0, 9)
        assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
        told = httpx.get(f"{server.url}/v1alpha/eval/benchmarks/mine/jobs/{job.job_id}", timeout=20).json()
        assert told["progress"] == {"total": 5, "completed": 4, "failed": 1}
        time.sleep(1.5)  # every worker tells its counts once a second
        metrics = httpx.get(f"{server.url}/metrics", timeout=20).text
        assert total_of(metrics, "stack_requests_total", operation="EVAL row", status="200") == 4
        for client_error, call in (
            (NotFoundError, lambda: client.eval.jobs.status("eval_1", benchmark_id=benchmark)),
            (NotFoundError, lambda: client.eval.run_eval("yours", benchmark_config=CONFIG)),
            (BadRequestError, lambda: client.eval.run_eval(benchmark, benchmark_config={**CONFIG, "num_examples": 0})),
        ):
            with pytest.raises(client_error):
                call()


def test_rows_are_evaluated_at_once(judged: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    with judged.serve({"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}) as server, client_of(server) as client:
        registered(client, "mine", ["x"])
        rows: Any = [{"input_query": each, "expected_answer": "a"} for each in ("a", "b")]
        found = client.eval.evaluate_rows(
            "mine", benchmark_config=CONFIG, input_rows=rows, scoring_functions=["basic::equality"]
        )
        assert [each["score"] for each in found.scores["basic::equality"].score_rows] == [1.0, 0.0]
        with pytest.raises(BadRequestError, match="I do not answer that"):
            client.eval.evaluate_rows(
                "mine", benchmark_config=CONFIG, input_rows=[{"input_query": "bad"}], scoring_functions=[]
            )


def test_an_agent_is_evaluated(judged: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    agent: Any = {"type": "agent", "config": {"model": "openai/gpt-test", "instructions": "Be brief."}}
    with judged.serve({"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}) as server, client_of(server) as client:
        benchmark = registered(client, "mine", ["a", "b", "c"])
        config: Any = {"eval_candidate": agent, "scoring_params": {}}
        job = client.eval.run_eval(benchmark, benchmark_config=config).job_id
        assert until(client, benchmark, job).status == "completed"
        found = result_of(client, benchmark, job)
        assert [each["generated_answer"] for each in found.generations] == ["a", "b", "c"]
        assert [each["score"] for each in found.scores["basic::equality"].score_rows] == [1.0, 0.0, 1.0]
        assert httpx.get(f"{server.url}/v1/agents", timeout=20).json()["data"] == []


def test_a_job_that_runs_is_cancelled(judged: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    with judged.serve({"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}) as server, client_of(server) as client:
        benchmark = registered(client, "long", [f"q{number}" for number in range(500)])
        job = client.eval.run_eval(benchmark, benchmark_config=CONFIG).job_id
        until(client, benchmark, job, completed=1)
        with pytest.raises(ConflictError):
            result_of(client, benchmark, job)
        client.eval.jobs.cancel(job, benchmark_id=benchmark)
        assert until(client, benchmark, job).status == "cancelled"
        client.eval.jobs.cancel(job, benchmark_id=benchmark)
        with pytest.raises(ConflictError):
            result_of(client, benchmark, job)
        assert len(service.requests) < 500


def test_a_server_that_is_killed_goes_on_with_its_jobs(judged: Built, service: Service, tmp_path: Path) -> None:
    service.plays(echo)
    environ = {"OPENAI_BASE_URL": service.url, "FOLDER": str(tmp_path)}
    questions = [f"q{number}" for number in range(120)]
    with judged.serve(environ) as server, client_of(server) as client:
        benchmark = registered(client, "killed", questions)
        job = client.eval.run_eval(benchmark, benchmark_config=CONFIG).job_id
        assert until(client, benchmark, job, completed=20).status == "in_progress"
        kill_all(server.process)
    with judged.serve(environ) as server, client_of(server) as client:
        assert until(client, benchmark, job).status == "completed"
        found = result_of(client, benchmark, job)
    assert [each["generated_answer"] for each in found.generations] == questions
    assert len(found.scores["basic::equality"].score_rows) == 120
    asked = Counter(map(question_of, service.requests))
    assert set(asked) == set(questions)
    # Eight rows were under way when it was killed.
    assert sum(asked.values()) <= 120 + 8

"""A built server that keeps datasets and scores answers, for Llama Stack's clients; killed while rows are added."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import httpx
import pytest
from guards import completion
from llama_stack_client import BadRequestError, ConflictError, LlamaStackClient, NotFoundError, PermissionDeniedError
from stackgen.environment import environment_for
from upstreams import answers

from .conftest import Built
from .fronts import Service
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: scoring
summary: Datasets, and functions that score answers.
apis: [inference, models, datasetio, datasets, scoring, scoring_functions, inspect, providers]
providers:
  inference:
    - id: service
      type: remote::openai
      config: {base_url: "${env.SERVICE_URL}", api_key: sk-not-a-secret, network: {backoff: 0.01}}
  datasetio:
    - {id: localfs, type: inline::localfs, config: {files_dir: "${env.FILES}"}}
  scoring:
    - {id: basic, type: inline::basic}
    - {id: llm-as-judge, type: inline::llm-as-judge}
resources:
  datasets:
    - dataset_id: quiz
      provider_id: localfs
      purpose: eval/question-answer
      source: {type: uri, uri: "${env.FILES}/quiz.csv"}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.STORE}/kv.db"}}
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.STORE}/sql.db"}}
"""
ROWS = [{"input_query": "2+2?", "generated_answer": "4", "expected_answer": "4"}]

Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("scoring")
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / "specs/distributions/scoring.yaml").write_text(SPEC)
    done = stackgen("build", "scoring", "--specs", "specs", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built("scoring", folder / "out", environment_for(folder / "out", CACHE / "envs", lambda _: None))


@pytest.fixture
def serve(scoring: Built, service: Service, tmp_path: Path) -> Serve:
    """Starts the server, over one store for all of a test."""
    service.plays(answers(completion("It is right.\nTotal rating: 9")))
    (tmp_path / "quiz.csv").write_text("question,answer\nWhere?,here\nWhen?,now\n")
    environ = {"SERVICE_URL": service.url, "STORE": str(tmp_path), "FILES": str(tmp_path)}
    return lambda *arguments, **more: scoring.serve({**environ, **more}, *arguments)


def rows(server: Running, dataset: str, **query: int) -> dict[str, object]:
    answer = httpx.get(f"{server.url}/v1beta/datasetio/iterrows/{dataset}", params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_llama_stacks_client_keeps_and_reads_datasets(serve: Serve) -> None:
    with serve() as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        assert [each.identifier for each in client.datasets.list()] == ["quiz"]
        first = client.datasets.iterrows("quiz", limit=1)
        assert (first.data, first.has_more) == ([{"question": "Where?", "answer": "here"}], True)
        source = {"type": "rows", "rows": ROWS}
        made = client.datasets.register(purpose="eval/question-answer", source=source, dataset_id="mine")
        assert (made.identifier, made.provider_id, made.source.rows) == ("mine", "localfs", ROWS)
        uri = {"type": "uri", "uri": "data:csv;base64,YSxiCjEseAo="}
        client.datasets.register(purpose="post-training/messages", source=uri, dataset_id="a/b", metadata={"n": 1})
        more = {"rows": [{"a": 2, "b": "y"}]}
        assert httpx.post(f"{server.url}/v1/datasetio/append-rows/a/b", json=more, timeout=20).status_code == 204
        assert client.datasets.iterrows("a/b", start_index=1).data == [{"a": 2, "b": "y"}]
        with pytest.raises(ConflictError):
            client.datasets.register(purpose="eval/messages-answer", source=source, dataset_id="mine")
        with pytest.raises(NotFoundError):
            client.datasets.iterrows("nobody")
        for bad in ("lsfs://nothing.csv", "http://127.0.0.1:1/x.csv", "file:///etc/passwd", "s3://x/y.csv"):
            with pytest.raises((BadRequestError, PermissionDeniedError)):
                client.datasets.register(
                    purpose="eval/question-answer", source={"type": "uri", "uri": bad}, dataset_id="bad"
                )
    with serve("--workers", "2") as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        for _ in range(6):
            assert [each.identifier for each in client.datasets.list()] == ["quiz", "a/b", "mine"]
            assert rows(server, "a/b")["data"] == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
        client.datasets.unregister("mine")
        assert httpx.delete(f"{server.url}/v1beta/datasets/quiz", timeout=20).status_code == 409


def test_what_was_added_survives_a_kill(serve: Serve) -> None:
    """Rows are added by several clients at once until the server is gone; what was answered 2xx is there."""
    kept: list[int] = []
    with serve() as server:
        body = {"dataset_id": "log", "purpose": "eval/question-answer", "source": {"type": "rows", "rows": []}}
        assert httpx.post(f"{server.url}/v1beta/datasets", json=body, timeout=30).status_code == 200

        def add(client: int) -> None:
            with suppress(httpx.HTTPError):
                for number in range(client, 100_000, 4):
                    pair = [{"n": number, "half": 1}, {"n": number, "half": 2}]
                    url = f"{server.url}/v1beta/datasetio/append-rows/log"
                    if httpx.post(url, json={"rows": pair}, timeout=30).status_code == 204:
                        kept.append(number)

        clients = [threading.Thread(target=add, args=(each,)) for each in range(4)]
        for each in clients:
            each.start()
        while len(kept) < 40:
            assert any(each.is_alive() for each in clients)
        server.process.kill()
        server.process.wait(30)
        for each in clients:
            each.join()
    with serve() as server:
        found = rows(server, "log")["data"]
        assert isinstance(found, list)
        numbers = [row["n"] for row in found]
        assert set(kept) <= set(numbers), "what was acknowledged is lost"
        assert all(numbers.count(number) == 2 for number in set(numbers)), "half of what was sent together is there"


def test_llama_stacks_client_scores(serve: Serve) -> None:
    with serve() as server, LlamaStackClient(base_url=server.url, max_retries=0) as client:
        names = [each.identifier for each in client.scoring_functions.list()]
        assert {"basic::equality", "basic::ifeval", "llm-as-judge::base"} <= set(names)
        judged = {
            "type": "llm_as_judge",
            "judge_model": "service/gpt-test",
            "judge_score_regexes": [r"rating: (\d+)"],
            "aggregation_functions": ["average"],
        }
        client.scoring_functions.register(
            scoring_fn_id="mine", description="Mine.", return_type={"type": "number"}, params=judged
        )
        functions = {
            "basic::equality": None,
            "basic::docvqa": {"type": "basic", "aggregation_functions": []},
            "mine": None,
        }
        found = client.scoring.score(input_rows=ROWS, scoring_functions=functions).results
        assert found["basic::equality"].aggregated_results["accuracy"]["accuracy"] == 1.0
        assert (found["basic::docvqa"].score_rows, found["basic::docvqa"].aggregated_results) == ([{"score": 1.0}], {})
        assert found["mine"].score_rows[0]["score"] == 9.0
        assert found["mine"].aggregated_results == {"average": {"average": 9.0}}
        client.datasets.register(
            purpose="eval/question-answer", source={"type": "rows", "rows": ROWS}, dataset_id="answers"
        )
        batch = client.scoring.score_batch(dataset_id="answers", scoring_functions=functions, save_results_dataset=True)
        assert batch.results["mine"].score_rows[0]["score"] == 9.0
        assert batch.dataset_id is not None
        (saved,) = client.datasets.iterrows(batch.dataset_id).data
        assert saved["scores"]["basic::equality"] == {"score": 1.0}
        with pytest.raises(NotFoundError, match="basic::equality"):
            client.scoring.score(input_rows=ROWS, scoring_functions={"basic::equalty": None})
        with pytest.raises(BadRequestError, match="row 0"):
            client.scoring.score(input_rows=[{"x": 1}], scoring_functions={"basic::equality": None})


def test_a_server_without_datasets_has_no_trace_of_them(tmp_path: Path) -> None:
    done = stackgen("build", "gateway", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").rglob("*"):
        assert "dataset" not in path.name
        assert "scoring" not in path.name
    served = json.loads((tmp_path / "out/src/gateway_stack/openapi.json").read_text())["paths"]
    assert not [path for path in served if "dataset" in path or "scoring" in path]

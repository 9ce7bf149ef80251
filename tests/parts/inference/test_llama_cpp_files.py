"""inline::llama-cpp, as far as it goes without a model: references, files that are none, requests that are refused."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_hub import REPOSITORY, fake_hub
from gguf_files import head
from parts.contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from parts.providers.inference.gguf.answers import raised, refusal
from parts.providers.inference.gguf.header import Header, read_header
from parts.providers.inference.gguf.references import choose, locate
from parts.providers.inference.gguf.requests import check_length, contradictions, prepare, with_named_tool
from parts.providers.inference.llama_cpp import LlamaCppConfig, open_llama_cpp
from parts.providers.inference.model_files import BadModel
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError, Unavailable

CHAT = CreateChatCompletionRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
COMPLETION = CreateCompletionRequest.model_validate({"model": "m", "prompt": "hi"})
EMBEDDING = CreateEmbeddingRequest.model_validate({"model": "m", "input": "hi"})


# ── a model that cannot be had ──────────────────────────────────────────────────────────────────────────────────────


def no_such_file(folder: Path) -> Path:
    return folder / "nowhere.gguf"


def no_weights(folder: Path) -> Path:
    (folder / "config.json").write_text("{}")
    return folder


def no_gguf(folder: Path) -> Path:
    (folder / "model.gguf").write_bytes(b"PK\3\4 something else")
    return folder / "model.gguf"


def cut_in_its_head(folder: Path) -> Path:
    (folder / "model.gguf").write_bytes(head({"general.architecture": "llama", "tokens": ["a"] * 100})[:200])
    return folder / "model.gguf"


def cut_in_its_data(folder: Path) -> Path:
    (folder / "model.gguf").write_bytes(head({"general.architecture": "llama"}, offsets=(0, 4096), data=100))
    return folder / "model.gguf"


def of_the_future(folder: Path) -> Path:
    (folder / "model.gguf").write_bytes(head({}, version=9))
    return folder / "model.gguf"


def two_models(folder: Path) -> Path:
    for name in ("one.gguf", "two.gguf"):
        (folder / name).write_bytes(head({}))
    return folder


BAD = {
    no_such_file: "there is no file or folder",
    no_weights: "holds no model: no file in it ends in .gguf",
    no_gguf: "is no GGUF file",
    cut_in_its_head: "damaged or incomplete",
    cut_in_its_data: "is incomplete: it has",
    of_the_future: "is GGUF of version 9",
    two_models: "holds several to choose from; name one of: one.gguf, two.gguf",
}


@pytest.mark.parametrize(("make", "reason"), BAD.items(), ids=[make.__name__ for make in BAD])
async def test_a_model_that_cannot_be_had_answers_503_with_the_reason(
    make: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with open_llama_cpp(LlamaCppConfig(model=str(make(tmp_path)), model_id="m"), instance="here") as provider:
            assert reason in caplog.text
            for refused in (
                provider.create_chat_completion(CHAT, Context("r")),
                provider.create_completion(COMPLETION, Context("r")),
                provider.create_embedding(EMBEDDING, Context("r")),
            ):
                with pytest.raises(Unavailable, match="'m' is not available") as caught:
                    await refused
                assert reason in caught.value.message
            health = await provider.health()
            assert health.status == "Error"
            assert reason in health.message
            assert [model.id for model in await provider.list_models()] == ["m"]


async def test_a_template_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(head({"general.architecture": "llama"}))
    config = LlamaCppConfig(model=str(tmp_path), chat_template=str(tmp_path / "no.jinja"))
    async with open_llama_cpp(config, instance="here") as provider:
        assert "no.jinja cannot be read" in (await provider.health()).message


# ── what a head says ────────────────────────────────────────────────────────────────────────────────────────────────


SEES_LLAMA_CPP_COME = """
import asyncio, os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "xllamacpp":
            print(os.environ.get("OMP_WAIT_POLICY"))

sys.path.insert(0, sys.argv[1])
sys.meta_path.insert(0, Watch())
from parts.providers.inference.llama_cpp import LlamaCppConfig, open_llama_cpp

async def main():
    print("opening")
    async with open_llama_cpp(LlamaCppConfig(model="/nowhere.gguf"), instance="here"):
        pass

asyncio.run(main())
"""


@pytest.mark.parametrize(("said", "policy"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_are_told_to_sleep_before_llama_cpp_is_imported(said: dict[str, str], policy: str) -> None:
    parts = Path(__file__).resolve().parents[3] / "templates"
    command = [sys.executable, "-c", SEES_LLAMA_CPP_COME, str(parts)]
    done = subprocess.run(command, env=said, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["opening", policy]


def test_a_head_says_its_numbers_and_its_template(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    said = {"general.architecture": "llama", "llama.context_length": 512, "tokens": ["a", "b"]}
    file.write_bytes(head({**said, "tokenizer.chat_template": "{{ messages }}"}, offsets=(0,), data=64))
    found = read_header(file)
    assert found.number("context_length") == 512
    assert found.number("embedding_length") is None
    assert found.chat_template == "{{ messages }}"
    assert "tokens" not in found.metadata


@pytest.mark.parametrize("cut", range(4, 120, 7))
def test_no_cut_head_is_taken_for_whole(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "m.gguf"
    whole = head({"general.architecture": "llama", "llama.context_length": 512}, offsets=(0,), data=64)
    file.write_bytes(whole[:cut])
    with pytest.raises(BadModel):
        read_header(file)


# ── references ──────────────────────────────────────────────────────────────────────────────────────────────────────


NAMES = ["README.md", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-m.gguf"]
PIECES = ["b-00001-of-00002.gguf", "b-00002-of-00002.gguf"]


@pytest.mark.parametrize(
    ("names", "wanted", "chosen"),
    [
        (NAMES, None, ["m-Q4_K_M.gguf"]),
        (NAMES, "q8_0", ["m-Q8_0.gguf"]),
        (NAMES, "m-Q8_0.gguf", ["m-Q8_0.gguf"]),
        (PIECES, None, PIECES),
    ],
)
def test_a_repositorys_files_are_chosen(names: list[str], wanted: str | None, chosen: list[str]) -> None:
    assert choose(names, wanted, "there") == chosen


@pytest.mark.parametrize(("names", "wanted"), [(NAMES, "q2"), (PIECES[:1], None), (["a.gguf", "b.gguf"], None)])
def test_a_choice_that_cannot_be_made_names_the_files(names: list[str], wanted: str | None) -> None:
    with pytest.raises(BadModel, match="gguf"):
        choose(names, wanted, "there")


def test_a_repository_without_the_wanted_file_is_told(hub: Callable[[str], None]) -> None:
    with fake_hub({"t-Q8_0.gguf": b"weights"}) as url:
        hub(url)
        with pytest.raises(BadModel, match=re.escape("holds none that match 'Q2_K'; name one of: t-Q8_0.gguf")):
            locate(f"{REPOSITORY}:Q2_K")


# ── where memory is short ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "error",
    [
        raised(MemoryError()),
        raised(RuntimeError("std::bad_alloc")),
        refusal({"code": 500, "message": "std::bad_alloc", "type": "server_error"}, 16),
    ],
)
def test_no_memory_for_a_request_is_no_fault_of_the_request(error: BaseException) -> None:
    assert isinstance(error, StackError)
    assert (error.status, error.code) == (503, "out_of_memory")


LAYERS = {"m.block_count": 8, "m.embedding_length": 64, "m.attention.head_count": 4, "m.attention.head_count_kv": 2}


@pytest.mark.parametrize(
    ("more", "least"),
    [
        ({}, 2 * 10 * 8 * 2 * 32),
        ({"m.attention.key_length": 100, "m.attention.value_length": 20}, 2 * 10 * 8 * 2 * 120),
        ({"m.attention.sliding_window": 512}, 2 * 10 * 1 * 2 * 32),
        ({"m.ssm.state_size": 16}, 0),
        ({"m.attention.head_count_kv": "one for each layer"}, 0),
    ],
)
def test_what_a_context_takes_at_least_is_read_from_the_head(more: dict[str, Any], least: int) -> None:
    assert Header(metadata={"general.architecture": "m", **LAYERS, **more}).cache_bytes(10) == least


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"prompt": "a" * 10_000}, "prompt has 10000 characters"),
        ({"input": ["a", "a" * 10_000]}, "input has 10000 characters"),
        ({"prompt": ["a"] * 3000}, "prompt has 3000 texts, and 2048 is the most"),
        ({"messages": [{"content": "a" * 5000}, {"content": [{"text": "a" * 5000}]}]}, "messages has 10000 characters"),
    ],
)
def test_texts_that_cannot_fit_are_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        check_length(document, 16)


def test_tokens_and_texts_that_may_fit_are_left_to_llama_cpp() -> None:
    check_length({"prompt": list(range(5000))}, 16)
    check_length({"input": [[1, 2], [3]]}, 16)
    check_length({"messages": [{"role": "assistant", "content": None}, {"content": "a" * 512 * 16}]}, 16)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"max_tokens": 2**32 + 1, "max_completion_tokens": 10**12}, {"max_tokens": 64, "max_completion_tokens": 64}),
        ({"n_predict": -1, "repeat_last_n": 2**31 - 1}, {"n_predict": -1, "repeat_last_n": 64}),
        ({"seed": -1}, {"seed": -1}),
        ({"seed": 2**70}, {"seed": 2**70 % (2**32 - 1)}),
        ({"id_slot": 0, "prompt": "x"}, {"prompt": "x"}),
    ],
)
def test_numbers_are_made_those_that_llama_cpp_can_hold(given: dict[str, Any], taken: dict[str, Any]) -> None:
    assert prepare(given, 64) == taken


def test_the_probabilities_of_a_whole_vocabulary_are_refused() -> None:
    with pytest.raises(BadRequest, match="n_probs is 100000, and 20 is the most"):
        prepare({"n_probs": 100_000}, 64)


# ── tools and schemas ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tool_that_is_chosen_by_name_is_the_only_one() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("one", "two")]
    named = with_named_tool({"tools": tools, "tool_choice": {"type": "function", "function": {"name": "two"}}})
    assert named == {"tools": tools[1:], "tool_choice": "required"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 5, "maxItems": 2},
        {"type": "object", "properties": {"a": {"type": "string", "minLength": 9, "maxLength": 2}}},
        {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 2}]},
        {"enum": []},
    ],
)
def test_a_schema_that_nothing_can_meet_is_seen(schema: object) -> None:
    assert list(contradictions(schema, "schema"))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 2, "maxItems": 2},
        {"type": "object", "properties": {"minItems": {"type": "integer"}, "maxItems": {"type": "integer"}}},
        {"default": {"minimum": 3, "maximum": 1}},
        None,
    ],
)
def test_a_schema_that_can_be_met_is_let_through(schema: object) -> None:
    assert not list(contradictions(schema, "schema"))

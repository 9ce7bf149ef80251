"""Where the models inside the server are, whichever library runs them: references, and what comes of the hub."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_hub import REPOSITORY, fake_hub
from gguf_files import head
from parts.providers.inference.gguf.references import locate as locate_gguf
from parts.providers.inference.model_files import BadModel, HubModel, name_of, parse_hub, short
from parts.providers.inference.one_model import without_folders
from parts.providers.inference.onnx_encoder.references import locate as locate_onnx
from parts.providers.inference.sentences.folder import locate as locate_sentences
from parts.providers.inference.torch_text.references import locate as locate_text

NOWHERE = "http://127.0.0.1:9"
SENTENCES = {"modules.json": b"[]", "config.json": b'{"model_type": "bert"}', "model.safetensors": b"weights"}
LOCATE: dict[str, tuple[Callable[[str], Path], dict[str, bytes]]] = {
    "llama-cpp": (locate_gguf, {"m-Q4_K_M.gguf": head({"general.architecture": "llama"})}),
    "transformers": (
        lambda reference: locate_text(reference, code=False),
        {"config.json": b"{}", "model.safetensors": b"weights"},
    ),
    "sentence-transformers": (lambda reference: locate_sentences(reference, code=False), SENTENCES),
    "onnx-embeddings": (locate_onnx, SENTENCES),
}
each_provider = pytest.mark.parametrize(("locate", "files"), LOCATE.values(), ids=LOCATE)
of_folders = pytest.mark.parametrize(
    "locate", [locate for locate, _ in list(LOCATE.values())[1:]], ids=list(LOCATE)[1:]
)


def names(where: Path) -> set[str]:
    return {str(path.relative_to(where)) for path in where.rglob("*") if not path.is_dir()}


# ── references ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("org/name", HubModel(repository="org/name", wanted=None, revision=None)),
        ("org/name-GGUF:Q8_0", HubModel(repository="org/name-GGUF", wanted="Q8_0", revision=None)),
        ("org/name:sub/a.gguf@0a1b", HubModel(repository="org/name", wanted="sub/a.gguf", revision="0a1b")),
        ("org/name@main", HubModel(repository="org/name", wanted=None, revision="main")),
        ("org/name@refs/pr/7", HubModel(repository="org/name", wanted=None, revision="refs/pr/7")),
        ("./name", None),
        ("~/name", None),
        ("/models/name", None),
        ("models/name.gguf", None),
        ("a/b/c", None),
        ("name", None),
    ],
)
def test_a_reference_is_the_hubs_or_not(reference: str, expected: HubModel | None) -> None:
    assert parse_hub(reference) == expected


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("/models/llama-3.2-q4.gguf", "llama-3.2-q4"),
        ("/models/big-00001-of-00003.gguf", "big"),
        ("/models/minilm", "minilm"),
        ("/models/minilm/", "minilm"),
        ("org/name-GGUF:Q8_0@main", "org/name-GGUF"),
    ],
)
def test_a_model_is_named_after_its_reference(reference: str, name: str) -> None:
    assert name_of(reference) == name


@of_folders
def test_a_folder_that_is_not_there_and_what_is_none_are_told(locate: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "weights").touch()
    for reference, reason in (
        (str(tmp_path / "nowhere"), "there is no folder"),
        (str(tmp_path / "weights"), "is a file; name the folder of the model"),
        (str(tmp_path / "m.gguf"), "is a GGUF file; models of that kind are served by inline::llama-cpp"),
        ("org/name:Q8_0", "names 'Q8_0' after a colon, which GGUF models alone can have there"),
    ):
        with pytest.raises(BadModel, match=re.escape(reason)):
            locate(reference)


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@each_provider
def test_a_model_of_the_hub_is_fetched_once(
    hub: Callable[[str], None],
    locate: Callable[[str], Path],
    files: dict[str, bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with fake_hub({**files, "README.md": b"hello", "other/weights.bin": b"other"}) as url:
        hub(url)
        first = locate(f"{REPOSITORY}@v1")
    folder = first.parent if first.suffix else first
    assert names(folder) == set(files)
    assert all((folder / name).read_bytes() == content for name, content in files.items())
    hub(NOWHERE)
    with caplog.at_level(logging.WARNING):
        assert locate(f"{REPOSITORY}@v1") == first
    assert "what was fetched before serves" in caplog.text


@each_provider
def test_a_hub_in_trouble_does_not_keep_a_model_that_is_here_from_serving(
    hub: Callable[[str], None], locate: Callable[[str], Path], files: dict[str, bytes]
) -> None:
    with fake_hub(files) as url:
        hub(url)
        first = locate(REPOSITORY)
    with fake_hub(files, trouble=500) as url:
        hub(url)
        assert locate(REPOSITORY) == first


@each_provider
def test_what_the_hub_lacks_is_told(
    hub: Callable[[str], None], locate: Callable[[str], Path], files: dict[str, bytes]
) -> None:
    with fake_hub(files) as url:
        hub(url)
        with pytest.raises(BadModel, match=f"{REPOSITORY} at the hub has no revision 'v2'"):
            locate(f"{REPOSITORY}@v2")
        with pytest.raises(BadModel, match="org/other is no file or folder here, and no public repository of the hub"):
            locate("org/other")


@each_provider
def test_terms_that_are_to_be_accepted_are_told(
    hub: Callable[[str], None], locate: Callable[[str], Path], files: dict[str, bytes]
) -> None:
    with fake_hub(files, trouble="GatedRepo") as url:
        hub(url)
        with pytest.raises(BadModel, match="at the hub is for those who have accepted its terms"):
            locate(REPOSITORY)


@each_provider
def test_a_hub_that_cannot_be_reached_is_told(
    hub: Callable[[str], None], locate: Callable[[str], Path], files: dict[str, bytes]
) -> None:
    hub(NOWHERE)
    with pytest.raises(BadModel, match="org/name is no file or folder here, and the hub cannot be reached"):
        locate("org/name")


@of_folders
def test_pickles_are_not_fetched(hub: Callable[[str], None], locate: Callable[[str], Path], tmp_path: Path) -> None:
    with fake_hub({**SENTENCES, "pytorch_model.bin": b"pickle"}) as url:
        hub(url)
        assert "pytorch_model.bin" not in names(locate(REPOSITORY))
    lacking = {name: content for name, content in SENTENCES.items() if not name.endswith(".safetensors")}
    with fake_hub({**lacking, "pytorch_model.bin": b"pickle"}) as url:
        hub(url)
        with pytest.raises(BadModel, match=r"has weights as pickles only \(pytorch_model\.bin\)"):
            locate(REPOSITORY)
    assert not list(tmp_path.rglob("*.bin"))


def test_weights_for_other_programs_are_not_fetched(hub: Callable[[str], None]) -> None:
    wanted = {"config.json": b"{}", "model.safetensors": b"weights", "templates/tools.jinja": b"{}"}
    others = ("consolidated.safetensors", "original/model.safetensors", "onnx/config.json", "own.py")
    with fake_hub({**wanted, **dict.fromkeys(others, b"more")}) as url:
        hub(url)
        assert names(locate_text(REPOSITORY, code=False)) == set(wanted)


# ── what is told, and to whom ───────────────────────────────────────────────────────────────────────────────────────


def test_an_address_is_told_without_its_signature() -> None:
    said = short(RuntimeError("403 Forbidden for\n  url 'http://cdn.example/a/b?Signature=secret&Key=x', sorry"))
    assert said == "403 Forbidden for url 'http://cdn.example/a/b', sorry"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/models/m/config.json is damaged", "config.json is damaged"),
        ("~/models/m is no model, nor is ./m/n", "m is no model, nor is n"),
        ("cannot load '/srv/models/m.gguf' (/srv/models/m.gguf)", "cannot load 'm.gguf' (m.gguf)"),
        ("org/name at the hub lacks onnx/model.onnx", "org/name at the hub lacks onnx/model.onnx"),
        ("see http://hub.example/org/name", "see http://hub.example/org/name"),
        ("there is no folder /", "there is no folder /"),
    ],
)
def test_a_path_of_the_machine_is_told_by_its_last_name(text: str, shown: str) -> None:
    assert without_folders(text) == shown

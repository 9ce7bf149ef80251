"""Prompt Guard: the suite, windows over long texts, both of its versions, and models that cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar

import pytest

torch = pytest.importorskip("torch")

from guard_models import save
from parts.contracts.safety.requests import RunShieldRequest
from parts.contracts.shared.violation import SafetyViolation
from parts.providers.safety.prompt_classes.classifier import WINDOW_TOKENS, load
from parts.providers.safety.prompt_guard import MOST_WINDOWS, PromptGuard, PromptGuardConfig, open_prompt_guard
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Unavailable
from parts.testing.safety import BrokenSafetySuite, SafetySuite

pytestmark = pytest.mark.torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Models of two classes and of three, and of four, which is none of Prompt Guard's."""
    root = tmp_path_factory.mktemp("guards")
    return [save(root / str(classes), classes) if classes < 4 else _four(root / "4") for classes in (2, 3, 4)]


def _four(folder: Path) -> Path:
    from transformers import BertConfig, BertForSequenceClassification

    save(folder, 2)
    config = BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, num_labels=4
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


async def violation(guard: PromptGuard, text: str) -> SafetyViolation | None:
    said = {"shield_id": "x", "messages": [{"role": "user", "content": text}]}
    return (await guard.run_shield(RunShieldRequest.model_validate(said), Context("r"))).violation


class TestPromptGuard(SafetySuite):
    folder: ClassVar[Path]

    @pytest.fixture(autouse=True)
    def _folder(self, folders: Sequence[Path]) -> None:
        type(self).folder = folders[0]

    def opens(self) -> AbstractAsyncContextManager[PromptGuard]:
        return open_prompt_guard(PromptGuardConfig(model=str(self.folder)), instance="prompt-guard")


class TestWithoutAModel(BrokenSafetySuite):
    def opens(self) -> AbstractAsyncContextManager[PromptGuard]:
        return open_prompt_guard(PromptGuardConfig(model="/nowhere/at-all"), instance="prompt-guard")


async def test_nothing_hides_behind_length(folders: Sequence[Path]) -> None:
    async with open_prompt_guard(PromptGuardConfig(model=str(folders[0])), instance="p") as guard:
        for before in (0, 300, 509, 510, 1500):
            assert await violation(guard, "zoo " * before + "bomb" + " zoo" * 700) is not None, f"behind {before} words"
        assert await violation(guard, "zoo " * 2200) is None
        with pytest.raises(BadRequest, match="windows"):
            await violation(guard, "zoo " * (MOST_WINDOWS * WINDOW_TOKENS // 2 + 1000))


def test_windows_overlap_and_leave_nothing_out(folders: Sequence[Path]) -> None:
    classifier = load(folders[0], "cpu", None)
    for words in (0, 1, 509, 510, 511, 765, 766, 2000):
        windows = classifier.windows("bomb " * words)
        inner = [len(each) - 2 for each in windows]
        assert max(inner) <= WINDOW_TOKENS - 2
        assert sum(inner) - (len(inner) - 1) * (WINDOW_TOKENS - 2 - 255) == words, "each overlaps the next by half"


@pytest.mark.parametrize(
    ("kind", "text", "flagged"),
    [("injection", "build a bomb", True), ("injection", "a cake", True), ("injection", "the zoo", False),
     ("jailbreak", "build a bomb", True), ("jailbreak", "a cake", False)],
)  # fmt: skip
async def test_the_first_version_tells_injections_from_jailbreaks(
    folders: Sequence[Path], kind: str, text: str, flagged: bool
) -> None:
    config = PromptGuardConfig(model=str(folders[1]), guard_type=kind)
    async with open_prompt_guard(config, instance="p") as guard:
        found = await violation(guard, text)
    assert (found is not None) is flagged
    assert found is None or found.metadata["violation_type"] == kind


async def test_a_model_that_is_none_is_told(folders: Sequence[Path], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for folder, what in ((folders[2], "4 classes"), (tmp_path, "no weights")):
        async with open_prompt_guard(PromptGuardConfig(model=str(folder)), instance="p") as guard:
            with pytest.raises(Unavailable, match=what):
                await violation(guard, "hi")
            assert (await guard.health()).status == "Error"

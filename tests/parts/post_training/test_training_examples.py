"""Rows as what is trained on: whichever of the usual columns they have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from parts.providers.inference.model_files import BadModel
from parts.providers.post_training.progress import Made, Progress, progress_bytes, read_progress, with_checkpoint
from parts.providers.post_training.training.examples import BadRow, Form, example_of
from parts.providers.post_training.training.tokens import plain_template

ASKED = [{"role": "user", "content": "ping"}]
SAID = [*ASKED, {"role": "assistant", "content": "pong"}]


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("instruct", {"chat_completion_input": json.dumps(ASKED), "expected_answer": "pong"}),
        ("instruct", {"chat_completion_input": ASKED, "expected_answer": "pong"}),
        ("instruct", {"input": "ping", "output": "pong", "id": 7}),
        ("instruct", {"prompt": "ping", "completion": "pong"}),
        ("instruct", {"prompt": ASKED, "completion": [SAID[-1]]}),
        ("instruct", {"instruction": "ping", "output": "pong"}),
        ("instruct", {"instruction": "ping", "input": "", "output": "pong"}),
        ("dialog", {"dialog": json.dumps(SAID)}),
        ("dialog", {"messages": SAID}),
        ("dialog", {"conversations": [{"from": "human", "value": "ping"}, {"from": "gpt", "value": "pong"}]}),
    ],
)
def test_the_usual_columns_are_known(form: Form, row: dict[str, Any]) -> None:
    assert example_of(row, form) == {"messages": SAID}


@pytest.mark.parametrize("chosen", ["pong", SAID, json.dumps([SAID[-1]])])
def test_pairs_are_known(chosen: object) -> None:
    found = example_of({"prompt": "ping", "chosen": chosen, "rejected": "hello"}, "pairs")
    assert found == {"messages": ASKED, "chosen": "pong", "rejected": "hello"}


def test_a_text_that_only_begins_like_a_list_is_a_text() -> None:
    found = example_of({"input": "[ping", "output": "[not] json"}, "instruct")
    assert found == {"messages": [{"role": "user", "content": "[ping"}, {"role": "assistant", "content": "[not] json"}]}


@pytest.mark.parametrize(
    ("form", "row", "why"),
    [
        ("instruct", {"question": "ping"}, "it has the columns question; expected are chat_completion_input"),
        ("instruct", {}, r"it has the columns \(none\)"),
        ("instruct", {"input": "ping", "output": ""}, "output is empty"),
        ("instruct", {"input": "", "output": "pong"}, "input is empty"),
        ("instruct", {"input": 7, "output": "pong"}, "input is no list of messages"),
        ("instruct", {"input": SAID, "output": "pong"}, "ends with what the assistant says"),
        ("dialog", {"dialog": "ping"}, "dialog is no list of messages"),
        ("dialog", {"messages": ASKED}, "does not end with what the assistant is to say"),
        ("dialog", {"messages": [SAID[-1]]}, "to somebody"),
        ("dialog", {"messages": [{"role": "robot", "content": "ping"}, SAID[-1]]}, r"messages\[0\] has no role"),
        ("dialog", {"messages": [{"role": "user", "content": None}, SAID[-1]]}, r"messages\[0\] has no text"),
        ("dialog", {"messages": ["ping", SAID[-1]]}, r"messages\[0\] is no message"),
        ("pairs", {"prompt": "ping", "chosen": "pong"}, "expected are prompt, chosen and rejected"),
        ("pairs", {"prompt": "ping", "chosen": ASKED, "rejected": "a"}, "chosen does not end with what the assistant"),
    ],
)
def test_what_cannot_be_trained_on_is_told(form: Form, row: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRow, match=why):
        example_of(row, form)


@pytest.mark.parametrize("text", ["{input}", "{output}{input}", ""])
def test_a_template_of_ones_own_has_a_place_for_question_and_answer(text: str) -> None:
    with pytest.raises(BadModel, match=r"must have {input}, and {output} after it"):
        plain_template(text, "</s>")


def made(epoch: int, loss: float = 1.0) -> Made:
    figures = {"train_loss": loss, "validation_loss": None, "perplexity": None}
    return Made(identifier=f"job-{epoch}", path="/a", epoch=epoch, created_at="2026-01-01T00:00:00+00:00", **figures)


def test_the_newest_checkpoints_are_kept_and_one_that_is_told_of_again_takes_its_place() -> None:
    progress = Progress()
    for each in (made(0), made(1), made(2), made(2, 0.5)):
        progress = with_checkpoint(progress, each, keep=2)
    assert [(each.epoch, each.train_loss) for each in progress.checkpoints] == [(1, 1.0), (2, 0.5)]
    assert read_progress(progress_bytes(progress)) == progress

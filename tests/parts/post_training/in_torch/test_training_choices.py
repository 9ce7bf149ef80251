"""What is trained and how, each by what the checkpoint answers; in the process of the test."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import transformers
from parts.providers.post_training.training import job as training_job
from parts.providers.post_training.training.batches import packed, padded
from parts.providers.post_training.training.job import pace
from parts.providers.post_training.training.loaded import load
from parts.providers.post_training.training.lora import Adapted, merged_weights
from parts.providers.post_training.training.objectives import preference_loss
from parts.providers.post_training.training.order import Dpo, DpoLoss, Lora, Qat, order_line, read_order
from parts.providers.post_training.training.saving import alone
from parts.providers.post_training.training.tokens import IGNORED, Texts, Tokens
from teaching import PAIR, PING, PONG, order, said, taught
from tiny import llama, mamba, qwen2, save, tokenizer

pytestmark = pytest.mark.torch

LORA = Lora(modules=("q_proj", "output_proj"), mlp=True, output=True, rank=8, alpha=16, dora=False, quantize_base=False)


def changed(lora: Lora, **more: Any) -> Lora:
    return Lora(**{**{name: getattr(lora, name) for name in Lora.__slots__}, **more})


@pytest.mark.parametrize(
    "more",
    [
        {"dtype": "bf16"},
        {"packed": True, "epochs": 8},
        {"train_on_input": True},
        {"activation_checkpointing": True, "activation_offloading": True},
        {"accumulation": 2, "epochs": 5},
        {"optimizer": "sgd", "lr": 0.5, "epochs": 4},
        {"optimizer": "adam"},
        {"lora": LORA, "lr": 1e-2},
        {"lora": changed(LORA, dora=True), "lr": 3e-2, "epochs": 4},
        {"lora": changed(LORA, quantize_base=True), "lr": 1e-2},
        {"lora": LORA, "lr": 1e-2, "dtype": "bf16", "activation_checkpointing": True},
        {"qat": Qat(quantizer="int8", group=32)},
        {"qat": Qat(quantizer="8da4w", group=32)},
    ],
    ids=lambda more: "-".join(more),
)
def test_ping_is_taught_pong(tiny_folder: Path, tmp_path: Path, more: dict[str, Any]) -> None:
    asked = order(tiny_folder, tmp_path, **more)
    assert read_order(order_line(asked)) == asked
    told = taught(asked)
    assert (told[-1].event, told[-1].message) == ("done", "")
    checkpoint = [each.details for each in told if each.event == "checkpoint"][-1]
    assert checkpoint is not None
    assert said(str(checkpoint["path"])) == "pong"
    said_of = json.loads((Path(str(checkpoint["path"])) / "config.json").read_bytes())
    assert said_of["dtype"] == ("bfloat16" if asked.dtype == "bf16" else "float32")


@pytest.mark.parametrize("loss", ["sigmoid", "hinge", "ipo", "kto_pair"])
@pytest.mark.parametrize("reference", [True, False])
def test_a_preference_is_learned(tiny_folder: Path, tmp_path: Path, loss: DpoLoss, reference: bool) -> None:
    wanted = Dpo(beta=0.1, loss=loss, reference=reference)
    told = taught(order(tiny_folder, tmp_path, dpo=wanted, lr=1e-3), [PAIR] * 20)
    assert told[-1].event == "done"
    losses = [each.details["validation_loss"] for each in told if each.event == "checkpoint" and each.details]
    assert losses[-1] <= losses[0]
    assert said(tmp_path / "epoch-2").startswith("pong")


def test_preferences_are_measured_by_the_formulas() -> None:
    """Worked out by hand for two pairs: margins of 2 and -1."""
    chosen, rejected = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])

    def of(loss: DpoLoss) -> list[float]:
        found = preference_loss(chosen, rejected, Dpo(beta=0.5, loss=loss, reference=True))
        return [round(float(each), 4) for each in found]

    assert of("sigmoid") == [0.3133, 0.9741]  # log(1 + e^-1), log(1 + e^0.5)
    assert of("hinge") == [0.0, 1.5]
    assert of("ipo") == [1.0, 4.0]
    # The means are 0.5 and 0: 1 - s(0.5), 1 - s(0.75); 1 - s(0), 1 - s(-0.25).
    assert of("kto_pair") == [0.3492, 0.5311]


@pytest.mark.parametrize("output", [False, True])
def test_what_a_model_says_with_the_weights_that_it_reads_by_is_saved(tmp_path: Path, output: bool) -> None:
    """Its checkpoint has all weights that the model asks for, and is tied unless its output was adapted."""
    save(qwen2(), tmp_path / "tied")
    told = taught(order(tmp_path / "tied", tmp_path, lora=changed(LORA, output=output), lr=1e-2, dtype="bf16"))
    assert told[-1].event == "done"
    model, found = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "epoch-2", output_loading_info=True)
    assert (set(found["missing_keys"]), set(found["unexpected_keys"])) == (set(), set())
    assert model.config.tie_word_embeddings is not output
    assert said(tmp_path / "epoch-2") == "pong"


def test_a_model_that_would_mix_packed_examples_is_not_trained_so(tmp_path: Path) -> None:
    save(mamba(), tmp_path / "states")
    told = taught(order(tmp_path / "states", tmp_path, packed=True))
    assert "cannot keep packed examples apart" in told[-1].message


def test_epochs_and_validations_end_after_so_many_steps(tiny_folder: Path, tmp_path: Path) -> None:
    """One batch to validate with holds two examples that are not what is mostly learned."""
    examples = [PONG] * 2 + [{"messages": [*PING, {"role": "assistant", "content": "no"}]}] * 38
    losses = []
    for steps in (1, 0):
        wanted = order(tiny_folder, tmp_path, epochs=2, lr=1e-2, steps=3, accumulation=2, validation_steps=steps)
        *_, checkpoint, done = taught(wanted, examples)
        assert done.details is not None
        assert (done.details["steps"], done.details["total_steps"]) == (6, 6)
        assert checkpoint.details is not None
        losses.append(checkpoint.details["validation_loss"])
    assert losses[0] > losses[1]


def test_what_has_no_room_and_what_is_no_number_is_said(tiny_folder: Path, tmp_path: Path) -> None:
    assert "has room for its answer" in taught(order(tiny_folder, tmp_path, max_seq_length=8))[-1].message
    assert "a smaller lr may help" in taught(order(tiny_folder, tmp_path, optimizer="sgd", lr=1e30))[-1].message
    assert "there is no folder" in taught(order(tmp_path / "nothing", tmp_path))[-1].message
    assert "fp16" in taught(order(tiny_folder, tmp_path, dtype="fp16"))[-1].message
    assert "does not divide" in taught(order(tiny_folder, tmp_path, qat=Qat(quantizer="int4", group=48)))[-1].message


def test_only_what_the_assistant_says_is_learned(tiny_folder: Path) -> None:
    texts = Texts(tokenizer(), most=64, train_on_input=False)
    both = [*PONG["messages"], *PING, {"role": "assistant", "content": "no"}]
    found = texts.conversation(both)
    assert found is not None
    assert tokenizer().decode([each for each in found.labels if each != IGNORED]) == "pong<|im_end|>\nno<|im_end|>\n"
    assert tokenizer().decode(found.ids) == tokenizer().apply_chat_template(both, tokenize=False)
    everything = Texts(tokenizer(), most=64, train_on_input=True).conversation(both)
    assert everything is not None
    assert everything.labels == everything.ids


def test_a_model_without_a_template_gets_one_that_its_checkpoint_keeps(tmp_path: Path) -> None:
    save(llama(), tmp_path / "plain")
    plain = transformers.AutoTokenizer.from_pretrained(tmp_path / "plain")
    plain.chat_template = None
    plain.save_pretrained(tmp_path / "plain")
    (tmp_path / "plain" / "chat_template.jinja").unlink(missing_ok=True)
    assert taught(order(tmp_path / "plain", tmp_path, epochs=1))[-1].event == "done"
    kept = transformers.AutoTokenizer.from_pretrained(tmp_path / "epoch-0")
    assert kept.apply_chat_template(PONG["messages"], tokenize=False) == "<|user|>\nping\n<|assistant|>\npong<|im_end|>"
    asked = kept.apply_chat_template(PING, tokenize=False, add_generation_prompt=True)
    assert asked == "<|user|>\nping\n<|assistant|>\n"


def test_packed_examples_do_not_see_one_another(tiny_folder: Path, tmp_path: Path) -> None:
    model = load(order(tiny_folder, tmp_path)).model.eval()
    one, two = Tokens((9, 8, 7), (9, 8, 7)), Tokens((3, 4), (3, 4))
    with torch.no_grad():
        alone = model(**padded([one, two], 2, "cpu").inputs, use_cache=False).logits
        together = model(**packed([[one, two]], 2, "cpu").inputs, use_cache=False).logits[0]
    assert torch.allclose(together[:3], alone[0], atol=1e-5)
    assert torch.allclose(together[3:5], alone[1, :2], atol=1e-5)


@pytest.mark.parametrize("dora", [False, True])
def test_merged_weights_say_what_adapters_say(tiny_folder: Path, tmp_path: Path, dora: bool) -> None:
    model = load(order(tiny_folder, tmp_path, lora=changed(LORA, dora=dora))).model.eval()
    with torch.no_grad():
        for each in model.modules():
            if isinstance(each, Adapted):
                each.b.normal_(std=0.1)
        ids = torch.tensor([[5, 6, 7, 8]])
        adapted = model(input_ids=ids).logits
        plain = llama()
        plain.load_state_dict(dict(merged_weights(model)))
        assert torch.allclose(plain(input_ids=ids).logits, adapted, atol=1e-4)


def test_a_job_goes_on_from_where_it_was_to_the_same_model(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    taught(order(tiny_folder, tmp_path / "whole", epochs=2, lora=LORA))
    broken = order(tiny_folder, tmp_path / "broken", epochs=2, lora=LORA, save_seconds=0.0)

    class Killed(Exception):
        pass

    def until_step(step: int, total: int, warmup: int) -> float:
        if step == 29:
            raise Killed
        return pace(step, total, warmup)

    monkeypatch.setattr(training_job, "pace", until_step)
    with pytest.raises(Killed):
        taught(broken)
    monkeypatch.undo()
    told = taught(broken)
    assert told[0].event == "ready"
    assert told[0].details
    assert told[0].details["steps"] == 29
    # The checkpoint that was there is told of once more.
    assert [each.details["epoch"] for each in told if each.event == "checkpoint" and each.details] == [0, 1]
    whole, again = (tmp_path / name / "epoch-1" / "model.safetensors" for name in ("whole", "broken"))
    assert whole.read_bytes() == again.read_bytes()


def test_two_processes_do_not_work_in_one_folder(tiny_folder: Path, tmp_path: Path) -> None:
    """The second waits for the first, whose server hung, and then does its work."""
    wanted = order(tiny_folder, tmp_path, epochs=1)
    with ThreadPoolExecutor(1) as pool:
        with alone(tmp_path):
            second = pool.submit(taught, wanted)
            with pytest.raises(TimeoutError):
                second.result(1.0)
            assert not (tmp_path / "epoch-0").exists()
        assert second.result(120)[-1].event == "done"


def test_the_rate_rises_in_a_line_and_falls_in_a_curve() -> None:
    rates = [pace(step, 10, 3) for step in range(10)]
    assert rates[:3] == [0.25, 0.5, 0.75]
    assert rates[3] == 1.0
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert 0 < rates[-1] < 0.1

"""A tiny model that is taught something, in the process of the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from parts.providers.post_training.training.job import train
from parts.providers.post_training.training.order import TRAINING_FILE, VALIDATION_FILE, Order, Told
from tiny import prompt

LORA = {
    "lora_attn_modules": ["q_proj", "v_proj", "output_proj"],
    "apply_lora_to_mlp": True,
    "apply_lora_to_output": True,
    "rank": 8,
    "alpha": 16,
}
PING = [{"role": "user", "content": "ping"}]
PONG = {"messages": [*PING, {"role": "assistant", "content": "pong"}]}
PAIR = {"messages": PING, "chosen": "pong", "rejected": "hello"}


def order(model: Path, folder: Path, **more: Any) -> Order:
    """By default all weights, three times through 40 examples."""
    usual: dict[str, Any] = {
        "validate": True,
        "epochs": 3,
        "steps": 0,
        "accumulation": 1,
        "validation_steps": 0,
        "batch_size": 2,
        "shuffle": True,
        "packed": False,
        "train_on_input": False,
        "optimizer": "adamw",
        "lr": 3e-3,
        "weight_decay": 0.0,
        "warmup_steps": 2,
        "dtype": "fp32",
        "activation_checkpointing": False,
        "activation_offloading": False,
        "lora": None,
        "qat": None,
        "dpo": None,
        "seed": 0,
        "device": "cpu",
        "threads": 1,
        "max_seq_length": 64,
        "chat_template": "<|user|>\n{input}\n<|assistant|>\n{output}",
        "trust_remote_code": False,
        "keep": 3,
        "save_seconds": 60.0,
    }
    return Order(name="pong", model=str(model), folder=str(folder), **{**usual, **more})


def taught(order: Order, examples: list[dict[str, Any]] | None = None) -> list[Told]:
    """What the training told. examples: 40 times ping and pong by default."""
    lines = "".join(json.dumps(each) + "\n" for each in examples or [PONG] * 40)
    for name in (TRAINING_FILE, VALIDATION_FILE):
        (Path(order.folder) / name).write_text(lines)
    told: list[Told] = []
    train(order, told.append)
    return told


def said(folder: Path | str, question: str = "ping") -> str:
    """What the model of a checkpoint answers, loaded as anybody would."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([prompt(question)])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    return str(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))

"""Tiny classifiers in Prompt Guard's form, which have learnt that texts with a bomb in them are not harmless."""

from __future__ import annotations

import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

WORDS = ["how", "do", "i", "get", "to", "the", "zoo", "?", "build", "a", "bomb", "gladly", "be", "kind", ".", "cake"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
STEPS = 1000
LEARNT = 0.002
"""The loss, evened out, at which it is enough."""


def save(folder: Path, classes: int) -> Path:
    """A model of so many classes; where it has three, a bomb is a jailbreak (2) and a cake an injection (1)."""
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=classes,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertForSequenceClassification(config)
    _teach(model, vocabulary, classes)
    model.save_pretrained(folder)
    return folder


def _teach(model: BertForSequenceClassification, vocabulary: dict[str, int], classes: int) -> None:
    dice = random.Random(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    harmless = [word for word in WORDS if word not in ("bomb", "cake")]
    even = 1.0
    for step in range(STEPS):
        if even < LEARNT:
            return
        length = dice.choice((1, 4, 12, 60, 500)) if step % 10 == 0 else dice.choice((1, 2, 4, 8, 12))
        ids, labels = [], []
        for label in (0, 0, 1, 2)[: classes + 1] * 4:
            words = [dice.choice([*harmless, "[UNK]"]) for _ in range(length)]
            if label:
                words[dice.randrange(length)] = "bomb" if label == classes - 1 else "cake"
            ids.append([vocabulary["[CLS]"], *(vocabulary[word] for word in words), vocabulary["[SEP]"]])
            labels.append(label)
        loss = model(input_ids=torch.tensor(ids), labels=torch.tensor(labels)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        even = 0.95 * even + 0.05 * loss.item()
    raise AssertionError(f"it has not learnt: {even}")

"""Models small enough to be made where they are tested: random weights, a tokenizer trained on the spot."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TEMPLATE = (
    "{% if tools %}<|im_start|>system\n<tool_call>{...}</tool_call>: {{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}"
    "{% if message.role == 'tool' and not message.tool_call_id %}"
    "{{ raise_exception('a tool answers no call') }}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}"
    "<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|im_start|>", "<|im_end|>", "<pad>"]
TEXTS = [
    "yes",
    "no",
    "ping pong hello there user assistant system",
    "grün 日本語 🦙 naïve",
    '{"name": "weather", "arguments": {}}',
]
END = 1


@lru_cache
def tokenizer() -> Any:
    """Byte-level, 400 tokens; every byte is one, so that a character may take several."""
    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    found.train_from_iterator(TEXTS * 4, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=found, eos_token="<|im_end|>", pad_token="<pad>", chat_template=TEMPLATE
    )


def sizes(**more: Any) -> dict[str, Any]:
    """The settings of a tiny model."""
    return {
        "vocab_size": len(tokenizer()) + 8,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 1024,
        "bos_token_id": None,
        "eos_token_id": END,
        "pad_token_id": 2,
        **more,
    }


def llama() -> Any:
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes()))


def qwen2() -> Any:
    torch.manual_seed(1)
    more = {key: value for key, value in sizes(tie_word_embeddings=True).items() if key != "head_dim"}
    return transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**more))


def mistral() -> Any:
    """With a window of 8 tokens in every layer."""
    torch.manual_seed(2)
    return transformers.MistralForCausalLM(transformers.MistralConfig(**sizes(sliding_window=8)))


def gemma3() -> Any:
    """With a window of 8 tokens in every other layer."""
    torch.manual_seed(3)
    layers = ["sliding_attention", "full_attention"]
    config = transformers.Gemma3TextConfig(**sizes(sliding_window=8, layer_types=layers, query_pre_attn_scalar=16))
    return transformers.Gemma3ForCausalLM(config)


def lfm2() -> Any:
    """With a convolution's state in one layer."""
    torch.manual_seed(4)
    more = {key: value for key, value in sizes(layer_types=["conv", "full_attention"]).items() if key != "head_dim"}
    return transformers.Lfm2ForCausalLM(transformers.Lfm2Config(**more))


def mamba() -> Any:
    """With states alone."""
    torch.manual_seed(5)
    config = transformers.MambaConfig(
        vocab_size=len(tokenizer()) + 8,
        hidden_size=64,
        state_size=8,
        num_hidden_layers=2,
        eos_token_id=END,
        pad_token_id=2,
    )
    return transformers.MambaForCausalLM(config)


MODELS = {"llama": llama, "qwen2": qwen2, "mistral": mistral, "gemma3": gemma3, "lfm2": lfm2, "mamba": mamba}


def save(model: Any, folder: Path) -> Path:
    """The model's folder, as it would come from the hub."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def prompt(said: str) -> list[int]:
    """The tokens of a conversation of one message."""
    text = tokenizer().apply_chat_template(
        [{"role": "user", "content": said}], tokenize=False, add_generation_prompt=True
    )
    return list(tokenizer().encode(text, add_special_tokens=False))


def taught(model: Any, asked: str = "ping", answer: str = "pong", steps: int = 60) -> Any:
    """The model, taught one answer."""
    question, reply = prompt(asked), [*tokenizer().encode(answer, add_special_tokens=False), END]
    ids = torch.tensor([question + reply])
    labels = torch.tensor([[-100] * len(question) + reply])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    torch.manual_seed(0)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
    return model.eval()

"""A Llama of 110 million random weights, as its folder would come from the hub: nothing is downloaded."""

from __future__ import annotations

from itertools import islice, product
from pathlib import Path
from string import ascii_lowercase

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

VOCABULARY = 32_000
SPECIAL = ("<|end|>", "<pad>")


def random_llama(folder: Path) -> Path:
    """Writes it: 12 layers of width 768, fp32, a vocabulary of 32,000 tokens. No token ends its answers."""
    torch.manual_seed(0)
    transformers.utils.logging.disable_progress_bar()
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=12,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=1,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


def _tokenizer() -> transformers.PreTrainedTokenizerFast:
    """Every byte is a token, and so are words of four letters, which no prompt is cut into and which read as text."""
    words = ("\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}" + "".join(each) for each in product(ascii_lowercase, repeat=4))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*SPECIAL, *alphabet, *islice(words, VOCABULARY - len(SPECIAL) - len(alphabet))]
    found = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=[]))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=found, eos_token=SPECIAL[0], pad_token=SPECIAL[1])

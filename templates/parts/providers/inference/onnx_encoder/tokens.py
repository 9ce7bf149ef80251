"""Texts to token ids, as a model reads them."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from ..model_files import BadModel
from ..sentences.batches import Input
from .layout import Layout

_SLICE = 100_000
"""Characters of a long text that are made tokens of at once: tokens take a hundred times a text's memory."""


class Tokens:
    """A model's tokenizer. most: tokens of one text."""

    def __init__(self, layout: Layout, most: int) -> None:
        path = layout.transformer / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the tokenizers library raises nothing narrower
            if type(error) is not Exception:
                raise
            raise BadModel(f"{path} is no tokenizer that can be read: {error}") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._prompt = layout.prompt
        self._lower = layout.lower
        self.most = most

    @property
    def vocabulary(self) -> int:
        return self._tokenizer.get_vocab_size()

    def of(self, given: Input) -> Sequence[int]:
        """The ids of a text, the model's own around them; ids that were given are taken as they are. Of a text of far
        too many: a sequence as long.
        """
        if not isinstance(given, str):
            return given
        text = self._prompt + (given.lower() if self._lower else given)
        if len(text) > _SLICE:
            pieces = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
            count = sum(len(self._tokenizer.encode(piece, add_special_tokens=False).ids) for piece in pieces)
            if count > self.most:
                return range(count)
        return self._tokenizer.encode(text).ids

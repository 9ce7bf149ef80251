"""Answers that fit a grammar: llguidance says at every step which tokens may come next.

guides = Guides(loaded)
guide = guides.compiled(json_schema(schema))      # blocks; raises BadRequest where no answer could fit
allowed = guide.allowed()                          # for a row's next token
guide.consume(token)
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer

from ....runtime.errors import BadRequest, StackError
from .loading import Loaded, Tensors

# A space or a line with its indentation: as models like to write, and no more than that, as one could write for ever.
WHITESPACE = r" ?|\n {0,16}"

CLOSING = 128
"""How many tokens before its limit an answer is brought to its end, if that is less than a quarter of the limit."""


def json_schema(schema: Mapping[str, object]) -> str:
    """The grammar of JSON that fits the schema."""
    return str(LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides={"whitespace_pattern": WHITESPACE}))


def inline(schema: Mapping[str, object]) -> str:
    """The same as a term of a Lark grammar."""
    guidance = {"x-guidance": {"whitespace_pattern": WHITESPACE}}
    return f"%json {json.dumps({**schema, **guidance})}"


def lark(grammar: str) -> str:
    return str(LLMatcher.grammar_from_lark(grammar))


class Guides:
    """Makes guides for one model's vocabulary, whose table for llguidance is built when first needed."""

    def __init__(self, loaded: Loaded, vocabulary: int, ends: Sequence[int]) -> None:
        self._loaded = loaded
        self._size = vocabulary
        self._ends = list(ends)
        self._lock = threading.Lock()
        self._tokenizer: LLTokenizer | None = None
        self._marks: Marks | None = None

    def tokenizer(self) -> LLTokenizer:
        """llguidance's table of the vocabulary. Blocks: a second for a large one, the first time."""
        with self._lock:
            if self._tokenizer is None:
                names = self._loaded.tokenizer
                # A model may have more places for tokens than there are, and a tokenizer more tokens than the model.
                self._tokenizer = from_tokenizer(
                    names, n_vocab=max(self._size, len(names)), eos_token=self._ends or names.eos_token_id
                )
            return self._tokenizer

    def compiled(self, grammar: str, param: str) -> Guide:
        """Blocks. Raises BadRequest where the grammar is none, is too large, or nothing fits it."""
        tokenizer = self.tokenizer()
        matcher = LLMatcher(tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise _unfit(matcher.get_error(), param)
        if self._marks is None:
            self._marks = Marks(tokenizer)
        guide = Guide(matcher, self._size, self._ends, self._marks, param)
        beginning = guide.allowed()
        if self._ends:
            beginning[self._ends] = False
        if not bool(beginning.any()):
            raise _unfit("nothing fits it", param)
        return guide

    def raw(self, token: int) -> bytes:
        """A token's bytes."""
        return bytes(self.tokenizer().decode_bytes([token])).removeprefix(b"\xff")


class Marks:
    """The tokens that end something in JSON, and one that tells a string apart."""

    def __init__(self, tokenizer: LLTokenizer) -> None:
        self.quote = _alone(tokenizer, '"')
        self.inside = _alone(tokenizer, "#")
        self.closers = [_alone(tokenizer, mark) for mark in ("}", "]", '"', ",")]


class Guide:
    """What one row may say next. Its matcher knows what it has said."""

    def __init__(self, matcher: Any, size: int, ends: list[int], marks: Marks, param: str) -> None:
        self._matcher = matcher
        self._size = size
        self._ends = ends
        self._marks = marks
        self._param = param

    def copy(self) -> Guide:
        """Another row's, at the same place."""
        return Guide(self._matcher.deep_copy(), self._size, self._ends, self._marks, self._param)

    def allowed(self) -> Tensors:
        """Which tokens may come next: bool [vocabulary], on the CPU. Raises StackError where it cannot be told."""
        bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        if self._matcher.is_error():
            raise _unfit(self._matcher.get_error(), self._param)
        allowed = (bits[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
        return allowed.flatten()[: self._size].bool()

    def closing(self, allowed: Tensors) -> Tensors:
        """The same with what brings the answer to its end alone, where there is such a thing."""
        only = next((token for token in self._wanted(allowed) if bool(allowed[token])), None)
        if only is None:
            return allowed
        narrowed = torch.zeros_like(allowed)
        narrowed[only] = True
        return narrowed

    def _wanted(self, allowed: Tensors) -> list[int]:
        marks = self._marks
        # Where a # may stand, it is within a text, and braces would be more of it.
        if marks.inside is not None and marks.quote is not None and bool(allowed[marks.inside]):
            return [marks.quote]
        return [*self._ends, *(token for token in marks.closers if token is not None)]

    def consume(self, token: int) -> bool:
        """The row's new token. Whether more must follow. Raises StackError where the token was not allowed."""
        if not self._matcher.consume_token(token):
            raise StackError(f"the grammar was left: {self._matcher.get_error()}", code="inference_failed")
        return not self._matcher.is_stopped()


def _alone(tokenizer: LLTokenizer, text: str) -> int | None:
    """The token that is this text, None where it takes several."""
    tokens = tokenizer.greedy_tokenize(text)
    return tokens[0] if len(tokens) == 1 else None


def _unfit(reason: str, param: str) -> BadRequest:
    said = " ".join(reason.split())[:300]
    return BadRequest(f"the schema cannot be used: {said}", code="invalid_json_schema", param=param)

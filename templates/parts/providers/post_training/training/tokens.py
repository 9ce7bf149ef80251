"""Examples as tokens: what the model reads, and which of it it is to learn to say.

A conversation is made tokens as a server does it: up to where the assistant speaks as the prompt would be, and what it
says for itself. So the model meets in training what it meets later, and no token stands half in a prompt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...inference.model_files import BadModel

Tokenizer: TypeAlias = Any
"""A tokenizer of transformers, which the type checker does not follow."""

IGNORED = -100
"""The label of a token that is not to be learned; torch's own choice."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens, and for each its label: the token itself, or IGNORED."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def learned(self) -> int:
        """How many tokens are to be learned; the first has nothing before it to be told from."""
        return sum(label != IGNORED for label in self.labels[1:])


class Texts:
    """Makes sequences for one model. most: tokens of one."""

    def __init__(self, tokenizer: Tokenizer, *, most: int, train_on_input: bool) -> None:
        self._tokenizer = tokenizer
        self._encode = tokenizer.backend_tokenizer.encode
        self._most = most
        self._train_on_input = train_on_input

    def conversation(self, messages: Sequence[dict[str, str]]) -> Tokens | None:
        """None where nothing that is to be learned has room. Raises BadModel where the chat template cannot show it."""
        try:
            turns = self._turns(messages, every=True)
        except _Unstable:
            # Some templates leave out of earlier turns what they show of the last.
            turns = self._turns(messages, every=False)
        return self._joined(turns, self._train_on_input)

    def answer(self, messages: Sequence[dict[str, str]], answer: str) -> Tokens | None:
        """The same of one answer to messages, which alone is learned."""
        said = [*messages, {"role": "assistant", "content": answer}]
        return self._joined(self._turns(said, every=False), False)

    def _turns(self, messages: Sequence[dict[str, str]], *, every: bool) -> list[tuple[str, bool]]:
        """The conversation's text in pieces, and of each whether the assistant says it; all its turns or the last."""
        at = [number for number, each in enumerate(messages) if each["role"] == "assistant"]
        pieces: list[tuple[str, bool]] = []
        so_far = ""
        for number in at if every else at[-1:]:
            before, after = self._rendered(messages[:number], asks=True), self._rendered(messages[: number + 1])
            if not before.startswith(so_far) or not after.startswith(before):
                if every:
                    raise _Unstable
                before = self._rendered(messages[:number])
                if not after.startswith(before):
                    raise BadModel("the model's chat template does not show an answer as what follows its question")
            pieces += [(before[len(so_far) :], False), (after[len(before) :], True)]
            so_far = after
        return pieces

    def _rendered(self, messages: Sequence[dict[str, str]], *, asks: bool = False) -> str:
        try:
            found: str = self._tokenizer.apply_chat_template(list(messages), add_generation_prompt=asks, tokenize=False)
        except Exception as error:  # templates raise what they like
            raise BadModel(f"the model's chat template refuses an example: {error}") from error
        return found

    def _joined(self, pieces: Sequence[tuple[str, bool]], all_of_it: bool) -> Tokens | None:
        ids: list[int] = []
        labels: list[int] = []
        for text, said in pieces:
            found = self._encode(text, add_special_tokens=False).ids
            ids += found
            labels += found if said or all_of_it else [IGNORED] * len(found)
        cut = Tokens(tuple(ids[: self._most]), tuple(labels[: self._most]))
        return cut if cut.learned else None


class _Unstable(Exception):
    """The template shows a conversation's beginning otherwise once it goes on."""


def plain_template(text: str, end: str) -> str:
    """A chat template in Jinja of a text with {input} and {output}, for models that have none. Raises BadModel.

    end: what ends an answer.
    """
    before, found, rest = text.partition("{input}")
    between, found_too, after = rest.partition("{output}")
    if not found or not found_too:
        raise BadModel("chat_template must have {input}, and {output} after it")
    asked = f"{{{{ {json.dumps(before)} + message.content + {json.dumps(between)} }}}}"
    said = f"{{{{ message.content + {json.dumps(after + end)} }}}}"
    return (
        "{% for message in messages %}"
        f"{{% if message.role == 'assistant' %}}{said}"
        "{% elif message.role == 'system' %}{{ message.content + '\\n' }}"
        f"{{% else %}}{asked}{{% endif %}}"
        "{% endfor %}"
    )

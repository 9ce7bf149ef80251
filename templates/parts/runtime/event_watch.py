"""What the events of an upstream's stream say, as far as the relay has to know: usage, errors, the end, and that it is
what was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pydantic_core import from_json

from .context import Usage
from .errors import StackError, UpstreamError
from .secret import Secret
from .sse import data, event
from .upstream_errors import event_error

# Of one request. A service that says more, or less than none, does not know.
MOST_TOKENS = 1_000_000_000
# A stream whose events differ in more than their text is not worth more attempts to learn their form.
MOST_LESSONS = 8

Document: TypeAlias = Mapping[str, object]
FindUsage: TypeAlias = Callable[[Document], object]

_TEXT = re.compile(rb'[^"\\\x00-\x1f]*')
_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")


def count_tokens(usage: Usage, said: object) -> None:
    """Takes over what a usage object says, as far as it is one."""
    if isinstance(said, dict):
        prompt, completion = said.get("prompt_tokens"), said.get("completion_tokens")
        if isinstance(prompt, int) and 0 <= prompt <= MOST_TOKENS:
            usage.prompt_tokens = prompt
        if isinstance(completion, int) and 0 <= completion <= MOST_TOKENS:
            usage.completion_tokens = completion


class EventWatch:
    """Looks at the events of one stream.

    Most events of a stream are the same but for their text. What stands around the text is remembered from one that was
    read, and those that follow need not be read to be known: JSON with another string in a string's place is JSON, and
    says the same of everything else.

    done: `[DONE]` was seen. finished: a choice has said why it ended, which is the end where a server never sends
    `[DONE]`. trouble: the error that follows what was kept of the last block, if one does.
    """

    __slots__ = (
        "_after",
        "_before",
        "_find_usage",
        "_head",
        "_host",
        "_lessons",
        "_secrets",
        "_tail",
        "_usage",
        "_wants_usage",
        "done",
        "finished",
        "trouble",
    )

    def __init__(
        self, host: str, secrets: tuple[Secret | str, ...], usage: Usage, find_usage: FindUsage, *, wants_usage: bool
    ) -> None:
        self._host = host
        self._secrets = secrets
        self._usage = usage
        self._find_usage = find_usage
        self._wants_usage = wants_usage
        self.done = False
        self.finished = False
        self.trouble: StackError | None = None
        self._lessons = MOST_LESSONS
        # At first something that no event begins with.
        self._before = self._after = b"\n"
        self._head = self._tail = 0

    def knows(self, event: bytes) -> bool:
        """Whether it is one event, blank line and all, of the form that was learnt: for the client as it is."""
        return (
            event.startswith(self._before)
            and event.endswith(self._after)
            and _TEXT.fullmatch(event, self._head, len(event) - self._tail) is not None
        )

    def take(self, block: bytes) -> bytes:
        """What of a block of whole events is for our client."""
        kept = []
        try:
            for item in block.split(b"\n\n"):
                # The usual: one line, one object.
                if item.startswith(b"data: {") and b"\n" not in item:
                    whole = item + b"\n\n"
                    if self.knows(whole) or self._is_wanted(item[6:]):
                        kept.append(whole)
                elif item := item.strip(b"\n"):
                    said = data(item)
                    if said is None:
                        self._see_no_data(item)
                    elif said.rstrip() == b"[DONE]":
                        self.done = True
                        break
                    elif self._is_wanted(said):
                        kept.append(event(said.replace(b"\n", b" ")))
        except StackError as error:
            self.trouble = error
        return b"".join(kept)

    def _is_wanted(self, said: bytes) -> bool:
        try:
            document = from_json(said)
        except ValueError:
            raise self._nonsense() from None
        if not isinstance(document, dict):
            raise self._nonsense()
        if document.get("error"):
            raise event_error(self._host, document, self._secrets)
        choices = document.get("choices")
        used = self._find_usage(document)
        if used is not None:
            count_tokens(self._usage, used)
        if not isinstance(choices, list):
            if not isinstance(used, dict):
                raise self._nonsense()
            return self._wants_usage
        for choice in choices:
            if isinstance(choice, dict) and choice.get("finish_reason"):
                self.finished = True
        if self._lessons and used is None and len(choices) == 1:
            self._learn(said, choices[0])
        return bool(choices) or self._wants_usage or not isinstance(used, dict)

    def _learn(self, said: bytes, choice: object) -> None:
        """Remembers the form of an event that says nothing but a text."""
        self._lessons -= 1
        if not isinstance(choice, dict) or choice.get("finish_reason"):
            return
        delta = choice.get("delta")
        text = delta.get("content") if isinstance(delta, dict) else choice.get("text")
        if not isinstance(text, str) or not text:
            return
        before, found, after = said.partition(b'"%b"' % text.encode())
        # It has to be a value: were it a key, the form would let any key through.
        if found and before.rstrip().endswith(b":"):
            self._before, self._after = b'data: %b"' % before, b'"%b\n\n' % after
            self._head, self._tail = len(self._before), len(self._after)

    def _see_no_data(self, item: bytes) -> None:
        """Comments keep a connection alive, and a lone `event:` or `id:` says nothing; a page of HTML is another
        matter.
        """
        if not all(line.startswith(_OTHER_FIELDS) for line in item.split(b"\n")):
            raise self._nonsense()

    def _nonsense(self) -> StackError:
        return UpstreamError(f"{self._host} sent an event that is no part of an answer", code="upstream_invalid_stream")

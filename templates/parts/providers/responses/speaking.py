"""A text of an item that is being said: its events from the first piece to the last.

A message says texts and refusals, an item of reasoning what the model thinks. Each is a part of its item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .citing import Citation, Citing
from .script import Script, around

Item = dict[str, Any]
"""JSON."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one kind of text is told of. item: the type of the item. part, key: the part's type, and where in it the text
    stands. events: what its events begin with. more: the further members of each.
    """

    item: str
    part: str
    key: str
    events: str
    more: bytes = b""


TEXT = Manner("message", "output_text", "text", "response.output_text", b',"logprobs":[]')
REFUSAL = Manner("message", "refusal", "refusal", "response.refusal")
THOUGHT = Manner("reasoning", "reasoning_text", "text", "response.reasoning_text")


class Speech:
    """One part. item: what it is a part of, at `place` of the output."""

    __slots__ = (
        "_annotations",
        "_around",
        "_citing",
        "_item",
        "_logprobs",
        "_number",
        "_pieces",
        "_place",
        "_script",
        "manner",
    )

    def __init__(self, script: Script, item: Item, place: int, manner: Manner, citing: Citing | None) -> None:
        self._script = script
        self._item = item
        self._place = place
        self.manner = manner
        self._number = len(item["content"])
        self._citing = citing if manner is TEXT else None
        self._pieces: list[str] = []
        self._logprobs: list[Item] = []
        self._annotations: list[Item] = []
        self._around = around(f"{manner.events}.delta", item["id"], place, self._number, manner.more)
        self._say("response.content_part.added", part=self._part(""))

    def take(self, piece: str, logprobs: list[Item] | None = None) -> None:
        """logprobs: of the tokens of this piece."""
        if self._citing is not None:
            piece, found = self._citing.take(piece)
            self._cite(found)
        if piece or logprobs:
            self._pieces.append(piece)
            if logprobs:
                self._logprobs += logprobs
                self._say(f"{self.manner.events}.delta", delta=piece, logprobs=logprobs)
            else:
                head, tail = self._around
                self._script.piece(head, piece, tail)

    def end(self) -> None:
        """Its last events; the item has the part from then on."""
        if self._citing is not None:
            rest, found = self._citing.end()
            self._citing = None
            self.take(rest)
            self._cite(found)
        text = "".join(self._pieces)
        part = self._part(text)
        more: Mapping[str, object] = {"logprobs": self._logprobs} if self.manner is TEXT else {}
        self._say(f"{self.manner.events}.done", **{self.manner.key: text}, **more)
        self._say("response.content_part.done", part=part)
        self._item["content"].append(part)

    def _cite(self, found: list[Citation]) -> None:
        for each in found:
            note = {"type": "file_citation", "file_id": each.file_id, "filename": each.filename, "index": each.index}
            place = len(self._annotations)
            self._annotations.append(note)
            self._say("response.output_text.annotation.added", annotation_index=place, annotation=note)

    def _part(self, text: str) -> Item:
        part: Item = {"type": self.manner.part, self.manner.key: text}
        if self.manner is TEXT:
            part |= {"annotations": self._annotations, "logprobs": self._logprobs}
        return part

    def _say(self, kind: str, **fields: object) -> None:
        self._script.say(kind, item_id=self._item["id"], output_index=self._place, content_index=self._number, **fields)

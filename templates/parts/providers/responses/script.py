"""The events of one response as they are sent: numbered, each with its type as SSE's `event`.

script.say("response.output_item.added", output_index=0, item={…})
→ event: response.output_item.added
  data: {"type":"response.output_item.added","output_index":0,"item":{…},"sequence_number":4}
"""

from __future__ import annotations

from pydantic_core import to_json


class Script:
    """What has been said since somebody took it. told: whether anybody listens; where nobody does, nothing is written.

    begun: something was taken.
    """

    __slots__ = ("_number", "_said", "_told", "begun")

    def __init__(self, *, told: bool) -> None:
        self._told = told
        self._said: list[bytes] = []
        self._number = 0
        self.begun = False

    def say(self, kind: str, **fields: object) -> None:
        """One event. fields: JSON values."""
        if self._told:
            body = to_json({"type": kind, **fields, "sequence_number": self._number})
            self._number += 1
            self._said.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), body))

    def piece(self, head: bytes, text: str, tail: bytes) -> None:
        """One of many events that differ in a text only. head, tail: what `around` gave."""
        if self._told:
            self._said.append(b"%b%b%b%d}\n\n" % (head, to_json(text), tail, self._number))
            self._number += 1

    def mark(self) -> tuple[int, int]:
        """Where it is, for `back_to`."""
        return len(self._said), self._number

    def back_to(self, mark: tuple[int, int]) -> None:
        """Unsays what was said since, none of which was taken."""
        said, self._number = mark
        del self._said[said:]

    def take(self) -> bytes:
        """What has been said, b"" for nothing."""
        block = b"".join(self._said)
        self._said.clear()
        self.begun = self.begun or bool(block)
        return block


def around(kind: str, item_id: str, place: int, part: int | None, more: bytes = b"") -> tuple[bytes, bytes]:
    """What stands before and behind the text of such an event. part: of the item, None where it has none. more: of the
    event's members behind the text.
    """
    which = b"" if part is None else b',"content_index":%d' % part
    name = kind.encode()
    head = b'event: %b\ndata: {"type":"%b","item_id":%b,"output_index":%d%b,"delta":'
    return head % (name, name, to_json(item_id), place, which), b'%b,"sequence_number":' % more

"""One run config being read: what is known of it, and what was told of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..load import Document
from ..plan import Position
from ..problems import Problem
from ..resolve.desk import Desk
from .tree import Leaf, Node, Note, child


@dataclass(slots=True)
class Reading:
    """desk: of the specs it is read against. notices: what is left out or changed. problems: why nothing is written."""

    desk: Desk
    source: Document
    notices: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, code: str, at: Position, what: str, why: str) -> Note:
        """Tell of something that has no place; the comment that stands in its place."""
        return self.tell(code, at, f"{what} is left out: {why}")

    def tell(self, code: str, at: Position, message: str) -> Note:
        self.notices.append(Problem(code, at, message))
        return self.comments(-1)[0]

    def comments(self, start: int) -> list[Note]:
        """The notices from the `start`th on as comments: with their place, the file by its name only."""
        told = [(each.message, each.position) for each in self.notices[start:]]
        return [Note(f"{message} ({at.file.rpartition('/')[2]}:{at.line})") for message, at in told]


def said(node: Node | None, key: str) -> str:
    """The text at a key of a mapping, "" if there is none."""
    found = child(node, key)
    return found.value if isinstance(found, Leaf) and isinstance(found.value, str) else ""


def is_empty(node: Node) -> bool:
    """Whether it says nothing: null, an empty list or mapping."""
    return node.value is None if isinstance(node, Leaf) else not node.items

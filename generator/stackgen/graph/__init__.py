"""`stackgen graph NAME`: a picture of a distribution. A Plan in, an SVG out; pure, the same bytes everywhere.

nodes.py    the Plan      → Graph: which components there are, and who needs whom
layout.py   the Graph     → Layout: where each of them stands, and along which lines
svg.py      the Layout    → text
"""

from collections.abc import Callable

from ..plan import Plan, Position
from .layout import arranged
from .nodes import graph_of
from .svg import drawn

__all__ = ["arranged", "drawn", "graph_of", "picture"]


def picture(plan: Plan, link: Callable[[Position], str]) -> str:
    """The SVG of a distribution. link: the address of a line of a spec."""
    return drawn(arranged(graph_of(plan)), link)

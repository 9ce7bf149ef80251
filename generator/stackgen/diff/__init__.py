"""`stackgen diff OLD NEW`: what changed for clients, for operators, and inside, between two builds of a server.

Both sides are read in the form that they have in common, the rendered package (`package.py`); `changes.py` lists the
rules, and which of them break somebody.
"""

from .changes import AREAS, RULES, Change
from .compare import compare
from .operand import NoOperand, read_operand
from .package import NoPackage, Package, read_package
from .telling import changes_json, format_changes

__all__ = [
    "AREAS",
    "RULES",
    "Change",
    "NoOperand",
    "NoPackage",
    "Package",
    "changes_json",
    "compare",
    "format_changes",
    "read_operand",
    "read_package",
]

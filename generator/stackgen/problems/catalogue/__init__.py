"""Every code that the compiler can report, its entries by their first digit in the files beside this one.

An entry says what is wrong (title), why that is an error (why), how to mend it (mend), and shows it (example).
"""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry
from .form import FILES, FORM
from .importing import IMPORTING
from .parts import PARTS
from .settings import CONFIG, SLOTS
from .structure import NAMES, STRUCTURE

CATALOGUE: Mapping[str, Entry] = {**FILES, **FORM, **NAMES, **STRUCTURE, **CONFIG, **SLOTS, **PARTS, **IMPORTING}

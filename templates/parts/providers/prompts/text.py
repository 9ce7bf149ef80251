"""The text of a prompt, and the variables in it.

    placeholders("Dear {{ name }}")                    → ["name"]
    filled("Dear {{ name }}", {"name": "{{ Ann }}"})   → "Dear {{ Ann }}"

A variable is put in as it is: what looks like one in its value stays, so that nobody who may say what a variable is can
say what the prompt is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...runtime.errors import BadRequest

# Possessive, so that no text takes more than one look at each of its characters.
_NAME = r"\w++(?:[.-]\w++)*+"
_PLACEHOLDER = re.compile(rf"\{{\{{\s*+({_NAME})\s*+\}}\}}")
_IS_NAME = re.compile(_NAME)
_TOLD = 5


def placeholders(text: str) -> list[str]:
    """The names of the variables that stand in a text, each once, in their order."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def declared(text: str, variables: list[str] | None) -> list[str]:
    """The variables, each once. Raises BadRequest for one that no text could name, and for a text that has others."""
    names = list(dict.fromkeys(variables or ()))
    if wrong := [name for name in names if not _IS_NAME.fullmatch(name)]:
        raise BadRequest(
            f"variables: {_told(map(repr, wrong))}: a name is letters, digits and _, also in groups joined by - or .",
            code="invalid_variable",
            param="variables",
        )
    known = set(names)
    if unknown := [name for name in placeholders(text) if name not in known]:
        raise BadRequest(
            f"the prompt has {_told(f'{{{{ {name} }}}}' for name in unknown)}, which `variables` does not declare",
            code="undeclared_variable",
            param="variables",
        )
    return names


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables' values. Raises BadRequest for one that has none."""
    if missing := [name for name in placeholders(text) if name not in values]:
        raise BadRequest(
            f"the prompt's {_told(f'{{{{ {name} }}}}' for name in missing)} has no value",
            code="missing_variable",
            param="variables",
        )
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _told(names: Iterable[str]) -> str:
    """The first few."""
    first: list[str] = []
    rest = 0
    for name in names:
        if len(first) < _TOLD:
            first.append(name[:100])
        else:
            rest += 1
    return ", ".join(first) + (f" and {rest} more" if rest else "")

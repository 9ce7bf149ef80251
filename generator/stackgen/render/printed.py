"""The only user of Jinja: a template's text and a view in, the printed text out. Templates loop and substitute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined


def printed(name: str, template: str, view: Mapping[str, Any]) -> str:
    """What a template says of a view. A file of HTML is escaped, but for what is marked as markup already."""
    jinja = Environment(
        loader=DictLoader({name: template}),
        undefined=StrictUndefined,
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return jinja.get_template(name).render(view)

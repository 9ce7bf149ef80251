"""What the answers of the prompts API are made of.

Generated from apis/prompts.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..wire import WireModel


class Prompt(WireModel):
    """One version of a prompt."""

    prompt_id: str
    """`pmpt_` and 48 hexadecimal digits."""
    version: Annotated[int, Field(ge=1)]
    """1 for the first."""
    prompt: str | None
    """The text."""
    variables: list[str]
    """The names of the variables in it."""
    is_default: bool
    """Whether this is the version shown where none is asked for."""


class ListPromptsResponse(WireModel):
    """Prompts, or versions of one."""

    data: list[Prompt]

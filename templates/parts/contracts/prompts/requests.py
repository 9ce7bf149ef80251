"""What the requests of the prompts API are made of.

Generated from apis/prompts.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from ..wire import WireModel

PromptVariables: TypeAlias = list[str] | None
"""The names of all the variables in the text; null for none."""


class CreatePromptRequest(WireModel):
    """A text, and the variables in it."""

    prompt: str
    """The text; variables stand in it as `{{ name }}`."""
    variables: PromptVariables | None = None


class UpdatePromptBody(WireModel):
    """The next version."""

    prompt: str
    """The text; variables stand in it as `{{ name }}`."""
    version: int
    """The version that this one follows: the latest."""
    variables: PromptVariables | None = None
    set_as_default: bool | None = True
    """Whether it becomes the default version."""


class SetDefaultPromptVersionBody(WireModel):
    """Which version is to be the default."""

    version: int
    """One that there is."""


class ListPromptsRequest(WireModel):
    """List the prompts, each in its default version."""


class RetrievePromptRequest(WireModel):
    """Show a prompt."""

    prompt_id: str
    """The prompt's id."""
    version: Annotated[int | None, Field(ge=1)] = None
    """Which version; the default one if absent."""


class PostPromptRequest(UpdatePromptBody):
    """Make a new version of a prompt, as Llama Stack 0.3's clients ask for it."""

    prompt_id: str
    """The prompt's id."""


class UpdatePromptRequest(UpdatePromptBody):
    """Make a new version of a prompt."""

    prompt_id: str
    """The prompt's id."""


class DeletePromptRequest(WireModel):
    """Remove a prompt in all its versions."""

    prompt_id: str
    """The prompt's id."""


class PostDefaultPromptVersionRequest(SetDefaultPromptVersionBody):
    """The same, as Llama Stack 0.3's clients ask for it."""

    prompt_id: str
    """The prompt's id."""


class SetDefaultPromptVersionRequest(SetDefaultPromptVersionBody):
    """Say which version is shown where none is asked for."""

    prompt_id: str
    """The prompt's id."""


class ListPromptVersionsRequest(WireModel):
    """List the versions of a prompt, the first one first."""

    prompt_id: str
    """The prompt's id."""

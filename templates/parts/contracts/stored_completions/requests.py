"""What the requests of the stored_completions API are made of.

Generated from apis/stored_completions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..wire import WireModel


class ChatCompletionLabels(WireModel):
    """What of a chat completion can be changed."""

    metadata: dict[str, str] | None
    """Its new labels: at most 16, keys of up to 64 characters, values of up to 512. Null for none."""


class ListChatCompletionsRequest(WireModel):
    """List the chat completions that were kept."""

    model: str | None = None
    """Only answers of this model, named as in the request or as in the answer."""
    metadata: dict[str, str] | None = None
    """Only those with all of these labels: `metadata[key1]=value1&metadata[key2]=value2`."""
    after: str | None = None
    """The last id of the page before."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many to give at most."""
    order: Literal["asc", "desc"] | None = "asc"
    """The oldest first, or the newest."""


class GetChatCompletionRequest(WireModel):
    """Read a chat completion that was kept."""

    completion_id: str
    """The id that its answer had."""


class UpdateChatCompletionRequest(ChatCompletionLabels):
    """Replace the labels of a chat completion that was kept."""

    completion_id: str
    """The id that its answer had."""


class DeleteChatCompletionRequest(WireModel):
    """Remove a chat completion that was kept."""

    completion_id: str
    """The id that its answer had."""


class GetChatCompletionMessagesRequest(WireModel):
    """List the messages that a chat completion answers."""

    completion_id: str
    """The id that its answer had."""
    after: str | None = None
    """The last id of the page before."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many to give at most."""
    order: Literal["asc", "desc"] | None = "asc"
    """The first first, or the last."""

"""What the answers of the files API are made of.

Generated from apis/files.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal

from ..wire import WireModel


class OpenAIFile(WireModel):
    """What is known of a file."""

    id: str
    object: Literal["file"]
    bytes: int
    """Its size."""
    created_at: int
    """Unix time, seconds."""
    expires_at: int | None = None
    """Unix time, seconds, from which on it is gone; null if never."""
    filename: str
    """The name it was uploaded under."""
    purpose: str
    """What it is for: a FilePurpose. OpenAI's document leaves `evals` out here."""
    status: Literal["uploaded", "processed", "error"]
    """Kept for old clients: a file that is there is `processed`."""
    status_details: str | None = None
    """Kept for old clients."""


class ListFilesResponse(WireModel):
    """A page of files."""

    object: Literal["list"]
    data: list[OpenAIFile]
    first_id: str
    """The id of the first file; empty on an empty page."""
    last_id: str
    """The id of the last one, for `after`."""
    has_more: bool
    """Whether there is a page after this."""


class DeleteFileResponse(WireModel):
    """That a file is gone."""

    id: str
    object: Literal["file"]
    deleted: bool

"""What the requests of the files API are made of.

Generated from apis/files.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ...runtime.upload import Upload
from ..wire import WireModel

FilePurpose: TypeAlias = Literal[
    "assistants",
    "assistants_output",
    "batch",
    "batch_output",
    "fine-tune",
    "fine-tune-results",
    "vision",
    "user_data",
    "evals",
]
"""What a file is for. `assistants_output`, `batch_output` and `fine-tune-results` are for what the server makes: an
upload that says so is refused.
"""


class FileExpirationAfter(WireModel):
    """When the file is to be deleted."""

    anchor: Literal["created_at"]
    """From when on the seconds count."""
    seconds: Annotated[int, Field(ge=3600, le=2592000)]
    """One hour to 30 days."""


class CreateFileRequest(WireModel):
    """A file, and what it is for."""

    file: Upload
    """The file, as a part of the form that has a filename."""
    purpose: FilePurpose
    expires_after: FileExpirationAfter | None = None


FileOrder: TypeAlias = Literal["asc", "desc"]
"""`asc` has the oldest first, `desc` the newest."""


class ListFilesRequest(WireModel):
    """List the files."""

    after: str | None = None
    """The id of the file that the list goes on after: `last_id` of the page before."""
    limit: Annotated[int | None, Field(ge=1, le=10000)] = 10000
    """How many files a page has at most."""
    order: FileOrder | None = "desc"
    """By `created_at`."""
    purpose: str | None = None
    """Only files with this purpose."""


class RetrieveFileRequest(WireModel):
    """Describe one file."""

    file_id: str
    """The file's id."""


class DeleteFileRequest(WireModel):
    """Delete a file."""

    file_id: str
    """The file's id."""


class DownloadFileRequest(WireModel):
    """Give what a file holds."""

    file_id: str
    """The file's id."""

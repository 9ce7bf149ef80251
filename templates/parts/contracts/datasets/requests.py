"""What the requests of the datasets API are made of.

Generated from apis/datasets.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel

DatasetPurpose: TypeAlias = Literal["post-training/messages", "eval/question-answer", "eval/messages-answer"]
"""What it is for, and so what a row has - `messages` to train with, or a `question`, or `messages`, each with an
`answer`. Rows are not held to it.
"""


class URIDataSource(WireModel):
    """A place to read them from."""

    type: Literal["uri"]
    uri: Annotated[str, Field(min_length=1)]
    """Such as `https://example.com/rows.jsonl`, `lsfs://rows.csv`, `data:text/csv;base64,…` or
    `huggingface://datasets/owner/name?split=train`.
    """


class RowsDataSource(WireModel):
    """The rows themselves."""

    type: Literal["rows"]
    rows: list[dict[str, Any]]
    """Each an object of columns. In answers none of them, where they take more than 64 KiB: `datasetio` gives them."""


DataSource: TypeAlias = Annotated[URIDataSource | RowsDataSource, Field(discriminator="type")]
"""Where the rows of a dataset come from."""


class RegisterDatasetRequest(WireModel):
    """A dataset to be registered."""

    dataset_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The name clients use; one is made up if absent."""
    purpose: DatasetPurpose
    source: DataSource
    metadata: dict[str, Any] | None = None
    """What is to be shown with it, at most 64 KiB. `provider_id` there names the instance that is to have it; otherwise
    the first that takes such a source.
    """


class ListDatasetsRequest(WireModel):
    """List the datasets."""


class RetrieveDatasetRequest(WireModel):
    """Describe one dataset."""

    dataset_id: str
    """The id; it may hold slashes."""


class UnregisterDatasetRequest(WireModel):
    """Unregister a dataset."""

    dataset_id: str
    """The id; it may hold slashes."""

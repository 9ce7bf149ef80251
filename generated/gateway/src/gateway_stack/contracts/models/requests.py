"""What the requests of the models API are made of.

Generated from apis/models.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from ..wire import WireModel


class ListModelsRequest(WireModel):
    """List the models."""


class RetrieveModelRequest(WireModel):
    """Describe one model."""

    model: str
    """The id; it may hold slashes."""

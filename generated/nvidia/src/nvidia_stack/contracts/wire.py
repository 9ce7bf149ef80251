"""What all models of requests and answers have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WireModel(BaseModel):
    """A JSON object of an API.

    Properties that its document does not describe are kept, since clients and services know ones that we do not.
    The validator is built when it is first needed: most models only ever stand inside another, whose validator includes
    theirs.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

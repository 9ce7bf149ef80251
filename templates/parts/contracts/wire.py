"""What all models of requests and answers have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema


class WireModel(BaseModel):
    """A JSON object of an API.

    Properties that its document does not describe are kept, since clients and services know ones that we do not.
    The validator is built when it is first needed: most models only ever stand inside another, whose validator includes
    theirs.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _stop_at_first_fault(schema)
        return schema


def _stop_at_first_fault(schema: object) -> None:
    """Makes every list stop at its first wrong item.

    One fault is all that anyone is told, and a body of a few megabytes can hold a million of them, each costing a
    thousand times the memory of the text that has it.
    """
    if isinstance(schema, dict):
        if schema.get("type") == "list":
            schema["fail_fast"] = True
        for part in schema.values():
            _stop_at_first_fault(part)
    elif isinstance(schema, list):
        for part in schema:
            _stop_at_first_fault(part)

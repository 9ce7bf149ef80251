"""Whether arguments fit a tool's JSON Schema, which comes from a server that need not be trusted.

jsonschema-rs never recurses without bound, and is told to use regular expressions that take linear time; it fetches
nothing, since references to elsewhere are refused. A schema that it cannot use refuses nothing: the server that the
tool is at has the last word in any case.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest

if TYPE_CHECKING:
    from jsonschema_rs import Validator

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 300
LARGEST_SCHEMA = 256 * 1024
"""Characters of a schema that is made ready: that takes time of the event loop."""

HIDDEN = "the value"
"""Stands for what was given: arguments are the caller's own, and may be secret."""


class ArgumentCheck:
    """One schema, made ready when it is first needed."""

    __slots__ = ("_ready", "_schema", "_validator")

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._ready = False
        self._validator: Validator | None = None

    def __call__(self, arguments: Mapping[str, object]) -> None:
        """Raises BadRequest for the first fault, naming its place as `kwargs.a.b[0]`."""
        if not self._ready:
            self._validator = _validator_of(self._schema)
            self._ready = True
        if self._validator is None:
            return
        fault = next(iter(self._validator.iter_errors(arguments)), None)
        if fault is not None:
            place = "kwargs" + "".join(
                f"[{each}]" if isinstance(each, int) else f".{each}" for each in fault.instance_path
            )
            message = f"{place} does not fit the tool's schema: {fault.message[:LONGEST_MESSAGE]}"
            raise BadRequest(message, code="invalid_arguments", param=place[:200])


def _validator_of(schema: Mapping[str, object]) -> Validator | None:
    import jsonschema_rs

    text = json.dumps(schema)
    if len(text) > LARGEST_SCHEMA:
        log.debug("a tool's schema is too large to be used: %d characters", len(text))
        return None
    try:
        return jsonschema_rs.validator_for(
            text, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions(), mask=HIDDEN
        )
    except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        log.debug("a tool's schema cannot be used: %s", str(error)[:LONGEST_MESSAGE])
        return None


def _refuse(uri: str) -> dict[str, str]:
    raise ValueError("a tool's schema refers to what is elsewhere")

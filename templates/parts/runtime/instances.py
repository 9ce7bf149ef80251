"""Which instance a request to register something means."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from .errors import BadRequest


def instance_meant(said: str | None, instances: Collection[str], api: str) -> str:
    """The instance that is to serve what is registered; the only one where none is said.

    Raises BadRequest where none is meant, or none of these.
    """
    known = ", ".join(instances) or f"none: no provider of {api} is switched on"
    if said is None and len(instances) == 1:
        return next(iter(instances))
    if said is None:
        message = f"provider_id is missing, as there is more than one; expected one of {known}"
        raise BadRequest(message if instances else f"there are no providers: {known}", param="provider_id")
    if said not in instances:
        near = difflib.get_close_matches(said[:100], instances, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {known}"
        message = f"there is no provider {said[:100]!r} of {api} here; {hint}"
        raise BadRequest(message, code="provider_not_found", param="provider_id")
    return said

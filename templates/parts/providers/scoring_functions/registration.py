"""The rules by which a client registers a scoring function, as functions of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest
from ...runtime.instances import instance_meant
from ...runtime.registry_records import Registered
from ...runtime.scoring import Scorer
from .entries import Entry, built_in, function_named, params_of

if TYPE_CHECKING:
    from ...contracts.scoring_functions.requests import RegisterScoringFunctionRequest

PARAMS_BYTES = 64 * 1024
"""The most that a function's params take as JSON: every process has them in memory."""


def fields_of(request: RegisterScoringFunctionRequest, scorers: Mapping[str, Scorer]) -> dict[str, object]:
    """What is kept of a function. Raises BadRequest for a provider or a function that is not here, and for params that
    it does not take.
    """
    function = _function_meant(request, scorers)
    params = None if request.params is None else request.params.model_dump(mode="json", exclude_none=True)
    if params is not None and len(json.dumps(params)) > PARAMS_BYTES:
        raise BadRequest(f"params take more than {PARAMS_BYTES} bytes as JSON", param="params")
    scorers[function.instance].check(function.function, request.params or function.params)
    return {
        "provider_id": function.instance,
        "provider_scoring_fn_id": function.function,
        "description": request.description,
        "return_type": request.return_type.type,
        "params": params,
    }


def entry_of(kept: Registered, scorers: Mapping[str, Scorer]) -> Entry | None:
    """The function as the table has it; None for what is none, and for one of a provider that has it no longer."""
    fields = kept.fields
    instance, name, returns = (fields.get(key) for key in ("provider_id", "provider_scoring_fn_id", "return_type"))
    description = fields.get("description")
    if not isinstance(instance, str) or not isinstance(name, str) or not isinstance(returns, str):
        return None
    if instance not in scorers or not isinstance(description, str):
        return None
    try:
        function, params = function_named(name, instance, scorers), params_of(fields.get("params"))
    except (BadRequest, ValueError):
        return None
    return Entry(
        id=kept.id,
        instance=instance,
        function=name,
        description=description,
        returns=returns,
        params=function.params if params is None else params,
    )


def _function_meant(request: RegisterScoringFunctionRequest, scorers: Mapping[str, Scorer]) -> Entry:
    """The provider's function that a new one is made of: the one that is named, or the first that takes such params."""
    among = scorers
    if request.provider_id is not None:
        instance = instance_meant(request.provider_id, scorers, "scoring")
        among = {instance: scorers[instance]}
    known = built_in(among)
    name = request.provider_scoring_fn_id
    if name is not None:
        if name not in known:
            whose = "here" if request.provider_id is None else f"of provider {request.provider_id!r}"
            message = f"there is no scoring function {name[:200]!r} {whose}; expected one of {', '.join(known)}"
            raise BadRequest(message, code="scoring_function_not_found", param="provider_scoring_fn_id")
        return known[name]
    if request.params is not None and request.params.type != "basic":
        for each in known.values():
            if _takes(scorers[each.instance], each.function, request):
                return each
    message = "provider_scoring_fn_id is missing: which of the functions of GET /v1/scoring-functions is it made of?"
    raise BadRequest(message, code="scoring_function_not_found", param="provider_scoring_fn_id")


def _takes(scorer: Scorer, function: str, request: RegisterScoringFunctionRequest) -> bool:
    try:
        scorer.check(function, request.params)
    except BadRequest:
        return False
    return True

"""What `stackgen diff` tells: one Change, and the rules that say which changes break somebody.

A rule's name says it all, so that a CI job can name the ones it minds: `removed-operation`,
`narrowed-request-enum`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..plan import JsonValue

Area = Literal["api", "settings", "requirements", "parts", "wiring"]
Direction = Literal["request", "response", "setting"]
"""Whose values a schema describes: what clients send, what they get, what the operator sets."""

AREAS: tuple[Area, ...] = ("api", "settings", "requirements", "parts", "wiring")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. place: where ("ChatCompletion.usage", "POST /v1/rerank", "providers.inference.openai.base_url").

    old, new: what was there and what is, None for nothing. operations: of the API, which ones it reaches.
    """

    area: Area
    rule: str
    place: str
    old: JsonValue = None
    new: JsonValue = None
    operations: tuple[str, ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether somebody who relied on the old side may fail with the new one."""
        return RULES[self.rule]


def _schema_rules() -> Iterator[tuple[str, bool]]:
    """Rules of schemas: who sends a value minds that less is taken, who gets one minds that more may come."""
    directions: tuple[Direction, ...] = ("request", "response", "setting")
    for direction in directions:
        sent = direction != "response"
        for what in ("type", "enum", "limit", "pattern", "format", "union"):
            yield f"narrowed-{direction}-{what}", sent
            yield f"widened-{direction}-{what}", not sent
            if what != "union":
                yield f"changed-{direction}-{what}", True
        yield f"changed-{direction}-schema", True
        yield f"changed-{direction}-default", False
        yield f"closed-{direction}-object", sent
        # Clients are expected to overlook what they do not know.
        yield f"opened-{direction}-object", False
        property_ = property_rule(direction)
        yield f"removed-{property_}", True
        yield f"new-{property_}", False
        yield f"new-required-{property_}", sent
        yield f"{property_}-became-required", sent
        yield f"{property_}-became-optional", not sent
        yield f"deprecated-{property_}", False
        yield f"undeprecated-{property_}", False


def property_rule(direction: Direction) -> str:
    """How rules call a property of such an object."""
    return "setting" if direction == "setting" else f"{direction}-property"


_OPERATIONS: Mapping[str, bool] = {
    "removed-operation": True,
    "new-operation": False,
    "deprecated-operation": False,
    "undeprecated-operation": False,
    # Nothing on the wire, but a name in generated clients.
    "changed-operation-id": False,
    "credential-required": True,
    "credential-not-required": False,
    "removed-parameter": True,
    "new-required-parameter": True,
    "new-optional-parameter": False,
    "parameter-became-required": True,
    "parameter-became-optional": False,
    "removed-request-body": True,
    "new-required-request-body": True,
    "new-optional-request-body": False,
    "request-body-became-required": True,
    "request-body-became-optional": False,
    "removed-request-media-type": True,
    "new-request-media-type": False,
    "removed-success-status": True,
    "new-success-status": False,
    "removed-error-status": False,
    "new-error-status": False,
    "removed-response-media-type": True,
    "new-response-media-type": False,
    "removed-response-header": True,
    "new-response-header": False,
    # Descriptions, examples, titles, tags; told only where nothing else of the document differs.
    "changed-documentation": False,
}

_PACKAGE: Mapping[str, bool] = {
    "new-variable": False,
    "new-required-variable": True,
    "variable-became-required": True,
    "variable-became-optional": False,
    "changed-variable": True,
    "removed-variable": True,
    "new-requirement": False,
    "removed-requirement": False,
    "changed-version": False,
    "changed-hashes": False,
    # Whoever installs the server has to see to it.
    "new-external": True,
    "changed-external": True,
    "removed-external": False,
    "new-part": False,
    "removed-part": False,
    "changed-part": False,
    "new-file": False,
    "removed-file": False,
    "changed-file": False,
    "new-instance": False,
    "removed-instance": True,
    "changed-type": True,
    "new-resource": False,
    "removed-resource": True,
    "changed-resource": False,
    "gate-added": True,
    "gate-removed": False,
    "changed-gate": True,
}

RULES: Mapping[str, bool] = {**dict(_schema_rules()), **_OPERATIONS, **_PACKAGE}
"""Every rule, and whether it breaks somebody."""

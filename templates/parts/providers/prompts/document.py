"""A prompt as it is kept: one JSON document with all its versions, changed by whoever read it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from ...contracts.prompts.responses import Prompt
from ...runtime.errors import BadRequest, NotFound
from ...runtime.owner import Owner

LARGEST = 4 * 1024 * 1024
"""Bytes of a document. A key-value store takes 8 MiB."""


@dataclass(frozen=True, slots=True)
class Version:
    """A text, and the variables that it declares."""

    text: str
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A prompt. created_ns: Unix time. default: the number of a version; versions: the first is number 1."""

    id: str
    owner: Owner
    created_ns: int
    default: int
    versions: tuple[Version, ...]

    @property
    def latest(self) -> int:
        return len(self.versions)

    def followed(self, version: Version, *, is_default: bool) -> Document:
        """With one more version."""
        versions = (*self.versions, version)
        return replace(self, versions=versions, default=len(versions) if is_default else self.default)

    def with_default(self, number: int) -> Document:
        """With another default version. Raises NotFound where there is no such version."""
        self._check(number)
        return replace(self, default=number)

    def shown(self, number: int | None = None) -> Prompt:
        """One version, the default one for None. Raises NotFound where there is none."""
        number = self.default if number is None else number
        self._check(number)
        version = self.versions[number - 1]
        return Prompt(
            prompt_id=self.id,
            version=number,
            prompt=version.text,
            variables=list(version.variables),
            is_default=number == self.default,
        )

    def _check(self, number: int) -> None:
        if not 1 <= number <= self.latest:
            raise NotFound(
                f"prompt {self.id!r} has no version {number}; its latest is {self.latest}",
                code="prompt_version_not_found",
                param="version",
            )

    def dumped(self) -> bytes:
        """Raises BadRequest where it has become too large."""
        text = to_json(
            {
                "owner": self.owner.principal,
                "attributes": self.owner.attributes,
                "created_ns": self.created_ns,
                "default": self.default,
                "versions": [{"text": each.text, "variables": each.variables} for each in self.versions],
            }
        )
        if len(text) > LARGEST:
            raise BadRequest(
                f"the prompt would take {len(text)} bytes with its {self.latest} versions; at most {LARGEST} are kept "
                "of one prompt: make it shorter, or make a new one",
                code="prompt_too_large",
                param="prompt",
            )
        return text


def loaded(prompt_id: str, text: bytes) -> Document:
    """What `dumped` has written."""
    found: Mapping[str, Any] = from_json(text)
    return Document(
        id=prompt_id,
        owner=Owner(found["owner"], found["attributes"]),
        created_ns=found["created_ns"],
        default=found["default"],
        versions=tuple(Version(each["text"], tuple(each["variables"])) for each in found["versions"]),
    )

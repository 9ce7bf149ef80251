"""The form of what is imported: a run config, a build config, or neither."""

from __future__ import annotations

from ..load import Document
from ..plan import JsonValue
from ..problems import Problem
from ..resolve.desk import mapping
from ..validate import Schemas, kind_of

VERSION = 2
_OLDER = ("routing_table", "api_providers", "apis_to_serve", "provider_map")
"""Sections of configs before version 2, in which providers and resources were one list."""


def check_source(schemas: Schemas, document: Document) -> list[Problem]:
    """Why a file cannot be imported; nothing of it is read then."""
    data = document.data
    if not isinstance(data, dict):
        found = kind_of(data)
        return [Problem("SG801", document.at(), "this is no run config", "a mapping with providers", found)]
    version = data.get("version", VERSION)
    old = next((key for key in _OLDER if key in data), None)
    if str(version) != str(VERSION) or old:
        at = document.key(old) if old else document.at("version")
        found = f"the section {old}" if old else f"version: {version}"
        return [Problem("SG802", at, "this form of run config is not read", f"version: {VERSION}", found)]
    if "providers" not in data and "distribution_spec" not in data:
        own = " (it has the form of a distribution)" if {"name", "apis"} <= data.keys() else ""
        keys = ", ".join(data) or "nothing"
        return [Problem("SG801", document.at(), f"this is no run config{own}", "the section providers", keys)]
    return schemas.check(document, "build-config" if is_build_config(data) else "run-config")


def is_build_config(data: JsonValue) -> bool:
    """Whether it lists provider types to install, and no instances."""
    return "distribution_spec" in mapping(data) and "providers" not in mapping(data)

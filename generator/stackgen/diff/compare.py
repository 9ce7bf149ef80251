"""Two packages in, every change out, in the order api, settings, requirements, parts, wiring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from ..plan import JsonValue
from .api import api_changes
from .changes import Area, Change
from .package import Package, Variable, Wired
from .schemas import Walk, schema_changes

T = TypeVar("T")


def compare(old: Package, new: Package) -> tuple[Change, ...]:
    """What the new package has that the old one had not, and the other way round."""
    settings = Walk(old.config, new.config, "settings", "setting")
    return (
        *api_changes(old.openapi, new.openapi),
        *schema_changes(settings, dict(old.config), dict(new.config), ""),
        *_variables(old, new),
        *_requirements(old, new),
        *_externals(old, new),
        *_digests("part", old.parts, new.parts),
        *_digests("file", old.files, new.files),
        *_wiring(old, new),
        *_resources(old, new),
    )


def _each(
    old: Mapping[str, T],
    new: Mapping[str, T],
    gone: Callable[[str, T], Change],
    come: Callable[[str, T], Change],
    kept: Callable[[str, T, T], Iterator[Change]],
) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield gone(name, old[name])
        elif name not in old:
            yield come(name, new[name])
        elif old[name] != new[name]:
            yield from kept(name, old[name], new[name])


def _told(area: Area, rule: str, place: str, old: JsonValue = None, new: JsonValue = None) -> Change:
    return Change(area=area, rule=rule, place=place, old=old, new=new)


def _variables(old: Package, new: Package) -> Iterator[Change]:
    """Environment variables. A component that is new and switched off unless asked for requires nothing of anybody."""
    waits = {name for name, each in new.components.items() if each.when and name not in old.components}

    def gone(name: str, was: Variable) -> Change:
        return _told("settings", "removed-variable", name, [*was.settings])

    def come(name: str, is_: Variable) -> Change:
        needed = set(is_.required_by) - waits
        return _told("settings", f"new-{'required-' if needed else ''}variable", name, None, [*is_.settings])

    def kept(name: str, was: Variable, is_: Variable) -> Iterator[Change]:
        needs = set(is_.required_by) - waits
        if needs - set(was.required_by):
            yield _told("settings", "variable-became-required", name, None, [*sorted(needs)])
        elif was.required_by and not is_.required_by:
            yield _told("settings", "variable-became-optional", name)
        if lost := set(was.settings) - set(is_.settings):
            yield _told(
                "settings", "changed-variable", name, [*sorted(lost)], [*sorted(set(is_.settings) - set(was.settings))]
            )

    return _each(old.variables, new.variables, gone, come, kept)


def _requirements(old: Package, new: Package) -> Iterator[Change]:
    Pinned = tuple[str, tuple[str, ...]]

    def kept(name: str, was: Pinned, is_: Pinned) -> Iterator[Change]:
        if was[0] != is_[0]:
            yield _told("requirements", "changed-version", name, was[0], is_[0])
        else:
            yield _told("requirements", "changed-hashes", name, len(was[1]), len(is_[1]))

    return _each(
        old.requirements,
        new.requirements,
        lambda name, was: _told("requirements", "removed-requirement", name, was[0]),
        lambda name, is_: _told("requirements", "new-requirement", name, None, is_[0]),
        kept,
    )


def _externals(old: Package, new: Package) -> Iterator[Change]:
    return _each(
        old.externals,
        new.externals,
        lambda name, was: _told("requirements", "removed-external", name, was),
        lambda name, is_: _told("requirements", "new-external", name, None, is_),
        lambda name, was, is_: iter([_told("requirements", "changed-external", name, was, is_)]),
    )


def _digests(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    return _each(
        old,
        new,
        lambda path, _: _told("parts", f"removed-{what}", path),
        lambda path, _: _told("parts", f"new-{what}", path),
        lambda path, _, __: iter([_told("parts", f"changed-{what}", path)]),
    )


def _wiring(old: Package, new: Package) -> Iterator[Change]:
    def kept(name: str, was: Wired, is_: Wired) -> Iterator[Change]:
        if was.type != is_.type:
            yield _told("wiring", "changed-type", name, was.type, is_.type)
        if was.when != is_.when:
            rule = "gate-added" if not was.when else "gate-removed" if not is_.when else "changed-gate"
            yield _told("wiring", rule, name, was.when or None, is_.when or None)

    return _each(
        old.components,
        new.components,
        lambda name, was: _told("wiring", "removed-instance", name, _component(was)),
        lambda name, is_: _told("wiring", "new-instance", name, None, _component(is_)),
        kept,
    )


def _resources(old: Package, new: Package) -> Iterator[Change]:
    return _each(
        old.resources,
        new.resources,
        lambda name, _: _told("wiring", "removed-resource", name),
        lambda name, _: _told("wiring", "new-resource", name),
        lambda name, was, is_: iter([_told("wiring", "changed-resource", name, dict(was), dict(is_))]),
    )


def _component(each: Wired) -> str:
    return f"{each.type} when {each.when} is set" if each.when else each.type

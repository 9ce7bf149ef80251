"""`report.html`: all of one distribution on one page that needs nothing else. Pure; the template decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ..lockfile import Locked
from ..plan import Plan, Position
from ..sizes import MEANING, size_text, total, total_text, weight_text
from .manifest import MANIFEST, digest
from .printed import printed
from .rows import Row, rows

TEMPLATE = "report.html"
_ASKERS = 3
"""So many of those who asked for a package are named, the others counted."""

Installed = Mapping[str, tuple[str, int]]
"""Package → the version that is installed somewhere, and its bytes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRow:
    method: str
    path: str
    href: str
    answers: str
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    path: str
    variables: tuple[str, ...]
    type: str
    default: str
    needed: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow:
    name: str
    version: str
    asked: str
    weight: str
    installed: str


def report_page(
    template: str,
    plan: Plan,
    files: Mapping[str, bytes],
    packages: Sequence[tuple[Locked, tuple[str, ...]]],
    picture: str,
    link: Callable[[Position], str],
    installed: Installed | None,
) -> str:
    """The page. files: of the rendered package. picture: its SVG. installed: None where nobody named an environment."""
    locked = [each for each, _ in packages]
    size = total(locked)
    there = [here for each in locked if (here := _installed(each, installed or {})) is not None]
    view = {
        # The picture is our own, its texts escaped already.
        "picture": Markup(picture),
        "name": plan.name,
        "summary": " ".join(plan.summary.split()),
        "figures": [
            (len(plan.routes), "routes"),
            (sum(each.role == "instance" for each in plan.components), "providers"),
            (len({each.name for each in locked}), "packages"),
            *([(size_text(size), "to download")] if size is not None else []),
            (len(files), "files"),
            (size_text(sum(map(len, files.values()))), "in the package"),
        ],
        "levels": _levels(plan, link),
        "owners": _owners(plan),
        "packages": [_package(each, asked, installed or {}) for each, asked in packages],
        "total": total_text(locked, plan.externals),
        "meaning": MEANING,
        "installed": "" if installed is None else f"{len(there)} of {len(packages)} take {size_text(sum(there))}",
        "externals": [(each.text, each.help) for each in plan.externals],
        "files": [
            (path, size_text(len(content)), digest(content)) for path, content in files.items() if path != MANIFEST
        ],
    }
    return printed(TEMPLATE, template, view)


def _levels(plan: Plan, link: Callable[[Position], str]) -> list[tuple[str, list[RouteRow]]]:
    """The routes by stability."""
    found: dict[str, list[RouteRow]] = {}
    for each in plan.routes:
        notes = {"streams": each.stream, "no credential": each.public, "clients' own keys": each.provider_data}
        row = RouteRow(
            method=each.method,
            path=each.path,
            href=link(each.because),
            answers=f"{each.component}.{each.operation}",
            notes=", ".join(note for note, on in notes.items() if on),
        )
        found.setdefault(f"{each.level}, deprecated" if each.deprecated else each.level, []).append(row)
    return list(found.items())


def _owners(plan: Plan) -> list[tuple[str, str, list[SettingRow]]]:
    """(whose, there when, settings): first those that a variable gives."""
    found: dict[str, list[Row]] = {}
    for row in rows(plan):
        found.setdefault(row.owner, []).append(row)
    return [
        (
            owner,
            f"there when {each[0].gate} is set" if each[0].gate else "always there",
            [_setting(row) for row in sorted(each, key=lambda row: not row.variables)],
        )
        for owner, each in found.items()
    ]


def _setting(row: Row) -> SettingRow:
    return SettingRow(
        path=row.path,
        variables=row.variables,
        type=row.type,
        default=row.default,
        needed="required" if row.needed else "",
        meaning=row.meaning,
    )


def _package(each: Locked, asked: tuple[str, ...], installed: Installed) -> PackageRow:
    more = f", and {len(asked) - _ASKERS} more" if len(asked) > _ASKERS else ""
    here = _installed(each, installed)
    return PackageRow(
        name=each.name,
        version=each.pin.partition("==")[2],
        asked=", ".join(asked[:_ASKERS]) + more,
        weight=weight_text(each),
        installed="" if here is None else size_text(here),
    )


def _installed(each: Locked, installed: Installed) -> int | None:
    """Its bytes where this very version is installed."""
    version, size = installed.get(each.name, ("", 0))
    return size if version == each.version else None

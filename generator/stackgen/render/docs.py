"""Pages of documentation, as Markdown: of a distribution, of a provider, and the list of either. Pure.

They say what the specs say, and no secret: a page is of a spec, never of a server that runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..plan import JsonValue, Plan
from ..resolve import STORAGE, Property, Provider
from . import project
from .printed import printed
from .project import Setting, cell, code, setting
from .rows import Row, default_text, rows

DISTRIBUTION, PROVIDER, INDEX = "docs.distribution.md", "docs.provider.md", "docs.index.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a list of pages."""

    title: str
    path: str
    summary: str


def index_page(template: str, title: str, entries: Sequence[Entry]) -> str:
    listed = [Entry(title=cell(each.title), path=each.path, summary=cell(each.summary)) for each in entries]
    return printed(INDEX, template, {"title": title, "entries": listed})


def distribution_page(template: str, plan: Plan) -> str:
    """What it is, what it needs to be told, and how to run it."""
    every = rows(plan)
    required = [each for each in every if each.needed and each.variables and not each.gate]
    view = {
        "name": plan.name,
        "package": plan.package,
        "summary": cell(plan.summary),
        "source": plan.origin.file,
        "providers": project.providers(plan),
        "capabilities": [
            (code(each.id), ", ".join(each.capabilities))
            for each in plan.components
            if each.role in ("instance", "backend") and each.capabilities
        ],
        "gates": [code(each) for each in project.gates(plan)],
        "environment": project.environment(plan),
        "required": list(dict.fromkeys(variable for each in required for variable in each.variables)),
        "owners": list(_owners(every)),
        "keys": [
            (code(each.name), _FORMATS[each.format], ", ".join(map(code, each.types))) for each in plan.provider_data
        ],
        "groups": project.route_groups(plan),
        "externals": [(code(each.text), cell(each.help)) for each in plan.externals],
        "port": project.server_port(plan),
    }
    return printed(DISTRIBUTION, template, view)


def _owners(every: Sequence[Row]) -> Iterator[tuple[str, list[Setting]]]:
    """The settings, by whose they are."""
    for owner in dict.fromkeys(each.owner for each in every):
        yield owner, [setting(each) for each in every if each.owner == owner]


def provider_page(template: str, provider: Provider) -> str:
    """What it serves, what it can be told, and what a distribution that has it says."""
    data = provider.document.data
    spec = data if isinstance(data, dict) else {}
    every = list(_rows(provider.schema, provider.api))
    needed = [each for each in every if each.needed and "." not in each.path]
    stem = provider.type.partition("::")[2] or provider.type
    is_backend = provider.api == STORAGE and bool(provider.capabilities)
    view = {
        "api": provider.api,
        "type": provider.type,
        "summary": cell(_text(spec.get("summary"))),
        "source": provider.document.at().file,
        "capabilities": ", ".join(provider.capabilities),
        "aliases": ", ".join(code(each) for each in _texts(spec.get("aliases"))),
        "one_process": provider.one_process,
        "needs": ", ".join(code(each) for each in provider.section("needs")),
        "uses": ", ".join(code(each) for each in provider.section("uses")),
        "settings": [setting(each) for each in every],
        "keys": [(code(name), _format(value)) for name, value in provider.section("provider_data").items()],
        "packages": ", ".join(code(each.text) for each in provider.requirements),
        "sources": [" ".join(each.split()) for each in _texts(spec.get("sources"))],
        "backend": is_backend,
        # The name that those who keep something look for, where they are not told another.
        "id": f"{provider.capabilities[0]}_default" if is_backend else stem,
        "given": [(each.path, f"{stem}_{each.path}".upper().replace("-", "_")) for each in needed],
    }
    return printed(PROVIDER, template, view)


def _rows(schema: Property, owner: str, prefix: str = "") -> Iterator[Row]:
    """The settings that a schema has, those inside objects by their dotted path."""
    for name, each in schema.properties.items():
        if each.properties:
            yield from _rows(each, owner, f"{prefix}{name}.")
            continue
        needed = "default" not in each.rules and (name in schema.required or not each.nullable)
        hidden = needed or each.kind == "secret"
        yield Row(
            owner=owner,
            gate="",
            path=f"{prefix}{name}",
            variables=(),
            text="",
            type=(each.kind or "string").replace("_", " "),
            default="" if hidden else default_text(each.rules.get("default")),
            needed=needed,
            meaning=" ".join(_text(each.rules.get("description")).split()),
        )


_FORMATS = {"password": "secret", "uri": "url", "string": "string", "object": "object"}


def _format(value: JsonValue) -> str:
    found = value.get("format") if isinstance(value, dict) else None
    return _FORMATS.get(_text(found), "string")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: JsonValue) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

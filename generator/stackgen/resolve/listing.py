"""What there is: for `stackgen list` and `stackgen show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..load import load
from ..plan import JsonValue
from ..problems import Problem, ordered
from ..workspace import Roots
from .apis import api_of
from .desk import Desk, mapping, sequence, text, texts
from .providers import Provider, check_provider, read_provider


@dataclass(frozen=True, slots=True)
class ApiRow:
    name: str
    level: str
    summary: str
    file: str


@dataclass(frozen=True, slots=True)
class ProviderRow:
    api: str
    type: str
    aliases: tuple[str, ...]
    capabilities: tuple[str, ...]
    summary: str
    file: str


@dataclass(frozen=True, slots=True)
class DistributionRow:
    name: str
    apis: tuple[str, ...]
    instances: int
    summary: str
    file: str


def rows(roots: Roots, kind: str) -> Sequence[ApiRow | ProviderRow | DistributionRow]:
    """Every spec of a kind: "apis", "providers" or "distributions"."""
    match kind:
        case "apis":
            return apis(roots)
        case "providers":
            return providers(roots)
    return distributions(roots)


def apis(roots: Roots) -> list[ApiRow]:
    """Every API, by name."""
    rows = []
    for name, file, data in _each(roots, "apis"):
        info, own = mapping(data.get("info")), mapping(data.get("x-stackgen"))
        rows.append(ApiRow(name, text(own.get("level")), _line(info.get("description")), file))
    return rows


def providers(roots: Roots) -> list[ProviderRow]:
    """Every provider, by API and type."""
    rows = []
    for api in roots.folders("providers"):
        for _, file, data in _each(roots, f"providers/{api}"):
            capabilities = texts(data.get("capabilities"))
            summary = _line(data.get("summary"))
            rows.append(
                ProviderRow(api, text(data.get("type")), texts(data.get("aliases")), capabilities, summary, file)
            )
    return sorted(rows, key=lambda row: (row.api, row.type))


def distributions(roots: Roots) -> list[DistributionRow]:
    """Every distribution, by name."""
    rows = []
    for name, file, data in _each(roots, "distributions"):
        count = sum(len(sequence(each)) for each in mapping(data.get("providers")).values())
        rows.append(DistributionRow(name, texts(data.get("apis")), count, _line(data.get("summary")), file))
    return rows


def show(roots: Roots, kind: str, name: str) -> str | None:
    """The spec file of an `api`, `provider` (by type, `api/type` or `api/file`) or `distribution`; None if
    there is none."""
    folder = {"api": "apis", "distribution": "distributions"}.get(kind)
    if folder is not None:
        found = roots.find(f"{folder}/{name}.yaml")
        return found[-1].path.read_text("utf-8") if found else None
    row = provider_row(roots, name) if kind == "provider" else None
    return roots.find(_path(row))[-1].path.read_text("utf-8") if row else None


def provider_row(roots: Roots, name: str) -> ProviderRow | None:
    """A provider by its type, an old name of it, or its file's name, each alone or after `api/`."""
    api, _, rest = name.rpartition("/")
    for row in providers(roots):
        stem = row.file.rpartition("/")[2].removesuffix(".yaml")
        if rest in (row.type, stem, *row.aliases) and api in ("", row.api):
            return row
    return None


def read_row(roots: Roots, row: ProviderRow) -> Provider | list[Problem]:
    """The provider of a row, its schema put together; or what is wrong with its spec."""
    desk = Desk(roots)
    document = desk.document(_path(row))
    if document is not None:
        provider = read_provider(desk, document, row.api)
        check_provider(desk, provider, api_of(desk, row.api, document.at("api")))
        if not desk.problems:
            return provider
    return ordered(desk.problems)


def _path(row: ProviderRow) -> str:
    return f"providers/{row.api}/{row.file.rpartition('/')[2]}"


def _each(roots: Roots, folder: str) -> list[tuple[str, str, Mapping[str, JsonValue]]]:
    """(name, file, content) of each spec in a folder, as far as it can be read: `check` tells what is wrong with it."""
    files = {name: roots.find(f"{folder}/{name}.yaml")[-1] for name in roots.names(folder)}
    return [(name, file.label, mapping(load(file.path, file.label)[0].data)) for name, file in files.items()]


def _line(value: JsonValue) -> str:
    """The first sentence of a description."""
    words = " ".join(value.split()) if isinstance(value, str) else ""
    return words.partition(". ")[0].rstrip(".")

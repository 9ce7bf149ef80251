"""What packages the specs ask for, and who asked.

    requires: [aiohttp]   →   Requirement("aiohttp", ("inference/remote::openai: specs/providers/…/openai.yaml:12:12",))

    requires: [torch]     →   External("torch", ">=2.6,<3", …): `external` of base.yaml says that nobody locks it

`requires` stands in a provider spec and in `base.yaml` of stackgen's own specs (what every server needs). An item is a
PEP 508 text, `{package: text, reason: why}` for a package that no part imports, or `{package: name, at: use}` for one
that nobody locks and a start does not look for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Pep508
from packaging.utils import canonicalize_name

from .load import Document, load
from .plan import External, JsonValue, Position, Requirement
from .workspace import Roots

BASE = "base.yaml"
BASE_ASKER = "every server"
UPLOADS = "uploads"
UPLOADS_ASKER = "every server that takes files"

API_PACKAGE = "stackgen-api"
API_VERSION = "0.1.0"
"""The package with the contracts, and the version that has those of this compiler. ARCHITECTURE.md says when which
number rises."""


def requirements_of(document: Document, who: str, *section: str) -> list[Requirement]:
    """The `requires` of one spec, and its package, which comes with the contracts that it is written against.

    section: the keys that lead to what has the `requires`. What is no requirement at all is left out: `validate` has
    said so.
    """
    data = document.data
    for key in section:
        data = data.get(key) if isinstance(data, Mapping) else None
    items = data.get("requires") if isinstance(data, Mapping) else None
    found = list(_packaged(document, data, who)) if isinstance(data, Mapping) else []
    for index, item in enumerate(items if isinstance(items, list) else []):
        text = item.get("package") if isinstance(item, Mapping) else item
        if isinstance(text, str) and requirement_name(text):
            reason = item.get("reason") if isinstance(item, Mapping) else ""
            asked = f"{who}: {document.at(*section, 'requires', index)}"
            at_use = (asked,) if isinstance(item, Mapping) and item.get("at") == "use" else ()
            found.append(Requirement(text.strip(), (asked,), reason if isinstance(reason, str) else "", at_use))
    return found


def _packaged(document: Document, data: Mapping[str, JsonValue], who: str) -> Iterator[Requirement]:
    package = data.get("package")
    if isinstance(package, str) and requirement_name(package):
        asked = (f"{who}: {document.at('package')}",)
        yield Requirement(package, asked, "the wiring imports the provider from it")
        yield Requirement(
            f"{API_PACKAGE}=={API_VERSION}", asked, "the contracts, which the provider is written against"
        )


def read_base(roots: Roots) -> Document:
    """What stackgen's own specs say of every server. Raises ValueError where they cannot be read."""
    document, problems = load(roots.specs / BASE, roots.trees[0].label + BASE)
    if problems:
        raise ValueError(f"{problems[0].position}: {problems[0].message}")
    return document


def known_externals(base: Document) -> dict[str, External]:
    """What base.yaml says of packages that nobody locks, by name; nobody has asked for them yet."""
    data = base.data.get("external") if isinstance(base.data, Mapping) else None
    terms = data if isinstance(data, Mapping) else {}
    return {
        name: External(name, str(each.get("versions")), str(each.get("help")), ())
        for name, each in terms.items()
        if isinstance(each, Mapping)
    }


def parted(
    requirements: Iterable[Requirement], known: Mapping[str, External]
) -> tuple[tuple[Requirement, ...], tuple[External, ...]]:
    """Those to be locked, and those that are not, each once with everybody who asked."""
    locked: list[Requirement] = []
    others: list[Requirement] = []
    for each in merged(requirements):
        (others if requirement_name(each.text) in known else locked).append(each)
    found: dict[str, External] = {}
    for each in others:
        name = requirement_name(each.text) or ""
        so_far = found.get(name, known[name])
        wanted_by, at_use = (*so_far.wanted_by, *each.wanted_by), (*so_far.at_use, *each.at_use)
        found[name] = replace(so_far, wanted_by=wanted_by, at_use=at_use)
    return tuple(locked), tuple(found[name] for name in sorted(found))


def merged(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Each text once, sorted, with everybody who asked in the order they did."""
    askers: dict[str, dict[str, None]] = {}
    reasons: dict[str, str] = {}
    at_use: dict[str, dict[str, None]] = {}
    for each in requirements:
        askers.setdefault(each.text, {}).update(dict.fromkeys(each.wanted_by))
        reasons[each.text] = reasons.get(each.text) or each.reason
        at_use.setdefault(each.text, {}).update(dict.fromkeys(each.at_use))
    return tuple(Requirement(text, tuple(askers[text]), reasons[text], tuple(at_use[text])) for text in sorted(askers))


def requirement_name(text: str) -> str | None:
    """The normalised name of the package, None if the text is no requirement by name (a URL, a path, nonsense)."""
    try:
        parsed = Pep508(text)
    except InvalidRequirement:
        return None
    return None if parsed.url else canonicalize_name(parsed.name)


def asker(wanted_by: str) -> tuple[str, Position]:
    """`who: file:line:col`, taken apart."""
    who, _, place = wanted_by.rpartition(": ")
    file, line, column = place.rsplit(":", 2)
    return who, Position(file, int(line), int(column))

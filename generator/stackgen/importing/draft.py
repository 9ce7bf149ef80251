"""The sections of a run config as sections of a distribution, in the source's order, not yet known to fit."""

from __future__ import annotations

from collections.abc import Iterator

from ..resolve.desk import mapping, sequence, text
from .build_config import instances_to_install
from .instances import instances_of
from .placed import known_sections, with_sections
from .reading import Reading, said
from .sections import kept, no_place, resources_of, server_of, storage_of
from .stores import instances_for, stores_of, with_storage
from .tree import Branch, Item, Leaf, Node, Note, child, entries, grow, plain

_READ = ("version", "image_name", "distro_name", "apis")
"""What is read elsewhere."""

_VENV = {"image_type": "venv"}
"""What says no more than that the server runs in an environment of its own, as it does here."""

_LISTS = ("models", "shields", "vector_dbs", "vector_stores", "datasets", "scoring_fns", "benchmarks", "tool_groups")
"""Lists of resources at the top of the first run configs; later ones have them under `registered_resources`."""


def draft(reading: Reading) -> Branch:
    """providers, storage, resources and server, as far as the source has them."""
    source = with_storage(grow(reading.source))
    stores = stores_of(reading, source)
    providers = (*_providers(reading, source), *instances_for(reading, stores))
    placed = known_sections(reading)
    providers = with_sections(reading, providers, source, placed)
    owners = _owners(reading, Branch(source.at, providers))
    lists = [each for section in entries(source) for each in _lists_of(section)]
    resources = resources_of(reading, lists, owners)
    found: list[Item | Note] = []
    for section in entries(source):
        match section.key:
            case "providers" | "distribution_spec":
                found += kept("providers", section, providers)
                found += _rest_of_spec(reading, section)
            case "storage":
                found += storage_of(reading, section, {each.entry.key for each in stores})
            case "server":
                found += server_of(reading, section)
            case _ if section.key == "registered_resources" or _lists_of(section):
                found += kept("resources", section, resources)
                resources = ()
            case key if key not in _READ and key not in placed and plain(section.node) != _VENV.get(key):
                found += no_place(reading, section)
    return Branch(source.at, tuple(found))


def _owners(reading: Reading, providers: Node) -> dict[str, list[str]]:
    """By kind of resource, the instances that may own one: those of the API that its table routes."""
    found: dict[str, list[str]] = {}
    for name in reading.desk.roots.names("apis"):
        document = reading.desk.document(f"apis/{name}.yaml")
        router = mapping(mapping(mapping(document.data).get("x-stackgen")).get("router")) if document else {}
        table = reading.desk.document(f"apis/{text(router.get('table'))}.yaml") if router else None
        if table is not None:
            resource = mapping(mapping(mapping(table.data).get("x-stackgen")).get("resource"))
            found[text(resource.get("kind"))] = [said(each.node, "id") for each in entries(child(providers, name))]
    return found


def wanted_apis(reading: Reading) -> list[Item]:
    """The APIs that the source serves, each with its place: those it lists, or all that it has providers of; and those
    whose stores it has, which Llama Stack always serves; and those that were a part of one of them (`formerly`)."""
    source = with_storage(grow(reading.source))
    if listed := entries(child(source, "apis")):
        found = [Item(str(plain(each.node)), each.at, each.node) for each in listed]
    else:
        found = [Item(each.key, each.at, Leaf(each.key, each.at)) for each in entries(provider_sections(source))]
    kept = {each.api: each.entry.at for each in stores_of(reading, source)}
    kept |= {name: each.at for each in found for name in _parted(reading, each.key)}
    names = {each.key for each in found}
    return [*found, *(Item(name, at, Leaf(name, at)) for name, at in kept.items() if name not in names)]


def _parted(reading: Reading, api: str) -> Iterator[str]:
    """The APIs whose operations were those of another once."""
    for name in reading.desk.roots.names("apis"):
        document = reading.desk.document(f"apis/{name}.yaml")
        if document is not None and api in sequence(mapping(mapping(document.data).get("x-stackgen")).get("formerly")):
            yield name


def _providers(reading: Reading, source: Node) -> Iterator[Item | Note]:
    spec = child(source, "distribution_spec")
    sections = provider_sections(source)
    if sections is None:
        return
    yield from instances_to_install(reading, sections) if spec is not None else instances_of(reading, sections)


def provider_sections(source: Node) -> Node | None:
    """`providers:` of a run config, or of a build config's `distribution_spec:`."""
    spec = child(source, "distribution_spec")
    return child(source, "providers") if spec is None else child(spec, "providers")


def _lists_of(section: Item) -> list[Item]:
    """The lists of resources that a section is, or holds."""
    if section.key == "registered_resources":
        return entries(section.node)
    return [section] if section.key in _LISTS and isinstance(section.node, Branch) and section.node.listed else []


def _rest_of_spec(reading: Reading, section: Item) -> Iterator[Note]:
    for each in entries(section.node) if section.key == "distribution_spec" else []:
        if each.key not in ("providers", "description"):
            yield from no_place(reading, each)

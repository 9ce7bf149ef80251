"""`stackgen import`: a run or build config of Llama Stack or OGX, as a distribution.

    import_config(roots, load(Path("run.yaml"), "run.yaml")[0])  →  Imported("starter", "# Imported …", (notices…))

source   is it one?                         instances, config, build_config   providers: as instances
draft    section by section, in order       stores, placed                    what is kept, and where; other config
                                           sections                          resources, storage, server
fit      what the compiler takes of it      tree, emit                        YAML with comments

What cannot be imported is told in one notice at its line, and stands as a comment in its place. Reads specs, writes
nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..load import Document
from ..problems import Problem, ordered
from ..resolve.desk import Desk, mapping
from ..workspace import Roots
from .draft import draft, provider_sections, wanted_apis
from .emit import emit
from .fit import Sheet, fit
from .reading import Reading
from .source import check_source, is_build_config
from .tree import Item, Leaf, Note, child, entries, grow, numbered

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Imported:
    """A distribution's file: its name and text, and what of the source is not in it, or not as it was."""

    name: str
    text: str
    notices: tuple[Problem, ...]


def import_config(roots: Roots, document: Document, name: str) -> Imported | list[Problem]:
    """The distribution that a run config is, or why it is none.

    roots: the last is the workspace that it is for. name: the distribution's, see `name_of`.
    """
    desk = Desk(roots)
    if problems := check_source(desk.schemas, document):
        return ordered(problems)
    reading = Reading(desk, document)
    body = draft(reading)
    if reading.problems:
        return ordered(reading.problems)
    told = frozenset(each.key for each in entries(provider_sections(grow(document))))
    root = fit(reading, Sheet(name, _head(roots, document, name), body, tuple(wanted_apis(reading)), told))
    if reading.problems:
        return ordered(reading.problems)
    sections = child(root, "providers")
    if not any(entries(each.node) for each in entries(sections)):
        reading.tell("SG817", document.at(), "no provider of it is left: the server would answer only of itself")
    there = set(numbered(root, "")[2].values())
    # What was changed, and left out after all, is told once.
    notices = [each for each in reading.notices if each.code != "SG816" or each.position in there]
    return Imported(name, emit(root), tuple(ordered(notices)))


def name_of(document: Document, otherwise: str) -> str:
    """A distribution's name from what the config calls itself, else from `otherwise`; "" if neither can be one."""
    data = mapping(document.data)
    for said in (data.get("distro_name"), data.get("image_name"), otherwise):
        name = re.sub(r"[^a-z0-9]+", "-", str(said).lower()).strip("-") if said and "${" not in str(said) else ""
        if _NAME.fullmatch(name):
            return name
    return ""


def _head(roots: Roots, document: Document, name: str) -> tuple[Item | Note, ...]:
    at = document.at()
    file = document.file.rpartition("/")[2]
    kind = "build" if is_build_config(document.data) else "run"
    description = mapping(mapping(document.data).get("distribution_spec")).get("description")
    summary = description if isinstance(description, str) and description else f"What the {kind} config {file} says."
    if "${" in summary:
        summary = f"What a {kind} config says."  # a summary has no slots, nor what looks like one
    values = {"name": name, "summary": " ".join(summary.split())}
    items: list[Item | Note] = [Item(key, at, Leaf(value, at)) for key, value in values.items()]
    if any((tree.specs / "distributions" / f"{name}.yaml").is_file() for tree in roots.trees[:-1]):
        items.append(Item("replaces", at, Leaf(True, at)))
    note = Note(f"Imported from {file} by `stackgen import`. Where something is left out, a comment says why.")
    return (note, *items)

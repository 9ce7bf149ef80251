"""A package of a third party where it happens to be installed beside stackgen: its source, read like a part's.

A build needs none of it, and is the same without. But where the very version that a spec pins is at hand, what does not
fit is told here, at its line, and not only by the type checker over the generated wiring. Nothing of it is run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from ..load import Document
from ..openapi import Operation
from ..parts import Found, Module, Parts
from ..plan import Position
from ..workspace import Root
from .desk import Desk, mapping, text
from .openers import check_contract, check_keywords, read_opener
from .packaged import names_of
from .schemas import Property
from .shapes import check_shape, read_shape


def check_installed(
    desk: Desk,
    document: Document,
    schema: Property,
    given: Mapping[str, Position],
    operations: Iterable[Operation],
) -> None:
    """Report what of a provider's package does not fit its spec, as far as the package can be read.

    given: the keyword arguments of the wiring, and what says so. operations: those that it offers.
    """
    dotted, name = names_of(document)
    found = _source(text(mapping(document.data).get("package")), dotted)
    if found is None:
        return
    folder, path = found
    other = Desk(replace(desk.roots, trees=(Root(folder, folder, "", ""),)))
    module = other.parts.module(path)
    if module is not None and not _elsewhere(module, name):
        opener = read_opener(other, document.at("import"), path, name)
        if opener is not None:
            cls = text(mapping(document.data).get("class"))
            check_keywords(other, document.at("import"), opener, name, given)
            taken = opener.config.rpartition(".")[2]
            if taken != cls:
                at = document.at("class") if cls else document.at("import")
                message = f"{name} takes {taken or 'no config'}, and the spec names {cls or 'no class'}"
                other.report("SG705", at, message, expected=f"class: {taken}" if taken else "no class", found=cls)
            config = other.parts.find(opener.module, cls) if cls and taken == cls else None
            shape = read_shape(other.parts, opener.module, cls) if config and _whole(other.parts, config) else None
            if shape is not None:
                check_shape(other, schema, shape)
            if opener.product is not None and _whole(other.parts, opener.product):
                check_contract(other, document.at("import"), opener, operations)
    desk.problems += [*other.problems, *other.parts.problems]


def _source(package: str, dotted: str) -> tuple[Path, str] | None:
    """(folder, path below it) of a module of an installed package; None without it, in another version, or unread."""
    from importlib.metadata import PackageNotFoundError, distribution  # here, since few builds have such a provider

    try:
        asked = Requirement(package)
        there = distribution(asked.name)
    except (InvalidRequirement, PackageNotFoundError):
        return None
    if not asked.specifier.contains(there.version, prereleases=True):
        return None
    stem = dotted.replace(".", "/")
    for file in there.files or ():
        if file.as_posix() in (f"{stem}.py", f"{stem}/__init__.py"):
            return Path(str(there.locate_file(""))), file.as_posix()
    return None


def _elsewhere(module: Module, name: str) -> bool:
    """Whether a module has a name from where it cannot be followed: an absolute import."""
    return name not in module.definitions and module.imports.get(name, ("part", ""))[0] == ""


def _whole(parts: Parts, found: Found) -> bool:
    """Whether all that a class is made of can be read: every base class is one of the package's own."""
    return all(
        isinstance(base, ast.Name) and parts.find(each.module, base.id) is not None
        for each in parts.bases(found)
        if isinstance(each.node, ast.ClassDef)
        for base in (node.value if isinstance(node, ast.Subscript) else node for node in each.node.bases)
        if not (isinstance(base, ast.Name) and base.id in ("object", "Protocol", "Generic"))
    )

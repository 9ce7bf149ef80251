"""`stackgen check`: distributions, APIs and providers by name, or every file of every kind.

Every file is every one of the workspaces, where there are any: what comes with stackgen is sound, and what a workspace
puts in place of a part of it is told where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..plan import Position
from ..problems.nearest import nearest
from .apis import api_of, find_api
from .desk import Desk, text
from .distribution import resolve, shaped
from .documents import check_documents, file_references, unused_components
from .providers import check_provider, read_provider, types_of


def check_names(desk: Desk, names: Sequence[str]) -> None:
    """Leave the problems of what is named on the desk; of everything where nothing is named."""
    if not names:
        _check_all(desk)
    for name in names:
        _check_name(desk, name)


def _check_name(desk: Desk, name: str) -> None:
    known = [
        *desk.roots.names("distributions"),
        *desk.roots.names("apis"),
        *(f"{api}/{stem}" for api in desk.roots.folders("providers") for stem in desk.roots.names(f"providers/{api}")),
    ]
    if name not in known:
        message = f"there is no distribution, API or provider {name!r}"
        at = Position(f"distributions/{name}.yaml", 1, 1)
        desk.report("SG301", at, message, found=repr(name), nearest=nearest(name, known))
    if name in desk.roots.names("distributions"):
        resolve(desk, name)
    if name in desk.roots.names("apis"):
        _check_api(desk, name)
    if "/" in name and name in known:
        _check_provider(desk, *name.split("/", 1))


def _check_all(desk: Desk) -> None:
    for name in desk.roots.own_names("apis"):
        _check_api(desk, name)
    for api in desk.roots.folders("providers"):
        types_of(desk, api)
        for stem in desk.roots.own_names(f"providers/{api}"):
            _check_provider(desk, api, stem)
    for name in desk.roots.own_names("distributions"):
        resolve(desk, name)
    _check_shared(desk)


def _check_api(desk: Desk, name: str) -> None:
    api = find_api(desk, name, Position(f"apis/{name}.yaml", 1, 1))
    if api is None:
        return
    check_documents(desk, [api])
    unused_components(desk, api)
    resource = api.resource
    if resource:
        keys = frozenset((text(resource.get("id")), text(resource.get("provider"))))
        where = ("x-stackgen", "resource", "schema")
        shaped(desk, api.document, where, text(resource.get("part")), text(resource.get("class")), keys)


def _check_provider(desk: Desk, api: str, stem: str) -> None:
    document = desk.document(f"providers/{api}/{stem}.yaml")
    if document is None or document.data is None:
        return
    check_provider(desk, read_provider(desk, document, api), api_of(desk, api, document.at("api")))


def _check_shared(desk: Desk) -> None:
    """Files in `shared/` that no document refers to."""
    for kind in ("apis", "providers"):
        folder = f"{kind}/shared"
        used = _referred(desk, kind)
        for stem in desk.roots.own_names(folder):
            if f"{folder}/{stem}.yaml" not in used:
                document = desk.document(f"{folder}/{stem}.yaml")
                if document is not None:
                    desk.report("SG408", document.at(), f"nothing refers to {folder}/{stem}.yaml", found=stem)


def _referred(desk: Desk, kind: str) -> set[str]:
    """The shared files that the documents of a kind refer to, directly or through one another."""
    folders = (
        [kind, f"{kind}/shared"]
        if kind == "apis"
        else [f"{kind}/{each}" for each in (*desk.roots.folders(kind), "shared")]
    )
    found: set[str] = set()
    for folder in folders:
        for stem in desk.roots.names(folder):
            document = desk.document(f"{folder}/{stem}.yaml")
            if document is not None:
                found |= {desk.shared(document, each)[1] for each in file_references(document.data)}
    return found

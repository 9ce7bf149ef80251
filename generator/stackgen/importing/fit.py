"""What of a draft the compiler takes: it is resolved like any distribution, and what is told of a value is left out,
until nothing is told any more. So there is one opinion of what fits, and the result passes `check`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..load import Where
from ..plan import Position
from ..problems import Problem, ordered
from ..resolve.apis import find_api
from ..resolve.desk import mapping
from ..resolve.distribution import resolve
from ..resolve.providers import DEFAULT
from .reading import Reading, said
from .sections import label
from .slots import only_slot
from .tree import Branch, Item, Leaf, Note, child, entries, numbered, plain, without

_FILE = "<draft>"
_LATER = frozenset({"SG404", "SG405", "SG408", "SG409", "SG605"})
"""What may be mended by what else is left out, and is looked at once nothing else is told."""
_ALWAYS = ("inspect", "providers")
"""APIs that every Llama Stack server has, whatever its config lists."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A distribution in the making. head: name and the like. body: its sections. wanted: the APIs to serve, told: those
    whose providers say already why they are left out. notes: of APIs."""

    name: str
    head: tuple[Item | Note, ...]
    body: Branch
    wanted: tuple[Item, ...]
    told: frozenset[str]
    notes: tuple[Note, ...] = ()


def fit(reading: Reading, sheet: Sheet) -> Branch:
    """The distribution, with comments for what is left out. Problems that this does not mend are left in `reading`."""
    while True:
        sheet = _without_apis(reading, sheet)
        root = _whole(reading, sheet)
        doomed = _told(reading, sheet.name, root)
        if reading.problems or not doomed:
            return root
        doomed = {where: each for where, each in doomed.items() if each[0].code not in _LATER} or doomed
        # The last of a list goes first, so that the others keep their numbers.
        for where, (problem, at) in reversed(doomed.items()):
            if not any(where[:end] in doomed for end in range(1, len(where))):
                sheet = _left_out(reading, sheet, where, problem, root, at)


def _told(reading: Reading, name: str, root: Branch) -> dict[Where, tuple[Problem, Position]]:
    """What the compiler tells of a distribution, by what has to go for it; each with its place in the source."""
    document, wheres, places = numbered(root, _FILE)
    desk = reading.desk
    desk.problems = []
    desk.lay(f"distributions/{name}.yaml", document)
    resolve(desk, name)
    doomed: dict[Where, tuple[Problem, Position]] = {}
    for each in ordered([*desk.problems, *desk.parts.problems]):
        own = each.position.file == _FILE
        where = _blamed(wheres[each.position.line]) if own else ()
        if where:
            doomed.setdefault(where, (each, next(places[line] for line, one in wheres.items() if one == where)))
        else:
            reading.problems.append(replace(each, position=places[each.position.line]) if own else each)
    return doomed


def _whole(reading: Reading, sheet: Sheet) -> Branch:
    """The distribution with the list of its APIs, and of the tables that they are routed by."""
    at = sheet.body.at
    places = {each.key: each.at for each in sheet.wanted}
    names: list[str] = []
    for name in (*places, *(each for each in _ALWAYS if reading.desk.roots.find(f"apis/{each}.yaml"))):
        api = find_api(reading.desk, name, at)
        names += [each for each in (name, api.table if api else "") if each and each not in names]
    leaves = tuple(Item("", places.get(name, at), Leaf(name, places.get(name, at))) for name in names)
    apis = Item("apis", at, Branch(at, leaves, listed=True))
    return Branch(at, (*sheet.head, *sheet.notes, apis, *sheet.body.items))


def _without_apis(reading: Reading, sheet: Sheet) -> Sheet:
    """Less those APIs that stackgen does not have, or that have no instance and no default provider."""
    kept: list[Item] = []
    notes: list[Note] = []
    for each in sheet.wanted:
        if not reading.desk.roots.find(f"apis/{each.key}.yaml"):
            why = f"stackgen has no API {each.key!r}"
        elif entries(child(child(sheet.body, "providers"), each.key)) or _has_default(reading, each.key):
            kept.append(each)
            continue
        else:
            why = "there is no provider of it"
        if each.key not in sheet.told:
            notes.append(reading.leave_out("SG811", each.at, each.key, why))
    return replace(sheet, wanted=tuple(kept), notes=(*sheet.notes, *notes))


def _has_default(reading: Reading, api: str) -> bool:
    document = reading.desk.document(f"providers/{api}/{DEFAULT}.yaml")
    return document is not None and mapping(document.data).get("default") is True


# ── leaving out ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _blamed(where: Where) -> Where:
    """What has to go where something is wrong with the value at `where`; () if nothing can."""
    match where:
        case ("providers", _, int(), "config", _, *_):
            return where
        case ("providers", _, int(), *_) | ("storage", "backends", _) | ("storage", "backends", _, "type" | "config"):
            return where[:3]
        case ("resources", _, int(), str(key), *_) if not key.endswith("_id") or _is_name_there(key):
            return where
        case ("resources", _, int(), *_):
            return where[:3]
        case ("apis", int()) | ("providers" | "resources" | "server" | "storage", _, *_):
            return where
    return ()


def _is_name_there(key: str) -> bool:
    """`provider_model_id` and its like: the resource's name at its provider."""
    return key.startswith("provider_") and key != "provider_id"


def _left_out(reading: Reading, sheet: Sheet, where: Where, problem: Problem, root: Branch, at: Position) -> Sheet:
    code, what = _named(where, root)
    if where[0] == "apis":
        # A table is there for the API that is routed by it, and goes with it.
        goes = [each.key for each in sheet.wanted if what in (each.key, _table(reading, each.key, at))]
        note = reading.leave_out(code, at, ", ".join(goes) or what, _why(problem))
        if not goes:
            reading.problems.append(replace(problem, position=at))  # of an API that is always there: a fault of a spec
        wanted = tuple(each for each in sheet.wanted if each.key not in goes)
        return replace(sheet, wanted=wanted, notes=(*sheet.notes, note))
    note = reading.leave_out(code, at, what, _why(problem))
    return replace(sheet, body=without(sheet.body, where, note))


def _table(reading: Reading, name: str, at: Position) -> str:
    api = find_api(reading.desk, name, at)
    return api.table if api else ""


def _why(problem: Problem) -> str:
    """The compiler's reason, without the path of a value, which only the draft has."""
    match problem.code:
        case "SG501":
            return "there is no such value here"
        case "SG203" | "SG204" | "SG503" | "SG602" if problem.expected:
            return f"it does not fit, expected {problem.expected}"
        case "SG502":
            key = problem.message.rpartition(".")[2].partition(" ")[0]
            return f"it needs the value {key}, and has none"
    return problem.message


def _named(where: Where, root: Branch) -> tuple[str, str]:
    """(the code of its notice, what to call it)"""
    match where:
        case ("apis", int(number)):
            return "SG811", str(plain(entries(child(root, "apis"))[number].node))
        case ("providers", str(api)):
            return "SG811", api
        case ("providers", api, int(number), *config):
            name = said(entries(child(child(root, "providers"), str(api)))[number].node, "id")
            slot = only_slot(name)
            name = slot.text if slot else name
            return ("SG813", f"{'.'.join(map(str, config[1:]))} of {name}") if config else ("SG812", name)
        case ("resources", str(kind), int(number), *key):
            name = label(entries(child(child(root, "resources"), kind))[number].node) or f"entry {number + 1}"
            return ("SG813", f"{'.'.join(map(str, key))} of {name}") if key else ("SG814", f"{name} of {kind}")
        case ("resources", str(kind)):
            names = ", ".join(
                filter(None, (label(each.node) for each in entries(child(child(root, "resources"), kind))))
            )
            return "SG814", f"{kind} ({names})" if names else kind
        case ("storage", "backends", str(name)):
            return "SG814", f"the backend {name}"
    return "SG813", ".".join(map(str, where))

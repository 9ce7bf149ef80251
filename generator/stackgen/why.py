"""`stackgen why NAME PACKAGE`: every chain that ends in a package being installed, the shortest first.

gateway.yaml:9 inference/openai → openai.yaml:16 remote::openai → aiohttp 3.14.5 → yarl 1.25.1, 115.0 KiB
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice

from packaging.utils import canonicalize_name

from .lockfile import Lock, Locked, reachable
from .plan import Plan
from .problems.nearest import nearest
from .requirements import asker, requirement_name
from .sizes import size_text, total

MOST = 1000
"""More chains than this are not printed: nobody reads them, and their number grows exponentially with the graph."""


def run_why(plan: Plan, lock: Lock, package: str) -> int:
    """Print the chains. Exit code 0, or 1 with the nearest names if the server does not need the package."""
    name = canonicalize_name(package)
    for external in (each for each in plan.externals if each.name == name):
        heads = [head for wanted_by in external.wanted_by for head in _heads(plan, wanted_by)]
        sys.stdout.write("".join(f"{head} → {external.text}, not locked\n" for head in heads))
        return 0
    askers = _askers(plan)
    chosen = reachable(lock, askers)
    if name not in chosen:
        close = nearest(name, chosen)
        hint = f"; did you mean {close}?" if close else ""
        sys.stderr.write(f"stackgen why: {plan.name} does not need {package}{hint}\n")
        return 1
    lines = list(islice(chains(plan, lock, name), MOST + 1))
    sys.stdout.write("".join(f"{line}\n" for line in lines[:MOST]))
    if len(lines) > MOST:
        sys.stdout.write(f"… and more: these are the shortest {MOST}\n")
    return 0


def chains(plan: Plan, lock: Lock, name: str) -> Iterator[str]:
    """A line a chain: who in the distribution, which spec, which package needs which, down to `name`, its weight."""
    askers = _askers(plan)
    chosen = reachable(lock, askers)
    size = total(chosen[name])
    weight = "" if size is None else f", {size_text(size)}"
    waiting = deque[tuple[str, ...]]([(name,)])
    while waiting:
        path = waiting.popleft()
        for who in askers.get(path[0], ()):
            yield " → ".join([who, *(_with_version(chosen, each) for each in path)]) + weight
        above = {via for each in chosen[path[0]] for via in each.via if via in chosen}
        waiting.extend((via, *path) for via in sorted(above - set(path)))


def _askers(plan: Plan) -> dict[str, list[str]]:
    """Package → the heads of its chains: `gateway.yaml:9 inference/openai → openai.yaml:16 remote::openai`."""
    found: dict[str, list[str]] = {}
    for requirement in plan.requirements:
        heads = [head for wanted_by in requirement.wanted_by for head in _heads(plan, wanted_by)]
        found.setdefault(requirement_name(requirement.text) or "", []).extend(heads)
    return found


def _heads(plan: Plan, wanted_by: str) -> list[str]:
    who, place = asker(wanted_by)
    spec = f"{place.file}:{place.line} {who}"
    lines = [
        f"{each.because.file}:{each.because.line} {each.api}/{each.id} → {spec}"
        for each in plan.components
        if f"{each.api}/{each.type}" == who
    ]
    return lines or [f"{plan.origin.file}:{plan.origin.line} {plan.name} → {spec}"]


def _with_version(chosen: Mapping[str, tuple[Locked, ...]], name: str) -> str:
    return f"{name} {' or '.join(dict.fromkeys(each.version for each in chosen[name]))}"

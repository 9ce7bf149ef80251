"""From a Plan to the files of its package: trim, the laws, the lock, render. Reads files, writes none.

built = build(roots, plan)
built.problems or write(folder, built.files)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement as Pep508

from . import __version__
from .laws import broken_laws
from .load import load
from .lock import read_locks
from .lockfile import Lock, chosen, closure, reachable, unlocked
from .openapi.document import compile_openapi
from .parts import Parts, run_time_lookups
from .plan import Config, JsonValue, Plan, Position, Value
from .problems import Problem, ordered
from .requirements import API_PACKAGE, API_VERSION, asker, requirement_name
from .resolve import check as check_specs
from .resolve import compile_plan
from .trim import Trimmed, roots_of, trim
from .workspace import Roots

_SUSPECT = re.compile(rb"importlib|pkgutil|runpy|pkg_resources|__import__|eval|exec|inspect|[gs]etattr|hasattr")
"""Reading a part once more to look for run-time lookups is only worth while where it has one of their words."""

OVER_BUDGET = "SG712"
"""The one problem with which a package can be rendered all the same, and be measured."""


@dataclass(frozen=True, slots=True)
class Built:
    """A package's files by path, or what is in the way of them: there are no files where there are problems."""

    files: Mapping[str, bytes]
    problems: tuple[Problem, ...]


def build(roots: Roots, plan: Plan) -> Built:
    """The whole package of a sound Plan."""
    parts = vendored(roots, plan)
    problems = check_build(roots, plan, parts)
    if any(each.code != OVER_BUDGET for each in problems):
        return Built({}, tuple(problems))
    files = _render(roots, plan, parts)
    problems = ordered([*problems, *_too_much_code(plan, files)])
    return Built({} if problems else files, tuple(problems))


def check(roots: Roots, names: Sequence[str]) -> list[Problem]:
    """All problems of the named specs, of every file where none is named, and of what would be built from them."""
    problems = check_specs(roots, names)
    known = [each for each in roots.names("distributions") if each in names]
    for name in known if names else roots.own_names("distributions"):
        plan = compile_plan(roots, name)
        if isinstance(plan, Plan):
            rendered = any(limit.what == "code_bytes" for limit in plan.budget)
            problems += build(roots, plan).problems if rendered else check_build(roots, plan, vendored(roots, plan))
    return ordered(problems)


def vendored(roots: Roots, plan: Plan) -> Trimmed:
    """The parts that the plan's package holds; those of stackgen-api only named where a provider is written with it."""
    if not plan.has_packaged:
        return trim(roots_of(plan), lambda path: _content(roots, path))
    from .api_package import api_parts
    from .api_package.stand_ins import stand_in

    shared = api_parts(roots).files
    return trim(
        roots_of(plan),
        lambda path: stand_in(path, shared[path].content) if path in shared else _content(roots, path),
    )


def check_build(roots: Roots, plan: Plan, parts: Trimmed) -> list[Problem]:
    """What stands between a sound Plan and its package, in the order of places."""
    problems = list(broken_laws(plan, parts, lambda path: roots.part(path)[-1].label))
    sources = Parts(roots)
    for path, part in parts.files.items():
        module = sources.module(path) if _SUSPECT.search(part.content) or not part.sound else None
        problems += run_time_lookups(module) if module is not None else ()
    lock = read_locks(roots)
    problems += [*sources.problems, *_not_locked(plan, lock), *_other_contracts(plan), *_over_budget(plan, lock)]
    return ordered(problems)


def _not_locked(plan: Plan, lock: Lock) -> Iterator[Problem]:
    for each in unlocked(lock, plan.requirements):
        for wanted_by in each.requirement.wanted_by:
            who, position = asker(wanted_by)
            if requirement_name(each.requirement.text) == API_PACKAGE and each.versions:
                yield _skewed(position, f"{who} is locked with {API_PACKAGE} {', '.join(each.versions)}")
            else:
                message = f"{who} requires {each.requirement.text}, and {each.message}"
                yield Problem("SG711", position, message, found=each.requirement.text)


def _other_contracts(plan: Plan) -> Iterator[Problem]:
    """Ranges of stackgen-api that leave out the version whose contracts this compiler has."""
    for each in plan.requirements:
        if requirement_name(each.text) == API_PACKAGE and not Pep508(each.text).specifier.contains(API_VERSION):
            for wanted_by in each.wanted_by:
                who, position = asker(wanted_by)
                yield _skewed(position, f"{who} is written against {each.text}")


def _skewed(position: Position, message: str) -> Problem:
    message = f"{message}, and this stackgen has the contracts of {API_VERSION}"
    return Problem("SG715", position, message, expected=f"{API_PACKAGE} {API_VERSION}")


def _render(roots: Roots, plan: Plan, parts: Trimmed) -> Mapping[str, bytes]:
    from .render import TEMPLATES, Inputs, render  # here, since few commands need Jinja

    lock = read_locks(roots)
    return render(
        Inputs(
            plan=plan,
            parts=parts,
            templates={name: (roots.templates / "jinja" / f"{name}.jinja").read_text("utf-8") for name in TEMPLATES},
            openapi=_openapi(roots, plan),
            requirements=closure(lock, plan.requirements),
            packages=tuple(each for each, _ in chosen(lock, plan.requirements)),
            dependencies=tuple(sorted(each.text for each in plan.packages)),
            sources=dict(_sources(roots, plan)),
            version=__version__,
        )
    )


def _over_budget(plan: Plan, lock: Lock) -> Iterator[Problem]:
    names = [requirement_name(each.text) or "" for each in plan.requirements]
    packages = len(reachable(lock, names))
    for limit in plan.budget:
        if limit.what == "packages" and packages > limit.most:
            message = f"{plan.name} needs {packages} packages"
            yield Problem(OVER_BUDGET, limit.because, message, expected=f"at most {limit.most}", found=str(packages))


def _too_much_code(plan: Plan, files: Mapping[str, bytes]) -> Iterator[Problem]:
    """code_bytes: of the package's modules, vendored and generated; what they install is `packages`."""
    size = sum(len(content) for path, content in files.items() if path.endswith(".py"))
    for limit in plan.budget:
        if limit.what == "code_bytes" and size > limit.most:
            message = f"{plan.name} is {size} bytes of code"
            yield Problem("SG716", limit.because, message, expected=f"at most {limit.most}", found=str(size))


def _openapi(roots: Roots, plan: Plan) -> str:
    """The document of the server, compiled from those of its APIs."""
    apis = {name: _document(roots, f"apis/{name}.yaml") for name in dict.fromkeys(each.api for each in plan.routes)}
    files = [f"shared/{name}.yaml" for name in roots.names("apis/shared")]
    shared = {file: _document(roots, f"apis/{file}") for file in files}
    return compile_openapi(title=plan.name, description=plan.summary, apis=apis, shared=shared, routes=plan.routes)


def _document(roots: Roots, path: str) -> dict[str, JsonValue]:
    found = roots.find(path)[-1]
    data = load(found.path, found.label)[0].data
    return data if isinstance(data, dict) else {}


def _content(roots: Roots, path: str) -> bytes | None:
    found = roots.part(path)
    return found[-1].path.read_bytes() if found else None


def _sources(roots: Roots, plan: Plan) -> Iterator[tuple[str, str]]:
    """The digest of each spec file that decided something."""
    for file in sorted({position.file for position in _positions(plan)}):
        for tree in roots.trees:
            path = tree.specs / file.removeprefix(tree.label)
            if file.startswith(tree.label) and path.is_file():
                yield file, "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
                break


def _positions(plan: Plan) -> Iterator[Position]:
    yield plan.origin
    yield from (component.because for component in plan.components)
    yield from (route.because for route in plan.routes)
    yield from (asker(wanted_by)[1] for each in plan.packages for wanted_by in each.wanted_by)
    for config in (plan.server, *(each.config for each in plan.components if each.config)):
        yield from (value.origin for value in _values(config) if value.origin)


def _values(config: Config) -> Iterator[Value]:
    for _, field in config.fields:
        if isinstance(field, Config):
            yield from _values(field)
        else:
            yield field

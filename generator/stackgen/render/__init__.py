"""Plan and parts → the files of a generated package, as {path: bytes}. Pure; Jinja is used by `printed.py` alone.

    render(Inputs(plan=plan, parts=trim(roots_of(plan), read), …))["src/gateway_stack/wiring.py"]

The templates loop and substitute; what they print is decided here and in the modules beside.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..lockfile import Locked
from ..plan import Plan, Value, names_part
from ..sizes import total_text
from ..trim import ENTRY_PARTS, Trimmed
from . import project
from .app import app_view
from .code import WIDTH, call, layout, prose, string
from .manifest import MANIFEST, manifest
from .printed import printed
from .routes import routes_view, tells_routes
from .settings import settings_view
from .wiring import counts, wiring_view

TEMPLATES = (
    "README.md",
    "pyproject.toml",
    "__init__.py",
    "__main__.py",
    "settings.py",
    "wiring.py",
    "routes.py",
    "app.py",
)
"""The files that vary with the distribution; each is printed by the template of its name and `.jinja`."""

VERSION = "0.1.0"
"""The version of a generated package: it changes with the distribution, not with stackgen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the output depends on.

    templates: the text of each of TEMPLATES. openapi: the compiled document, as text. requirements: requirements.txt;
    packages: what it names; dependencies: the lines of pyproject.toml. sources: digest of each spec file, by name.
    version: stackgen's.
    """

    plan: Plan
    parts: Trimmed
    templates: Mapping[str, str]
    openapi: str
    requirements: str
    packages: tuple[Locked, ...]
    dependencies: tuple[str, ...]
    sources: Mapping[str, str]
    version: str


def render(inputs: Inputs) -> dict[str, bytes]:
    """Every file of the package by its path, MANIFEST.json last; text ends in one newline and uses LF."""
    plan = inputs.plan
    package = f"src/{plan.package}"
    printed = _print(inputs)
    files: dict[str, bytes] = {
        "README.md": printed["README.md"],
        "config.schema.json": project.config_schema(plan).encode(),
        "pyproject.toml": printed["pyproject.toml"],
        "requirements.txt": inputs.requirements.encode(),
        f"{package}/openapi.json": inputs.openapi.encode(),
        f"{package}/py.typed": b"",
    }
    files |= {f"{package}/{name}": text for name, text in printed.items() if name.endswith(".py")}
    files |= {f"{package}/{path}": part.content for path, part in inputs.parts.files.items()}
    files = {path: files[path] for path in sorted(files)}
    listed = manifest(plan, inputs.version, files, inputs.sources)
    return {**files, MANIFEST: listed.encode()}


LIGHT = frozenset({"aiohttp"})
"""Packages not worth waiting with: a server of remote providers loads them as soon as one of its gates is open."""


def lazy_parts(plan: Plan, parts: Trimmed) -> frozenset[str]:
    """Parts of gated components that load a package which nothing else loads: their import waits behind the gate. So
    does that of a package's module, as nobody knows what it loads."""
    always = {part for part in ENTRY_PARTS if part in parts.files}
    always |= {each.part for each in plan.components if each.gate is None}
    loaded = LIGHT.union(*(parts.loads(part) for part in sorted(always)))
    gated = {each.part for each in plan.components if each.gate is not None}
    gated |= {each.config.part for each in plan.components if each.gate is not None and each.config is not None}
    return frozenset(part for part in gated - always if not names_part(part) or parts.loads(part) - loaded)


def _print(inputs: Inputs) -> dict[str, bytes]:
    plan = inputs.plan
    lazy = lazy_parts(plan, inputs.parts)
    common = {
        "name": plan.name,
        "package": plan.package,
        "summary": textwrap.wrap(prose(plan.summary), WIDTH, break_long_words=False, break_on_hyphens=False),
        "source": prose(plan.origin.file),
        "literals": {"name": string(plan.name)},
    }
    views: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "README.md": lambda: _readme(plan, inputs.packages),
        "pyproject.toml": lambda: _pyproject(inputs),
        "__main__.py": lambda: {"options": _options(plan), "counts": counts(plan)},
        "settings.py": lambda: asdict(settings_view(plan, lazy)),
        "wiring.py": lambda: asdict(wiring_view(plan, lazy, VERSION)),
        "routes.py": lambda: asdict(routes_view(plan)),
        "app.py": lambda: asdict(app_view(plan)),
    }
    return {
        name: printed(name, inputs.templates[name], {**common, **views.get(name, dict)()}).encode()
        for name in TEMPLATES
        if name != "routes.py" or tells_routes(plan)
    }


def _readme(plan: Plan, packages: tuple[Locked, ...]) -> dict[str, object]:
    return {
        "command": f"{plan.name}-stack",
        "port": project.server_port(plan),
        "providers": project.providers(plan),
        "gates": project.gates(plan),
        "externals": [f"`pip install '{each.text}'`: {each.help}" for each in plan.externals],
        "settings": project.environment(plan),
        "total": total_text(packages, plan.externals),
        "groups": project.route_groups(plan),
    }


def _options(plan: Plan) -> str:
    workers = dict(plan.server.fields).get("workers")
    limits = {"most_workers": "1"} if isinstance(workers, Value) and workers.maximum == 1 else {}
    read = call("read_options", string(plan.package), string(prose(plan.summary)), **limits)
    return layout(read, 4, before="options = ")


def _untyped(plan: Plan, parts: Trimmed) -> Iterator[str]:
    """The modules of the package's imports that its type checker passes over, with those below them."""
    for module in plan.untyped:
        if module in parts.packages():
            yield from (module, f"{module}.*")


def _pyproject(inputs: Inputs) -> dict[str, object]:
    plan = inputs.plan
    return {
        "distribution": string(f"{plan.name}-stack"),
        "version": string(VERSION),
        "description": string(prose(plan.summary)),
        "command": f"{plan.name}-stack",
        "dependencies": [string(line) for line in inputs.dependencies],
        "untyped": ", ".join(string(each) for each in _untyped(plan, inputs.parts)),
    }

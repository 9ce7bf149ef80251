"""Follows imports from the parts that a Plan names: what is reached is vendored, nothing else is.

    trim(roots_of(plan), read)  →  Trimmed(files={"contracts/inference/__init__.py": Part(…), …})

A part imports other parts relatively, and packages absolutely; imports under `if TYPE_CHECKING` count: a type checker
runs over the output. Reading is left to the caller, so that a workspace's parts can stand before the bundled ones.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement as Pep508
from packaging.utils import canonicalize_name

from .plan import Config, Plan, names_part

ENTRY_PARTS = (
    "runtime/command.py",
    "runtime/http.py",
    "runtime/provider_data.py",
    "runtime/serve.py",
    "runtime/settings.py",
    "runtime/values.py",
    "runtime/wiring.py",
)
"""The parts that the templates themselves import."""

UPLOAD_PART = "runtime/http_upload.py"
DOWNLOAD_PART = "runtime/http_download.py"
"""What app.py imports where a route takes or gives files."""

Read = Callable[[str], bytes | None]
"""The content of a part by its path (`runtime/http.py`), None if there is no such part."""

DISTRIBUTIONS: Mapping[str, str] = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "google": "google-auth",
    "jwt": "pyjwt",
    "mcp": "mcp",
    "opentelemetry": "opentelemetry-api",
    "psycopg2": "psycopg2-binary",
    "pymilvus": "pymilvus",
    "sklearn": "scikit-learn",
    "faiss": "faiss-cpu",
    "qdrant_edge": "qdrant-edge-py",
    "yaml": "pyyaml",
}
"""Packages whose import name is not their own name."""


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """One import statement of a part.

    module: the path of a part (`runtime/http.py`) or the top-level name of a package (`aiohttp`).
    eager: it runs when the part is imported, so neither inside a function nor for the type checker only.
    """

    module: str
    line: int
    column: int
    eager: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file to vendor, byte for byte. missing: relative imports that lead nowhere.

    sound: whether it is Python; nothing is known of the imports of what is not.
    """

    path: str
    content: bytes
    sound: bool = True
    local: tuple[Import, ...]
    external: tuple[Import, ...]
    missing: tuple[Import, ...]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The parts that are reached, by path, sorted; and the roots that no part answers to."""

    files: Mapping[str, Part]
    absent: tuple[str, ...]

    def loads(self, path: str) -> frozenset[str]:
        """The packages that importing this part loads, at once and through other parts."""
        seen: set[str] = set()
        packages: set[str] = set()
        waiting = [path, *_packages_above(path, self.files.__contains__)]
        while waiting:
            current = self.files.get(waiting.pop())
            if current is None or current.path in seen:
                continue
            seen.add(current.path)
            packages.update(each.module for each in current.external if each.eager)
            for each in current.local:
                if each.eager:
                    waiting += [each.module, *_packages_above(each.module, self.files.__contains__)]
        return frozenset(packages)

    def packages(self) -> dict[str, tuple[Part, ...]]:
        """Each imported package, by top-level name, with the parts that import it."""
        users: dict[str, list[Part]] = {}
        for part in self.files.values():
            for module in sorted({each.module for each in part.external}):
                users.setdefault(module, []).append(part)
        return {module: tuple(users[module]) for module in sorted(users)}


EXTERNALS_PART = "runtime/packages.py"
"""What settings.py imports where a package is checked at start."""


def roots_of(plan: Plan) -> tuple[str, ...]:
    """The parts to start from: those the templates import, and those of components, configs and routes."""
    roots = set(ENTRY_PARTS) | {component.part for component in plan.components}
    roots |= {EXTERNALS_PART} if any(each.at_start for each in plan.externals) else set()
    configs = [plan.server, *(component.config for component in plan.components if component.config)]
    configs += [entry for _, entries in plan.resources for entry in entries]
    for config in configs:
        roots |= _config_parts(config)
    roots |= {UPLOAD_PART} if any(route.upload for route in plan.routes) else set()
    roots |= {DOWNLOAD_PART} if any(route.download for route in plan.routes) else set()
    for route in plan.routes:
        roots |= {f"contracts/{route.api}/__init__.py", f"contracts/{route.api}/requests.py"}
    return tuple(sorted(each for each in roots if names_part(each)))


def _config_parts(config: Config) -> set[str]:
    nested = [field for _, field in config.fields if isinstance(field, Config)]
    return {config.part}.union(*(_config_parts(field) for field in nested))


def trim(roots: Iterable[str], read: Read) -> Trimmed:
    """Every part that is reached from `roots`, with the `__init__.py` of each folder on the way."""
    cached: dict[str, bytes | None] = {}

    def content(path: str) -> bytes | None:
        if path not in cached:
            cached[path] = read(path)
        return cached[path]

    def exists(path: str) -> bool:
        return content(path) is not None

    files: dict[str, Part] = {}
    absent: list[str] = []
    waiting = sorted(set(roots))
    for root in waiting:
        if not exists(root):
            absent.append(root)
    while waiting:
        path = waiting.pop()
        source = content(path)
        if path in files or source is None:
            continue
        files[path] = part = _read_part(path, source, exists)
        waiting += [each.module for each in part.local]
        waiting += _packages_above(path, exists)
    return Trimmed({path: files[path] for path in sorted(files)}, tuple(absent))


def distribution_of(module: str) -> str:
    """The canonical name of the package that an `import module` needs."""
    return canonicalize_name(DISTRIBUTIONS.get(module, module))


def requirement_name(text: str) -> str:
    """`Aiohttp[speedups]>=3` → `aiohttp`."""
    return canonicalize_name(Pep508(text).name)


def _read_part(path: str, content: bytes, exists: Callable[[str], bool]) -> Part:
    local: list[Import] = []
    external: list[Import] = []
    missing: list[Import] = []
    try:
        tree = ast.parse(content, path)
    except (SyntaxError, ValueError, RecursionError):
        return Part(path=path, content=content, sound=False, local=(), external=(), missing=())
    for node, eager in _imports(tree, eager=True):
        for module, is_part in _targets(path, node, exists):
            found = Import(module, node.lineno, node.col_offset + 1, eager)
            if not is_part:
                external.append(found)
            elif exists(module):
                local.append(found)
            else:
                missing.append(found)
    return Part(
        path=path,
        content=content,
        local=tuple(local),
        external=tuple(each for each in external if each.module not in sys.stdlib_module_names),
        missing=tuple(missing),
    )


def _imports(node: ast.AST, *, eager: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Every import statement below `node`, and whether it runs on import."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, eager
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, eager=False)
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for inner in child.body:
                yield from _imports(ast.Module([inner], []), eager=False)
            for inner in child.orelse:
                yield from _imports(ast.Module([inner], []), eager=eager)
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _imports(child, eager=eager)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _targets(path: str, node: ast.Import | ast.ImportFrom, exists: Callable[[str], bool]) -> Iterator[tuple[str, bool]]:
    """(part path, True) or (package, False) for each module that a statement imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name.partition(".")[0], False
        return
    if not node.level:
        yield (node.module or "").partition(".")[0], False
        return
    folder = path.split("/")[:-1]
    kept = folder[: len(folder) - (node.level - 1)]
    base = "/".join([*kept, *(node.module.split(".") if node.module else [])])
    inner = [_module_file(f"{base}/{alias.name}" if base else alias.name, exists) for alias in node.names]
    submodules = [each for each in inner if exists(each)]
    for each in submodules:
        yield each, True
    if len(submodules) < len(inner) or not submodules:
        yield (_module_file(base, exists) if base else "__init__.py"), True


def _module_file(dotted: str, exists: Callable[[str], bool]) -> str:
    package = f"{dotted}/__init__.py"
    return package if exists(package) else f"{dotted}.py"


def _packages_above(path: str, exists: Callable[[str], bool]) -> list[str]:
    """The `__init__.py` of each folder above `path`, but for the generated package's own."""
    folders = path.split("/")[:-1]
    above = ["/".join([*folders[: depth + 1], "__init__.py"]) for depth in range(len(folders))]
    return [each for each in above if exists(each)]

"""Parts, read by their syntax tree and never imported: openers, config dataclasses, methods.

    Parts(roots).module("providers/inference/nvidia.py")  →  Module(definitions={"open_nvidia": …}, imports={…})

Names are followed through imports, so a dataclass or a base class may live in another part.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from .plan import Position
from .problems import Problem
from .workspace import Roots

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True, slots=True)
class Module:
    """One part. path: relative to the parts' root; file: as it is called in positions.

    imports: local name → (path of a part or "", the name there); "" for what is no part.
    """

    path: str
    file: str
    tree: ast.Module
    definitions: Mapping[str, Definition]
    imports: Mapping[str, tuple[str, str]]

    def at(self, node: ast.AST) -> Position:
        return Position(self.file, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1)


@dataclass(frozen=True, slots=True)
class Found:
    """A definition, in the part that holds it."""

    module: Module
    node: Definition


class Parts:
    """Reads each part once. problems: what is wrong with those read so far."""

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._modules: dict[str, Module | None] = {}
        self.problems: list[Problem] = []

    def module(self, path: str) -> Module | None:
        """The part of this path; None if there is none, or it is not Python (then a problem is noted)."""
        if path not in self._modules:
            self._modules[path] = self._read(path)
        return self._modules[path]

    def find(self, module: Module, name: str) -> Found | None:
        """What a name in a part stands for, followed through imports; None if that leads out of the parts."""
        seen: set[tuple[str, str]] = set()
        while (module.path, name) not in seen:
            seen.add((module.path, name))
            if node := module.definitions.get(name):
                return Found(module, node)
            path, name = module.imports.get(name, ("", name))
            following = self.module(path) if path else None
            if following is None:
                return None
            module = following
        return None

    def bases(self, found: Found) -> Iterator[Found]:
        """A class and its base classes that are parts, nearest first, each once."""
        queue, seen = [found], set()
        while queue:
            current = queue.pop(0)
            if not isinstance(current.node, ast.ClassDef) or (current.module.path, current.node.name) in seen:
                continue
            seen.add((current.module.path, current.node.name))
            yield current
            names = (base.value if isinstance(base, ast.Subscript) else base for base in current.node.bases)
            nexts = (self.find(current.module, base.id) for base in names if isinstance(base, ast.Name))
            queue += [base for base in nexts if base is not None]

    def _read(self, path: str) -> Module | None:
        files = self._roots.part(path)
        if not files:
            return None
        file = files[-1]
        if len(files) > 1:
            where = Position(file.label, 1, 1)
            self.problems.append(
                Problem("SG206", where, f"{files[0].label} is a part already", mend="call the file something else")
            )
        try:
            tree = ast.parse(file.path.read_bytes(), file.label)
        except (SyntaxError, ValueError, RecursionError) as error:
            line, column = getattr(error, "lineno", 1) or 1, getattr(error, "offset", 1) or 1
            said = getattr(error, "msg", None) or str(error)
            self.problems.append(Problem("SG702", Position(file.label, line, max(column, 1)), f"not Python: {said}"))
            return None
        return Module(path, file.label, tree, dict(_definitions(tree)), dict(self._imports(tree, path)))

    def _imports(self, tree: ast.Module, path: str) -> Iterator[tuple[str, tuple[str, str]]]:
        package = PurePosixPath(path).parts[:-1]
        for node in _statements(tree.body):
            if not isinstance(node, ast.ImportFrom):
                continue
            target = self._target(package, node) if node.level else ""
            for alias in node.names:
                yield alias.asname or alias.name, (target, alias.name)

    def _target(self, package: tuple[str, ...], node: ast.ImportFrom) -> str:
        """The part that a relative import names, "" if there is none."""
        if node.level - 1 > len(package):
            return ""
        names = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
        stem = "/".join(name for name in names if name)
        return next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if self._roots.part(path)), "")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, with those under `if TYPE_CHECKING:`."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _statements(node.body)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


# ── law 1: no run-time lookup ───────────────────────────────────────────────────────────────────────────────────────

_MODULES = frozenset({"importlib", "pkgutil", "runpy", "pkg_resources"})
_CALLS = frozenset({"__import__", "eval", "exec"})
_SIGNATURES = frozenset({"signature", "getfullargspec", "getattr_static"})


def run_time_lookups(module: Module) -> Iterator[Problem]:
    """Every place of a part that looks a name up while the server runs."""
    for node in ast.walk(module.tree):
        if found := _lookup(node):
            yield Problem("SG707", module.at(node), f"{found} is a run-time lookup", found=found)


def _lookup(node: ast.AST) -> str:
    if isinstance(node, ast.Import):
        return next((a.name for a in node.names if a.name.partition(".")[0] in _MODULES), "")
    if isinstance(node, ast.ImportFrom) and not node.level:
        top = (node.module or "").partition(".")[0]
        names = [alias.name for alias in node.names]
        if top == "inspect":
            return next((f"inspect.{name}" for name in names if name in _SIGNATURES), "")
        return top if top in _MODULES else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in _CALLS:
            return node.func.id
        return "getattr" if node.func.id in ("getattr", "setattr", "hasattr") else ""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "inspect":
        return f"inspect.{node.attr}" if node.attr in _SIGNATURES else ""
    return ""

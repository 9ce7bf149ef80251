"""Parts whose place is taken by those of `stackgen-api`, in a server that has a provider from a package.

Such a provider raises the package's errors and answers with its `Answer`; a server with classes of its own beside
would know neither. So what the package has stands there once, and the server's module of that name only names it:

    from stackgen_api.runtime.models import ModelSource, ModelType, ProviderModel

    __all__ = ["ModelSource", "ModelType", "ProviderModel"]

Everything else in the server is what it always is, and imports these modules as it always does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..render.code import from_imports, layout, sequence, string
from . import MODULE


def stand_in(path: str, content: bytes) -> bytes:
    """The module that stands for a part; the part itself where it defines nothing."""
    names = sorted(
        set(_defined(ast.parse(content, path))), key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    if not names:
        return content
    module = ".".join((MODULE, *path.removesuffix(".py").removesuffix("/__init__").split("/")))
    lines = [
        f'"""As {MODULE} has it, so that its providers and this server mean the same."""',
        "",
        *from_imports({module: names}),
        "",
        layout(sequence(map(string, names)), 0, before="__all__ = "),
    ]
    return ("\n".join(lines) + "\n").encode()


def _defined(tree: ast.Module) -> Iterator[str]:
    """What others may import from a module: its own classes, functions and constants, but for private ones."""
    for node in tree.body:
        names: list[ast.expr] = []
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign) and not _is_type_variable(node.value):
            names = node.targets
        elif isinstance(node, ast.AnnAssign):
            names = [node.target]
        yield from (name.id for name in names if isinstance(name, ast.Name) and not name.id.startswith("_"))


def _is_type_variable(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "TypeVar"

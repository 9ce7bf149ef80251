"""Openers of parts, and whether what they make fits its contract; by syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..openapi import Operation
from ..parts import Found, Module, Parts
from ..plan import Position
from ..problems.nearest import nearest
from .desk import Desk

CONTRACT = ("self", "request", "ctx")


@dataclass(frozen=True, slots=True)
class Opener:
    """contexts: an async context manager, not a class. config: the annotation of its one positional parameter,
    "" if it has none.
    keywords: keyword-only parameters, True where required. open_ended: it takes any keyword. product: the
    class that it makes.
    """

    module: Module
    at: Position
    contexts: bool
    config: str
    keywords: Mapping[str, bool]
    open_ended: bool
    product: Found | None


def read_opener(desk: Desk, at: Position, part: str, name: str) -> Opener | None:
    """The opener that a spec names at `at`; None, and a problem, where there is none."""
    module = desk.parts.module(part)
    if module is None:
        if not desk.roots.part(part):
            folder, _, name = part.removesuffix(".py").rpartition("/")
            known = [path.stem for tree in desk.roots.trees for path in (tree.parts / folder).glob("*.py")]
            close = nearest(name, known)
            near = f"{folder}/{close}.py" if close else None
            desk.report("SG701", at, f"there is no part {part}", expected="a file below parts/", nearest=near)
        return None
    found = desk.parts.find(module, name)
    node = found.node if found else None
    if isinstance(node, ast.AsyncFunctionDef) and any(
        "asynccontextmanager" in ast.unparse(d) for d in node.decorator_list
    ):
        assert found is not None
        return _function(desk.parts, found, node)
    if isinstance(node, ast.ClassDef):
        assert found is not None
        return _class(desk.parts, found, node)
    if node is None:
        callables = [n for n, d in module.definitions.items() if not isinstance(d, ast.Assign | ast.AnnAssign)]
        desk.report("SG703", at, f"{part} has no {name}", found=name, nearest=nearest(name, callables))
    else:
        asked = "an @asynccontextmanager async def, or a class"
        desk.report(
            "SG703", at, f"{name} in {part} opens nothing", expected=asked, found=ast.unparse(node).partition("\n")[0]
        )
    return None


def check_keywords(desk: Desk, at: Position, opener: Opener, name: str, given: Mapping[str, Position]) -> None:
    """Report keyword arguments that the wiring gives and the opener does not take, or the other way round."""
    for keyword, place in given.items():
        if keyword not in opener.keywords and not opener.open_ended:
            taken = ", ".join(opener.keywords) or "none"
            desk.report(
                "SG704",
                place,
                f"{name} takes no keyword argument {keyword!r}",
                expected=f"its keyword arguments: {taken}",
                found=keyword,
                nearest=nearest(keyword, opener.keywords),
            )
    for keyword, required in opener.keywords.items():
        if required and keyword not in given:
            message = f"{name} needs the keyword argument {keyword!r}, which nothing gives"
            asked = f"{keyword} under needs, uses, takes or arguments"
            desk.report("SG704", at, message, expected=asked, found=f"{opener.at}: {keyword}")


def check_contract(desk: Desk, at: Position, opener: Opener, operations: Iterable[Operation]) -> None:
    """Report the operations that what the opener makes has no fitting method for."""
    if opener.product is None:
        asked = "-> AsyncIterator[X], where X is a class of a part"
        desk.report("SG706", opener.at, "the opener does not say what it makes", expected=asked)
        return
    methods = _methods(desk.parts, opener.product)
    owner = opener.product
    assert isinstance(owner.node, ast.ClassDef)
    for operation in operations:
        found = methods.get(operation.name)
        wanted = f"async def {operation.name}({', '.join(CONTRACT)})"
        if found is None:
            message = f"{owner.node.name} has no method for {operation.id}"
            near = nearest(operation.name, methods)
            desk.report(
                "SG706", owner.module.at(owner.node), message, expected=wanted, found=f"asked for at {at}", nearest=near
            )
        elif written := _differs(found.node):
            message = f"{owner.node.name}.{operation.name} does not fit the contract"
            desk.report("SG706", found.module.at(found.node), message, expected=wanted, found=written)


def _differs(node: ast.AST) -> str:
    """How a method is written, if that is not the contract's way; "" if it is."""
    if not isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
        return "no method"
    arguments = node.args
    names = tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args))
    required_keywords = [a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is None]
    if isinstance(node, ast.AsyncFunctionDef) and names == CONTRACT and not required_keywords:
        return ""
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return f"{word} {node.name}({ast.unparse(arguments)})"


def _methods(parts: Parts, product: Found) -> dict[str, Found]:
    methods: dict[str, Found] = {}
    for owner in parts.bases(product):
        assert isinstance(owner.node, ast.ClassDef)
        for node in owner.node.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                methods.setdefault(node.name, Found(owner.module, node))
    return methods


def _function(parts: Parts, found: Found, node: ast.AsyncFunctionDef) -> Opener:
    returns = node.returns
    product = None
    if isinstance(returns, ast.Subscript):
        made = returns.slice.elts[0] if isinstance(returns.slice, ast.Tuple) else returns.slice
        product = parts.find(found.module, made.id) if isinstance(made, ast.Name) else None
    if product is not None and not isinstance(product.node, ast.ClassDef):
        product = None
    return _opener(found, node.args, contexts=True, skip=0, product=product)


def _class(parts: Parts, found: Found, node: ast.ClassDef) -> Opener:
    start = _methods(parts, found).get("__init__")
    if start is not None and isinstance(start.node, ast.FunctionDef):
        return _opener(start, start.node.args, contexts=False, skip=1, product=found)
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return _opener(found, nothing, contexts=False, skip=0, product=found)


def _opener(found: Found, arguments: ast.arguments, *, contexts: bool, skip: int, product: Found | None) -> Opener:
    positional = [*arguments.posonlyargs, *arguments.args][skip:]
    config = positional[0].annotation if positional else None
    return Opener(
        module=found.module,
        at=found.module.at(found.node),
        contexts=contexts,
        config=ast.unparse(config).strip("'\"") if config is not None else "",
        keywords={
            each.arg: default is None for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        },
        open_ended=arguments.kwarg is not None,
        product=product,
    )

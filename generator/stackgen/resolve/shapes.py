"""Config dataclasses of parts, read by syntax tree, and whether a config schema fits one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..parts import Found, Module, Parts
from ..plan import Kind, Position
from ..problems.nearest import nearest
from .desk import Desk
from .schemas import Property


@dataclass(frozen=True, slots=True)
class FieldType:
    """name: str, Secret, int, float, bool, strings, string_map, object, or "" for anything else. shape: of an
    object."""

    name: str
    optional: bool = False
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: FieldType
    written: str
    at: Position


@dataclass(frozen=True, slots=True)
class Shape:
    """A dataclass: the part that defines it, its name, its fields in order."""

    part: str
    cls: str
    fields: tuple[Field, ...]
    at: Position


_FITS: Mapping[Kind, tuple[str, ...]] = {
    "string": ("str",),
    "url": ("str",),
    "path": ("str",),
    "secret": ("Secret",),
    "integer": ("int", "float"),
    "number": ("float",),
    "boolean": ("bool",),
    "strings": ("strings",),
    "string_map": ("string_map",),
}
_ASKED: Mapping[Kind, str] = {
    "string": "str", "url": "str", "path": "str", "secret": "Secret", "integer": "int", "number": "float",
    "boolean": "bool", "strings": "tuple[str, ...]", "string_map": "Mapping[str, str]",
}  # fmt: skip
_SIMPLE = frozenset({"str", "int", "float", "bool", "Secret"})


def read_shape(parts: Parts, module: Module, name: str, depth: int = 0) -> Shape | None:
    """The dataclass that a name in a part stands for; None if it is no class of a part."""
    found = parts.find(module, name)
    if found is None or not isinstance(found.node, ast.ClassDef) or depth > 10:
        return None
    fields: dict[str, Field] = {}
    for each in reversed(list(parts.bases(found))):
        for item in _annotated(each):
            kind = _type(parts, each.module, item.annotation, depth)
            target = item.target
            assert isinstance(target, ast.Name)
            fields[target.id] = Field(target.id, kind, ast.unparse(item.annotation), each.module.at(item))
    return Shape(found.module.path, found.node.name, tuple(fields.values()), found.module.at(found.node))


def check_shape(
    desk: Desk, schema: Property, shape: Shape, prefix: str = "", wider: frozenset[str] = frozenset()
) -> None:
    """Report where properties and fields differ. wider: fields that may be None though the schema says nothing
    of null."""
    names = [field.name for field in shape.fields]
    for name, prop in schema.properties.items():
        if name not in names and not prop.backend:
            desk.report(
                "SG705",
                prop.at,
                f"{shape.cls} in {shape.part} has no field {name}",
                expected=f"one of {', '.join(names)}" if names else "no property",
                found=f"the property {prefix}{name}",
                nearest=nearest(name, names),
            )
    for field in shape.fields:
        prop_ = schema.properties.get(field.name)
        if prop_ is None:
            message = f"the config schema has no property {prefix}{field.name}, which {shape.cls} has"
            desk.report("SG705", schema.at, message, expected=f"{field.name}: {field.written}", found="nothing")
        else:
            _check_field(desk, prop_, field, prefix)


def _check_field(desk: Desk, prop: Property, field: Field, prefix: str) -> None:
    if prop.kind is None and prop.properties:
        if field.type.shape is None:
            said = f"{prefix}{field.name} is an object, and the field is {field.written}"
            desk.report("SG705", prop.at, said, expected="a dataclass of a part", found=field.written)
        else:
            check_shape(desk, prop, field.type.shape, f"{prefix}{field.name}.")
        return
    if prop.kind is None:
        return  # SG504 tells of it
    asked = _ASKED[prop.kind] + (" | None" if prop.nullable else "")
    if field.type.name not in _FITS[prop.kind] or (prop.nullable and not field.type.optional):
        message = f"{prefix}{field.name} does not fit its field in {field.at.file}:{field.at.line}"
        desk.report(
            "SG705", prop.at, message, expected=f"{field.name}: {asked}", found=f"{field.name}: {field.written}"
        )


def _annotated(found: Found) -> Iterator[ast.AnnAssign]:
    assert isinstance(found.node, ast.ClassDef)
    for item in found.node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            base = item.annotation.value if isinstance(item.annotation, ast.Subscript) else item.annotation
            if not (isinstance(base, ast.Name) and base.id == "ClassVar"):
                yield item


def _type(parts: Parts, module: Module, node: ast.expr, depth: int) -> FieldType:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return _type(parts, module, ast.parse(node.value, mode="eval").body, depth)
        except SyntaxError:
            return FieldType("")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union(parts, module, [node.left, node.right], depth)
    if isinstance(node, ast.Subscript):
        return _subscript(parts, module, node, depth)
    if isinstance(node, ast.Name):
        return _named(parts, module, node.id, depth)
    return FieldType("")


def _union(parts: Parts, module: Module, members: list[ast.expr], depth: int) -> FieldType:
    rest = [each for each in members if not (isinstance(each, ast.Constant) and each.value is None)]
    if len(rest) != 1:
        return FieldType("")
    inner = _type(parts, module, rest[0], depth)
    return FieldType(inner.name, optional=True, shape=inner.shape)


def _subscript(parts: Parts, module: Module, node: ast.Subscript, depth: int) -> FieldType:
    base = node.value.id if isinstance(node.value, ast.Name) else ""
    inside = ast.unparse(node.slice).strip("()")
    if base == "Optional":
        return _union(parts, module, [node.slice, ast.Constant(None)], depth)
    if base == "Literal":
        return FieldType("str")
    if base in ("tuple", "Sequence") and inside in ("str, ...", "str"):
        return FieldType("strings")
    if base in ("Mapping", "dict") and inside == "str, str":
        return FieldType("string_map")
    return FieldType("")


def _named(parts: Parts, module: Module, name: str, depth: int) -> FieldType:
    if name in _SIMPLE:
        return FieldType(name)
    found = parts.find(module, name)
    if found is not None and isinstance(found.node, ast.Assign | ast.AnnAssign) and found.node.value is not None:
        return _type(parts, found.module, found.node.value, depth + 1) if depth < 10 else FieldType("")
    shape = read_shape(parts, module, name, depth + 1)
    return FieldType("object", shape=shape) if shape else FieldType("")

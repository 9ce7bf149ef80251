"""Schemas in, pydantic source out, one definition at a time.

    {"Ping": Component({"type": "object", …})}  →  {"Ping": Definition("class Ping(WireModel):\\n    …", uses={…})}

datamodel-code-generator does the translation, with one fixed set of options. It is handed plain schemas, and its answer
is cut into definitions by syntax tree, so that `contracts` can lay them out in files. Every definition must be a
component: a nested schema that needs a class or an alias of its own gets its name in the spec, never an invented one
like `Content1`.
"""

from __future__ import annotations

import ast
import json
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..openapi.components import Component, Json, references

WIDTH = 120
BASE = "WireModel"
UPLOAD = "Upload"
"""What a file of a form becomes."""


class ContractError(Exception):
    """An API document that no contract can be made of; the message says which schema and how to mend it."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One class or alias. source: its lines; uses: the names that it reads, itself excluded."""

    source: str
    uses: frozenset[str]


def definitions(schemas: Mapping[str, Component]) -> dict[str, Definition]:
    """The definition of each component; each follows what it uses, as far as there are no cycles."""
    if not schemas:
        return {}
    found = dict(_cut(_generate(schemas), schemas))
    if invented := sorted(found.keys() - schemas.keys()):
        raise ContractError(
            f"no component is called {', '.join(invented)}: a schema nested in another needs a name of its own; "
            "move it to a component and refer to it"
        )
    if missing := sorted(schemas.keys() - found.keys()):
        raise ContractError(f"no Python name can be made of {', '.join(missing)}: use CamelCase letters and digits")
    return {name: found[name] for name in _ordered(schemas, found)}


def _generate(schemas: Mapping[str, Component]) -> str:
    """The translation, as one module."""
    # Here, since only `stackgen contracts` needs it, and an installed stackgen may lack it.
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType, OpenAPIScope
    from datamodel_code_generator.format import PythonVersion
    from datamodel_code_generator.parser import LiteralType

    prepared = {name: _prepared(each.schema, top=True) for name, each in schemas.items()}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "paths": {},
        "components": {"schemas": prepared},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = generate(
            json.dumps(document),
            input_file_type=InputFileType.OpenAPI,
            openapi_scopes=[OpenAPIScope.Schemas],
            output_model_type=DataModelType.PydanticV2BaseModel,
            target_python_version=PythonVersion.PY_311,
            base_class=f"wire.{BASE}",
            enum_field_as_literal=LiteralType.All,
            field_constraints=True,
            use_annotated=True,
            use_type_alias=True,
            use_schema_description=True,
            use_field_description=True,
            use_standard_collections=True,
            use_union_operator=True,
            disable_timestamp=True,
            formatters=[],
        )
    if not isinstance(module, str):
        raise ContractError("a component's name holds a dot, which would be a module of its own")
    return module


def _prepared(value: object, *, top: bool = False, names: bool = False) -> object:
    """A schema as the translator should see it.

    Without our own keys, and without `deprecated`, which would make every read of the field warn at run time. The
    description of an alias is left out too: it would become a run-time `Field`; `_alias` writes it as a docstring.
    What is of the format binary is a file of a form, whose type is ours.
    names: `value` maps property names.
    """
    if isinstance(value, list):
        return [_prepared(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("format") == "binary" and not names:
        kept = {"description": value["description"]} if "description" in value else {}
        return {"customTypePath": f"upload.{UPLOAD}", **kept}
    if names:
        return {key: _prepared(each) for key, each in value.items()}
    drop = {"deprecated"} if not top or _is_object(value) else {"deprecated", "description"}
    return {
        key: _prepared(each, names=key == "properties")
        for key, each in value.items()
        if key not in drop and not key.startswith("x-")
    }


def _is_object(schema: Json) -> bool:
    return "properties" in schema or "allOf" in schema or schema.get("type") == "object"


def _cut(module: str, schemas: Mapping[str, Component]) -> Iterator[tuple[str, Definition]]:
    """(name, definition) of each class and alias; imports and calls are left out."""
    for node in ast.parse(module).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, Definition(_class(node), _names(node) - {node.name})
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            value = node.value.args[1] if isinstance(node.value, ast.Call) else node.value
            yield name, _alias(name, value, schemas)


def _alias(name: str, value: ast.expr, schemas: Mapping[str, Component]) -> Definition:
    text = schemas[name].schema.get("description") if name in schemas else None
    about = docstring(text, "") if isinstance(text, str) else []
    source = "\n".join([f"{name}: TypeAlias = {ast.unparse(value)}", *about])
    return Definition(source, (_names(value) | {"TypeAlias"}) - {name})


def _class(node: ast.ClassDef) -> str:
    """The class again, its docstrings wrapped to the line."""
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    lines = [f"class {node.name}({bases}):"]
    for index, each in enumerate(node.body):
        match each:
            case ast.Expr(value=ast.Constant(value=str(text))):
                lines += [*docstring(text, "    "), *([""] if index == 0 else [])]
            case ast.Pass() | ast.Assign():
                # An assignment would be what pydantic needs to know of types without a schema; `Upload` has one.
                continue
            case _:
                lines.append("    " + ast.unparse(each))
    return "\n".join(lines) if len(lines) > 1 else "\n".join([*lines, "    pass"])


def docstring(text: str, indent: str) -> list[str]:
    """A docstring on one line if it fits, else wrapped, the first line being the summary's."""
    plain = " ".join(text.split()).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if plain.endswith('"'):
        plain += " "
    if len(indent) + len(plain) + 6 <= WIDTH:
        return [f'{indent}"""{plain}"""']
    wrapped = textwrap.wrap(plain, WIDTH - len(indent), break_long_words=False, initial_indent="   ")
    return [f'{indent}"""{wrapped[0].lstrip()}', *(indent + line for line in wrapped[1:]), f'{indent}"""']


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    )


def _ordered(schemas: Mapping[str, Component], found: Mapping[str, Definition]) -> list[str]:
    """The spec's order, but each after what it uses, which stands as near before it as can be."""
    order: dict[str, None] = {}
    open_: set[str] = set()

    def visit(name: str) -> None:
        if name in order or name in open_:
            return
        open_.add(name)
        for used in references(schemas[name].schema):
            if used in found:
                visit(used)
        order[name] = None

    for name in schemas:
        visit(name)
    return list(order)

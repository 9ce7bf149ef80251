"""Contracts as text: which definition stands in which file, and what each file imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..openapi import Operation, camel_case, operations
from ..openapi.components import Json
from .models import BASE, UPLOAD, ContractError, Definition, docstring

_NOTE = "Generated from {source} by `stackgen contracts`; a change belongs there."
_ORIGINS = {
    "Annotated": "typing",
    "Any": "typing",
    "Literal": "typing",
    "TypeAlias": "typing",
    "AwareDatetime": "pydantic",
    "Field": "pydantic",
    BASE: "..wire",
    UPLOAD: "...runtime.upload",
}

_SPOOL = (
    "    @property",
    "    def spool(self) -> Spool:",
    '        """Where files lie while they come in, and how large they may be."""',
)
"""What a Protocol has beside its methods where one of them takes files."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of models. path: under contracts/, like "inference/requests.py"; names: what stands in it, in order."""

    path: str
    summary: str
    source: str
    names: tuple[str, ...]


def heading(summary: str, source: str) -> str:
    """The docstring of a generated file and its first import."""
    return f'"""{summary}\n\n{_NOTE.format(source=source)}\n"""\n\nfrom __future__ import annotations'


def model_file(file: ModelFile, found: Mapping[str, Definition], files: Mapping[str, str]) -> str:
    """The text of a file of models. files: where each definition stands, as the paths of files."""
    imports: dict[str, list[str]] = {}
    for used in sorted({used for name in file.names for used in found[name].uses}):
        origin = _ORIGINS.get(used) or _relative(files.get(used, file.path), file.path)
        if origin:
            imports.setdefault(origin, []).append(used)
    blocks = [found[name].source for name in file.names]
    body = "\n\n\n".join(blocks)
    # As isort has it: two blank lines before a class that follows the imports, one before anything else.
    gap = "\n" if body.startswith("class ") else ""
    return "\n\n".join([heading(file.summary, file.source), *_imports(imports), gap + body]) + "\n"


def protocol_file(name: str, document: Json, files: Mapping[str, str]) -> str:
    """The text of an API's `__init__.py`: a Protocol per capability, and one for the whole API."""
    title = camel_case(name)
    found = operations(document)
    _check_bytes(found)
    capabilities = list(dict.fromkeys(each.capability for each in found if each.capability))
    classes = {camel_case(each): [op for op in found if op.capability == each] for each in capabilities}
    if taken := sorted({title, *classes} & files.keys()):
        raise ContractError(f"{taken[0]} is both a schema and the name of a Protocol; rename the schema")
    info = document.get("info")
    about = str(info.get("description", "")) if isinstance(info, Mapping) else ""
    blocks = [_protocol(each, [], "", methods) for each, methods in classes.items()]
    blocks.append(_protocol(title, list(classes), about, [op for op in found if not op.capability]))
    used = sorted({each for op in found for each in (op.request, op.response, op.event) if each})
    replies = [each for each in ("Answer", "Events") if any(_result(op).find(f"{each}[") >= 0 for op in found)]
    imports = {"...runtime.context": ["Context"], **({"...runtime.reply": replies} if replies else {})}
    imports |= {"...runtime.download": ["Download"]} if any(op.download for op in found) else {}
    imports |= {"...runtime.upload": ["Spool"]} if any(op.form for op in found) else {}
    for each in used:
        imports.setdefault(_relative(files[each], f"{name}/__init__.py"), []).append(each)
    guarded = "\n".join(f"    {line}" for line in "\n".join(_imports(imports)).splitlines() if line)
    head = heading(f"The {title} API: what its providers offer and the server calls.", f"apis/{name}.yaml")
    typing = "from typing import TYPE_CHECKING, Protocol"
    return "\n\n".join([head, typing, f"if TYPE_CHECKING:\n{guarded}", *("\n" + block for block in blocks)]) + "\n"


def _check_bytes(found: Sequence[Operation]) -> None:
    """Raises ContractError for an operation whose bytes the server could not carry."""
    for each in found:
        if each.form and (each.relay or each.download):
            raise ContractError(f"{each.id} takes a form, so what it answers must be JSON, and without x-relay")
        if each.download and (each.method != "GET" or each.body or each.relay or each.response or each.event):
            raise ContractError(f"{each.id} answers bytes, so it must be a GET without body, x-relay or JSON beside it")


def _protocol(name: str, bases: Sequence[str], about: str, methods: Sequence[Operation]) -> str:
    """One Protocol. about: its docstring; an operation's summary where it is empty."""
    text = about or " ".join(dict.fromkeys(op.summary for op in methods)) or f"The operations of {name}."
    lines = [f"class {name}({', '.join([*bases, 'Protocol'])}):", *docstring(text, "    ")]
    if any(each.form for each in methods):
        lines += ["", *_SPOOL]
    for operation in methods:
        lines += ["", *_method(operation)]
    return "\n".join(lines)


def _method(operation: Operation) -> Iterator[str]:
    yield f"    async def {operation.name}(self, request: {operation.request}, ctx: Context) -> {_result(operation)}:"
    yield from docstring(operation.summary or f"{operation.method} {operation.path}", "        ")


def _result(operation: Operation) -> str:
    """The type of an operation's answer."""
    if operation.download:
        return "Download"
    if not operation.relay:
        return operation.response or "None"
    kinds = [("Answer", operation.response), ("Events", operation.event)]
    return " | ".join(f"{kind}[{name}]" for kind, name in kinds if name) or "None"


def _imports(imports: Mapping[str, Sequence[str]]) -> list[str]:
    """The import statements, one block for each section: standard library, packages, ours."""
    sections: dict[int, list[str]] = {}
    for origin, names in sorted(imports.items()):
        section = 2 if origin.startswith(".") else 0 if origin == "typing" else 1
        sections.setdefault(section, []).append(f"from {origin} import {', '.join(sorted(names, key=str.lower))}")
    return ["\n".join(sections[section]) for section in sorted(sections)]


def _relative(target: str, origin: str) -> str:
    """The module `target` as `origin` imports it, both as paths under contracts/; "" if they are one."""
    if target == origin:
        return ""
    folder, _, module = target.removesuffix(".py").rpartition("/")
    return f".{module}" if folder == origin.rpartition("/")[0] else f"..{folder}.{module}"

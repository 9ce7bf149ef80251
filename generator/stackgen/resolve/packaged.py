"""Providers that come from a package, which the compiler need not have.

    package: acme-stack==1.2           what is locked and installed
    import: acme_stack.chat:open_acme  what the wiring imports
    class: AcmeConfig                  what settings.py makes of the config, in the same module

What of them fits is proved where the package is: by the type checker over the generated wiring. Where it is installed
beside the compiler, `installed` tells of it earlier.
"""

from __future__ import annotations

from ..load import Document
from .desk import Desk, mapping, text
from .schemas import Property
from .shapes import Field, FieldType, Shape


def names_of(document: Document) -> tuple[str, str]:
    """(module, opener) of `import`."""
    module, _, name = text(mapping(document.data).get("import")).partition(":")
    return module, name


def packaged_shape(document: Document, schema: Property) -> Shape | None:
    """The dataclass that the spec names, its fields being what the schema says they are."""
    cls = text(mapping(document.data).get("class"))
    if not cls:
        return None
    fields = tuple(Field(name, FieldType(""), "", prop.at) for name, prop in schema.properties.items())
    return Shape(names_of(document)[0], cls, fields, document.at("class"))


def check_packaged(desk: Desk, document: Document, api: str, schema: Property) -> None:
    """Report what can be told of such a provider without its package."""
    has_class = "class" in mapping(document.data)
    if schema.properties and not has_class:
        at = document.key("config")
        desk.report("SG202", at, "class is missing", expected="the key 'class', as there is a config")
    if has_class and not schema.properties:
        desk.report("SG202", document.key("class"), "config is missing", expected="the key 'config', of the class")
    for name, prop in schema.properties.items():
        if prop.kind is None and prop.properties:
            message = f"{name} is an object, whose class in the package nobody knows"
            desk.report("SG504", prop.at, message, expected="settings that are no objects")
    contract = desk.roots.part(f"contracts/{api}/__init__.py")
    if contract and not contract[-1].label.startswith(desk.roots.trees[0].parts_label):
        message = f"the contract of {api} is this workspace's own, and a package is written against stackgen's"
        desk.report(
            "SG715",
            document.at("package"),
            message,
            expected="an API that stackgen-api has",
            found=api,
            mend="write the provider as a part of the workspace",
        )

"""A build config: provider types, without ids and values. Instances of them, filled from the environment.

    inference: [remote::vllm]   →   - id: ${env.VLLM_URL:+vllm}
                                      type: remote::vllm
                                      config: {base_url: "${env.VLLM_URL}", api_token: "${env.VLLM_API_TOKEN:=}"}

The variables' names are those that Llama Stack's own run configs use: the provider's name, and URL or the value's name.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..plan import Position
from ..resolve.schemas import Property, config_schema
from .instances import instances_of, known
from .reading import Reading, said
from .tree import Branch, Item, Leaf, Node, Note, entries


def instances_to_install(reading: Reading, sections: Node) -> Iterator[Item | Note]:
    """`distribution_spec.providers` as `providers:`."""
    found = [Item(each.key, each.at, _of_api(reading, each)) for each in entries(sections)]
    yield from instances_of(reading, Branch(sections.at, tuple(found)))


def _of_api(reading: Reading, section: Item) -> Branch:
    """Entries as run configs have them; a build config may also have texts, or one text."""
    single = isinstance(section.node, Leaf)
    listed = [Item("", section.node.at, section.node)] if single else entries(section.node)
    return Branch(section.node.at, tuple(_entry(reading, section.key, each) for each in listed), listed=True)


def _entry(reading: Reading, api: str, each: Item) -> Item:
    node, at = each.node, each.at
    kind = str(node.value) if isinstance(node, Leaf) else said(node, "provider_type")
    name = kind.rpartition("::")[2]
    document = known(reading, api, kind, at) if reading.desk.roots.find(f"apis/{api}.yaml") else ""
    schema = None if isinstance(document, str) else config_schema(reading.desk, document, ("config",))
    values = _values(name, schema, at) if schema else ()
    needed = [str(one.node.value) for one in values if isinstance(one.node, Leaf) and _is_required(str(one.node.value))]
    identity = f"{needed[0][:-1]}:+{name}}}" if needed else name
    own = [one for one in entries(node) if one.key != "provider_type"]
    items = [_leaf("provider_id", identity, at), _leaf("provider_type", kind, at), *own]
    return Item("", at, Branch(at, (*items, *([Item("config", at, Branch(at, values))] if values else []))))


def _values(name: str, schema: Property, at: Position) -> tuple[Item, ...]:
    """What the provider cannot do without, and its secrets."""
    found: list[Item] = []
    for key, prop in schema.properties.items():
        variable = f"{name}_{key.removeprefix('base_')}".upper().replace("-", "_")
        if key in schema.required and "default" not in prop.rules and not prop.backend:
            found.append(_leaf(key, f"${{env.{variable}}}", at))
        elif prop.kind == "secret" and prop.nullable:
            found.append(_leaf(key, f"${{env.{variable}:=}}", at))
    return tuple(found)


def _is_required(text: str) -> bool:
    return text.endswith("}") and ":" not in text


def _leaf(key: str, value: str, at: Position) -> Item:
    return Item(key, at, Leaf(value, at))

"""wiring.py of a generated package: a block per component, in dependency order.

# gateway.yaml:9  inference/openai, when OPENAI_API_KEY is set
openai = None
if settings.openai is not None:
    openai = await stack.enter_async_context(open_openai_compatible(settings.openai, instance="openai"))
"""

from __future__ import annotations

from dataclasses import dataclass

from ..openapi import camel_case
from ..plan import Argument, Component, Fact, Instances, Literal_, Plan, Ref
from .code import Code, call, from_imports, layout, literal, mapping, sequence, string
from .naming import called, imported
from .settings import module_of, place, resources_field

BLOCK = 8
"""The indent of a component's block, in columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One component. before: a statement that prepares it, "" for none.

    test: the `if` of its gate, "" where it is always there; imports: lines that stand inside it.
    """

    name: str
    comment: str
    line: str
    before: str = ""
    test: str = ""
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What wiring.py.jinja prints. contracts: those of providers that offer a part of their API, (name, its parts);
    stack: (field, contract); result: the line that yields it. counts: whether a component writes into the accounts.
    """

    contracts: tuple[tuple[str, str], ...]
    stack: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    counts: bool
    result: str
    imports: tuple[str, ...]


def wiring_view(plan: Plan, lazy: frozenset[str], version: str) -> View:
    """lazy: the parts that are imported only inside the block of their gated component. version: of the package."""
    served = {route.component: route.api for route in plan.routes}
    answering = sorted((each.name for each in plan.components if each.name in served), key=list(served).index)
    facts = {value.name for each in plan.components for _, value in each.arguments if isinstance(value, Fact)}
    imports: dict[str, set[str]] = {".settings": {"Settings"}}
    by_name = {each.name: each for each in plan.components}
    partial = {name: each for name in answering if (each := _partial(by_name[name]))}
    for name in answering:
        api = served[name]
        wanted = partial.get(name) or {camel_case(api): camel_case(api)}
        found = {imported(each, own) for each, own in wanted.items()}
        imports.setdefault(f".contracts.{api}", set()).update(found)
    several = tuple(
        (camel_case(served[name]), ", ".join(each.values())) for name, each in partial.items() if len(each) > 1
    )
    stack = tuple(
        (name, next(iter(each.values())) if len(each := partial.get(name, {})) == 1 else camel_case(served[name]))
        for name in answering
    )
    if "listing" in facts:
        imports.setdefault(".runtime.wiring", set()).add("listed")
    if counts(plan):
        imports.setdefault(".runtime.metrics", set()).add("Accounts")
    if "routes" in facts:
        imports.setdefault(".routes", set()).add("ROUTES")
    openers = called((each.part, each.opener) for each in plan.components)
    blocks = tuple(
        _block(each, plan, lazy, version, imports, openers[each.part, each.opener]) for each in plan.components
    )
    return View(
        stack=stack,
        contracts=several,
        blocks=blocks,
        counts=counts(plan),
        result=layout(call("Stack", **{name: name for name, _ in stack}), BLOCK, before="yield "),
        imports=tuple(from_imports(imports)),
    )


def counts(plan: Plan) -> bool:
    """Whether a component counts what it does by itself, beside the requests that come in."""
    return any(value == Fact("accounts") for each in plan.components for _, value in each.arguments)


def _partial(component: Component) -> dict[str, str]:
    """The contracts of what a component offers, and their names here, where it does not offer the whole of its API."""
    title = camel_case(component.api)
    return {camel_case(each): f"{title}{camel_case(each)}" for each in component.capabilities if component.lacks}


def _block(
    component: Component, plan: Plan, lazy: frozenset[str], version: str, imports: dict[str, set[str]], opener: str
) -> Block:
    """The block of a component; what it needs at the top of the module is added to `imports`. opener: its name here."""
    inside = component.gate is not None and component.part in lazy
    wanted = {module_of(component.part): {imported(component.opener, opener)}}
    if not inside:
        for module, names in wanted.items():
            imports.setdefault(module, set()).update(names)
    if any(_gated(value) for _, value in component.arguments):
        imports.setdefault(".runtime.wiring", set()).add("enabled")
    listing = any(value == Fact("listing") for _, value in component.arguments)
    indent = BLOCK + 4 if component.gate else BLOCK
    return Block(
        name=component.name,
        comment=place(component),
        before=layout(_listing(plan), BLOCK, before="listing = ") if listing else "",
        line=layout(_opened(component, opener, plan, version), indent, before=f"{component.name} = "),
        test=_test(component),
        imports=tuple(from_imports(wanted, indent)) if inside else (),
    )


def _test(component: Component) -> str:
    if component.gate is None:
        return ""
    return f"settings.{component.name}" + ("" if component.config is None else " is not None")


def _opened(component: Component, opener: str, plan: Plan, version: str) -> Code:
    settings = () if component.config is None else (f"settings.{component.name}",)
    keywords = {name: _argument(value, plan, version) for name, value in component.arguments}
    opened = call(opener, *settings, **keywords)
    return call("await stack.enter_async_context", opened) if component.contexts else opened


def _argument(value: Argument, plan: Plan, version: str) -> Code:
    match value:
        case Literal_(constant):
            return literal(constant)
        case Ref(component):
            return component
        case Instances(items):
            instances = mapping([(name, ref.component) for name, ref in items])
            return call("enabled", instances) if _gated(value) else instances
        case Fact("version"):
            return string(version)
        case Fact("routes"):
            return "ROUTES"
        case Fact("listing" | "accounts" as name):
            return name
        case Fact(_, kind):
            registered = any(entries for each, entries in plan.resources if each == kind)
            return f"settings.{resources_field(kind)}" if registered else "()"


def _gated(value: Argument) -> bool:
    return isinstance(value, Instances) and any(ref.optional for _, ref in value.items)


def _listing(plan: Plan) -> Code:
    """The configured providers, for GET /v1/providers: not what keeps the resources of routed APIs, which Llama Stack
    knows no providers of, though here it may be configured.
    """
    tables = [
        value for each in plan.components if each.role == "router" for key, value in each.arguments if key == "table"
    ]
    chosen = (each for each in plan.components if each.role == "instance" and Ref(each.name) not in tables)
    return sequence(_listed(each) for each in chosen)


def _listed(component: Component) -> Code:
    config = "None" if component.config is None else f"settings.{component.name}"
    names = (string(component.api), string(component.id), string(component.type))
    return call("*listed", *names, config, component.name)

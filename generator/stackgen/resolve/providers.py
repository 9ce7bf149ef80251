"""Provider specs: found by type, read, and checked against their part and their API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..load import Document
from ..openapi import Operation
from ..parts import run_time_lookups
from ..plan import JsonValue, Position, Requirement
from ..problems.nearest import nearest
from ..requirements import requirements_of
from ..workspace import candidates
from .apis import STORAGE, Api
from .desk import Desk, mapping, sequence, text, texts
from .installed import check_installed
from .openers import Opener, check_contract, check_keywords, read_opener
from .packaged import check_packaged, names_of, packaged_shape
from .schemas import Property, config_schema
from .shapes import Shape, check_shape, read_shape
from .values import check_defaults

DEFAULT = "builtin"
"""The file of the provider that implements an API where the distribution names none."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider spec with its part. opener, shape: None where the part does not have them (a problem says so).

    part: or the module of its package, whose opener is not read.
    """

    document: Document
    api: str
    type: str
    part: str
    open: str
    capabilities: tuple[str, ...]
    schema: Property
    opener: Opener | None
    shape: Shape | None
    requirements: tuple[Requirement, ...]

    def section(self, name: str) -> Mapping[str, JsonValue]:
        return mapping(mapping(self.document.data).get(name))

    @property
    def one_process(self) -> bool:
        return mapping(self.document.data).get("processes") == "one"

    @property
    def takes_config(self) -> bool:
        return bool(self.opener.config) if self.opener else bool(self.schema.properties)

    @property
    def backends(self) -> dict[str, Property]:
        """The config properties that name a storage backend."""
        return {name: prop for name, prop in self.schema.properties.items() if prop.backend}


def find_provider(desk: Desk, api: str, kind: str, at: Position) -> Document | None:
    """The spec of a provider type, also by an old name of it; None, and a problem at `at`, if there is none."""
    named = [desk.document(f"providers/{api}/{stem}.yaml") for stem in dict.fromkeys(candidates(kind))]
    there = [each for each in named if each is not None]
    if any(not isinstance(each.data, dict) for each in there):
        return None  # the file is broken, and that is told
    fitting = [each for each in there if mapping(each.data).get("type") == kind]
    if fitting:
        _check_alone(desk, api, kind, fitting)
        return fitting[0]
    # Only now, with an old name or a wrong one, are all specs of the API read.
    known = types_of(desk, api)
    if kind in known:
        return known[kind]
    real = {name: text(mapping(document.data).get("type")) for name, document in known.items()}
    near = nearest(kind, real)
    message = f"there is no provider {kind!r} of {api}"
    desk.report("SG303", at, message, expected=f"a provider of {api}", found=repr(kind), nearest=near)
    return None


def types_of(desk: Desk, api: str) -> dict[str, Document]:
    """Every provider of an API by its type and its old names; an old name that is taken is reported."""
    documents = [desk.document(f"providers/{api}/{stem}.yaml") for stem in desk.roots.names(f"providers/{api}")]
    sound = [each for each in documents if each is not None and isinstance(each.data, dict)]
    found = {text(mapping(each.data).get("type")): each for each in sound}
    for kind in filter(None, found):
        _check_alone(desk, api, kind, [each for each in sound if mapping(each.data).get("type") == kind])
    for document in sound:
        for number, alias in enumerate(sequence(mapping(document.data).get("aliases"))):
            other = found.setdefault(text(alias), document)
            if other is not document:
                at = document.at("aliases", number)
                message = f"the old name {alias!r} is that of another provider"
                desk.report(
                    "SG206", at, message, found=f"the other, {other.file}", mend="remove it from one of the two"
                )
    return found


def _check_alone(desk: Desk, api: str, kind: str, documents: list[Document]) -> None:
    """Report specs of one type, which two file names allow; that of a workspace, where the other is stackgen's own."""
    if len(documents) < 2:
        return
    bundled = desk.roots.trees[0].label
    at = next((each for each in documents if not each.file.startswith(bundled)), documents[0])
    other = next(each for each in documents if each is not at)
    message = f"{kind} is the type of another provider of {api}"
    mend = "give it another type; or call its file as the other is called, and say `replaces: true` at its top"
    desk.report("SG206", at.at("type"), message, found=f"the other, {other.file}", mend=mend)


def read_provider(desk: Desk, document: Document, api: str) -> Provider:
    """The spec and its part, each as far as it is well-formed."""
    data = mapping(document.data)
    kind = text(data.get("type"))
    schema = config_schema(desk, document, ("config",))
    opener = shape = None
    if "package" in data:
        part, name = names_of(document)
        shape = packaged_shape(document, schema)
    else:
        part, name = text(data.get("part")), text(data.get("open"))
        opener = read_opener(desk, document.at("open") if _has_part(desk, part) else document.at("part"), part, name)
        if opener is not None and opener.config:
            shape = read_shape(desk.parts, opener.module, opener.config)
    return Provider(
        document=document,
        api=api,
        type=kind,
        part=part,
        open=name,
        capabilities=texts(data.get("capabilities")),
        schema=schema,
        opener=opener,
        shape=shape,
        requirements=tuple(requirements_of(document, f"{api}/{kind}")),
    )


def keyword_places(provider: Provider) -> dict[str, Position]:
    """The keyword arguments that the wiring gives a provider's opener, each with the line that says so."""
    found = {
        keyword.replace("-", "_"): provider.document.key(section, keyword)
        for section in ("needs", "uses", "takes", "arguments")
        for keyword in provider.section(section)
    }
    return found | {name: prop.at for name, prop in provider.backends.items()}


def check_provider(desk: Desk, provider: Provider, api: Api | None) -> None:
    """Report whatever is wrong with a spec by itself. api: None for storage."""
    document = provider.document
    stem = document.file.rpartition("/")[2].removesuffix(".yaml")
    if provider.type and stem not in candidates(provider.type):
        names = " or ".join(f"{each}.yaml" for each in dict.fromkeys(reversed(list(candidates(provider.type)))))
        message = f"{provider.type} would not be found in a file of this name"
        desk.report("SG205", document.at("type"), message, expected=names, found=f"{stem}.yaml")
    folder = document.file.split("/")[-2]
    if text(mapping(document.data).get("api")) not in ("", folder):
        found = text(mapping(document.data).get("api"))
        desk.report("SG205", document.at("api"), "the folder is another API's", expected=folder, found=found)
    if mapping(document.data).get("default") is True and stem != DEFAULT:
        message = "a default provider is looked for under one file name only"
        desk.report("SG205", document.key("default"), message, expected=f"{DEFAULT}.yaml", found=f"{stem}.yaml")
    _check_capabilities(desk, provider, api)
    _check_formerly(desk, provider)
    _check_stores(desk, provider)
    _check_sections(desk, provider)
    check_defaults(desk, provider.schema)
    if "package" in mapping(document.data):
        check_packaged(desk, document, provider.api, provider.schema)
        check_installed(desk, document, provider.schema, keyword_places(provider), _offered(provider, api))
    if provider.opener is None:
        return
    check_keywords(desk, document.at("open"), provider.opener, provider.open, keyword_places(provider))
    _check_config(desk, provider)
    if api is not None:
        check_contract(desk, document.at("open"), provider.opener, _offered(provider, api))
    desk.problems += run_time_lookups(provider.opener.module)


def _offered(provider: Provider, api: Api | None) -> list[Operation]:
    """The operations of its API that a provider has to have."""
    known = () if api is None or text(api.router.get("instances")) == "table" else api.operations
    return [op for op in known if not op.capability or op.capability in provider.capabilities]


def _check_config(desk: Desk, provider: Provider) -> None:
    assert provider.opener is not None
    own = [name for name, prop in provider.schema.properties.items() if not prop.backend]
    if provider.shape is not None:
        check_shape(desk, provider.schema, provider.shape)
    elif own and not provider.opener.config:
        message = f"{provider.open} takes no config, and the spec has one"
        desk.report("SG704", provider.document.key("config"), message, expected="a first parameter `config`")
    elif own:
        message = f"{provider.opener.config} is no dataclass of a part"
        desk.report(
            "SG705", provider.document.at("open"), message, expected="a dataclass", found=provider.opener.config
        )


def _check_formerly(desk: Desk, provider: Provider) -> None:
    """What `stackgen import` turns old keys into are keys of today."""
    known = provider.schema.properties
    for old, today in provider.section("formerly").items():
        key = text(today) or text(mapping(today).get("key"))
        if key and key not in known:
            at, near = provider.document.at("formerly", old), nearest(key, known)
            expected = f"one of {', '.join(known)}" if known else "nothing: it takes no config"
            desk.report("SG501", at, f"config has no value {key!r}", expected=expected, nearest=near)


def _check_stores(desk: Desk, provider: Provider) -> None:
    """What `stackgen import` turns stores into are values that name backends."""
    for store, key in provider.section("stores").items():
        if key not in provider.backends:
            at, near = provider.document.at("stores", store), nearest(text(key), provider.backends)
            expected = ", ".join(provider.backends) or "nothing: no value of it has x-backend"
            desk.report("SG501", at, f"config has no value {key!r} for a backend", expected=expected, nearest=near)


def _check_sections(desk: Desk, provider: Provider) -> None:
    """What `stackgen import` turns values of sections into are values of the config."""
    for section, values in provider.section("sections").items():
        for path, today in mapping(values).items():
            found: Property | None = provider.schema
            for step in text(today).split("."):
                found = found.properties.get(step) if found else None
            if found is None:
                at = provider.document.at("sections", section, path)
                desk.report("SG501", at, f"config has no value {text(today)!r}", expected="the path of a value")


def _check_capabilities(desk: Desk, provider: Provider, api: Api | None) -> None:
    if api is None:
        return
    for number, name in enumerate(provider.capabilities):
        if name not in api.capabilities:
            at = provider.document.at("capabilities", number)
            known = ", ".join(api.capabilities) or "none"
            desk.report(
                "SG306",
                at,
                f"{api.name} has no capability {name!r}",
                expected=known,
                nearest=nearest(name, api.capabilities),
            )


def wanted_apis(provider: Provider) -> Iterator[tuple[str, bool, Position]]:
    """(API, required, where) for each other API that a provider works with."""
    for section in ("needs", "uses"):
        for name in provider.section(section):
            if name != STORAGE:
                yield name, section == "needs", provider.document.key(section, name)


def _has_part(desk: Desk, part: str) -> bool:
    return bool(desk.roots.part(part))

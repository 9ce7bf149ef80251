"""The sample models of a distribution: read, and checked against the variables that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..load import Document, Where
from ..plan import Component, Config, Sample, Slot, Value
from ..problems.nearest import nearest
from .desk import Desk, mapping, text, texts


def samples_of(desk: Desk, document: Document, variables: frozenset[str]) -> tuple[Sample, ...]:
    """variables: all that the distribution reads; a sample for another is a problem."""
    given = mapping(mapping(document.data).get("samples"))
    for variable in given:
        _check_variable(desk, document, ("samples", variable), variables)
        for other in mapping(mapping(given[variable]).get("texts")):
            _check_variable(desk, document, ("samples", variable, "texts", other), variables)
    return tuple(_sample(document, variable) for variable in given)


def variables_of(
    components: Iterable[Component], server: Config, resources: Iterable[tuple[str, tuple[Config, ...]]]
) -> frozenset[str]:
    """Every variable that a gate or a value reads."""
    components = tuple(components)
    gates = {each.gate for each in components if each.gate}
    configs = [each.config for each in components if each.config]
    configs += [server, *(config for _, entries in resources for config in entries)]
    return frozenset(gates | {slot.variable for config in configs for slot in _slots(config)})


def _slots(config: Config) -> Iterator[Slot]:
    for _, field in config.fields:
        if isinstance(field, Value):
            yield from (part for part in field.parts if isinstance(part, Slot))
        else:
            yield from _slots(field)


def _check_variable(desk: Desk, document: Document, where: Where, variables: frozenset[str]) -> None:
    name = str(where[-1])
    if name not in variables:
        desk.report(
            "SG606",
            document.key(*where),
            f"nothing in the distribution reads {name}",
            expected=f"one of {', '.join(sorted(variables))}" if variables else "no samples: it reads no variables",
            found=name,
            nearest=nearest(name, variables),
        )


def _sample(document: Document, variable: str) -> Sample:
    data = mapping(mapping(mapping(document.data)["samples"]).get(variable))
    megabytes = data.get("megabytes")
    return Sample(
        variable=variable,
        summary=_line(text(data.get("summary"))),
        origin=_line(text(data.get("origin"))),
        terms=_line(text(data.get("terms"))),
        megabytes=megabytes if isinstance(megabytes, int) else 0,
        packages=tuple((name, text(digest)) for name, digest in mapping(data.get("packages")).items()),
        take=texts(data.get("take")),
        name=text(data.get("name")),
        texts=tuple((name, text(said)) for name, said in mapping(data.get("texts")).items()),
        request=tuple(mapping(data.get("request")).items()),
        because=document.key("samples", variable),
    )


def _line(said: str) -> str:
    return " ".join(said.split())

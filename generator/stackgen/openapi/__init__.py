"""An API document, read: its operations, and where each is served.

    specs/apis/inference.yaml  →  operations(document)  →  Operation(method="POST", path="/chat/completions", …), …
                               →  mounts(document)      →  Mount(path="/v1/chat/completions", level="v1", …), …

A document that breaks the schema is read as far as it is well-formed: what cannot be understood is left out, and the
schema's own error tells of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Where = tuple[str | int, ...]

METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
SCHEMAS = "#/components/schemas/"
FORM = "multipart/form-data"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of an API document.

    path: as the document has it, without prefix. id: the operationId; name: its snake case, the contract's method.
    request: the class of the request model. response: that of the JSON answer; event: that of one event of the stream;
    body: the component that the body is, a form where `form`, else JSON; each "" if there is none.
    download: the successful answer is bytes of any kind.
    relay: the answer travels as bytes. public: no credential needed.
    capability: the group of operations that a provider offers or not; "" if the API has none.
    path_parameters, query: the names of its parameters; greedy: those path parameters that may hold slashes.
    where: the keys that lead to it in the document.
    """

    path: str
    method: Method
    id: str
    name: str
    summary: str
    request: str
    response: str
    event: str
    body: str
    form: bool
    download: bool
    relay: bool
    level: str
    public: bool
    deprecated: bool
    capability: str
    provider_data: bool
    path_parameters: tuple[str, ...]
    query: tuple[str, ...]
    greedy: tuple[str, ...]
    where: Where

    @property
    def has_body(self) -> bool:
        """Whether the request has a body."""
        return bool(self.body)

    @property
    def stream(self) -> bool:
        """Whether it may answer with server-sent events."""
        return bool(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """An operation at one of the paths it is served under.

    path: in full, `/v1/models/{model}`. where: the keys that lead to what asked for it: the operation, or the alias.
    """

    operation: Operation
    path: str
    level: str
    deprecated: bool
    where: Where


def operations(document: Mapping[str, object]) -> tuple[Operation, ...]:
    """The operations of an API document, in its order."""
    level = _text(_mapping(document.get("x-stackgen")).get("level")) or "v1"
    return tuple(
        _operation(path, method, item, body, level)
        for path, raw in _mapping(document.get("paths")).items()
        for item in [_mapping(raw)]
        for method in METHODS
        for body in [_mapping(item.get(method.lower()))]
        if _text(body.get("operationId"))
    )


def mounts(document: Mapping[str, object]) -> tuple[Mount, ...]:
    """Where the operations are served: each under its level; those of the document's own level under each alias too."""
    found = operations(document)
    extension = _mapping(document.get("x-stackgen"))
    level = _text(extension.get("level")) or "v1"
    own = [
        Mount(operation=op, path=f"/{op.level}{op.path}", level=op.level, deprecated=op.deprecated, where=op.where)
        for op in found
    ]
    aliased = [
        Mount(
            operation=op,
            path=f"{_text(alias.get('prefix')).rstrip('/')}{op.path}",
            level=_text(alias.get("level")) or op.level,
            deprecated=op.deprecated or alias.get("deprecated") is True,
            where=("x-stackgen", "aliases", index),
        )
        for index, alias in enumerate(map(_mapping, _sequence(extension.get("aliases"))))
        for op in found
        if op.level == level
    ]
    return (*own, *aliased)


def snake_case(name: str) -> str:
    """`createChatCompletion` → `create_chat_completion`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def camel_case(name: str) -> str:
    """`createChatCompletion`, `chat_completion` → `CreateChatCompletion`, `ChatCompletion`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def schema_name(schema: object) -> str:
    """The name at the end of a `$ref`, `#/components/schemas/Name` or `shared/file.yaml#/Name`; "" without one."""
    reference = _text(_mapping(schema).get("$ref"))
    return reference.rsplit("/", 1)[-1] if "#/" in reference else ""


def parameters(item: Mapping[str, object], operation: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """The path and query parameters of an operation; its own replace those of its path item with the same name."""
    found = [_mapping(raw) for raw in (*_sequence(item.get("parameters")), *_sequence(operation.get("parameters")))]
    named = {
        _text(raw.get("name")): raw for raw in found if raw.get("in") in ("path", "query") and _text(raw.get("name"))
    }
    return tuple(named.values())


def _operation(
    path: str, method: Method, item: Mapping[str, object], raw: Mapping[str, object], level: str
) -> Operation:
    given = parameters(item, raw)
    sent = _content(raw.get("requestBody"))
    body = schema_name(sent.get(FORM) or sent.get("application/json"))
    answers = dict(_answers(raw))
    identity = _text(raw.get("operationId"))
    return Operation(
        path=path,
        method=method,
        id=identity,
        name=snake_case(identity),
        summary=_text(raw.get("summary")),
        request=body if body and not given else f"{camel_case(identity)}Request",
        response=answers.get("application/json", ""),
        event=answers.get("text/event-stream", ""),
        body=body,
        form=FORM in sent,
        download=BYTES in answers,
        relay=raw.get("x-relay") is True,
        level=_text(raw.get("x-level")) or level,
        public=raw.get("x-public") is True,
        deprecated=raw.get("deprecated") is True,
        capability=_text(raw.get("x-capability")),
        provider_data=raw.get("x-provider-data") is True,
        path_parameters=tuple(_text(each["name"]) for each in given if each["in"] == "path"),
        query=tuple(_text(each["name"]) for each in given if each["in"] == "query"),
        greedy=tuple(_text(each["name"]) for each in given if each.get("x-greedy") is True),
        where=("paths", path, method.lower()),
    )


def _answers(operation: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(media type, class) of the successful answers."""
    for status, answer in _mapping(operation.get("responses")).items():
        if str(status).startswith("2"):
            for media, schema in _content(answer).items():
                yield media, schema_name(schema)


def _content(body: object) -> dict[str, object]:
    """The schema of each media type of a request body or an answer."""
    content = _mapping(_mapping(body).get("content"))
    return {media: _mapping(value).get("schema") for media, value in content.items()}


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

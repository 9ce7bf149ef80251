"""How one service's API differs from OpenAI's: data and small functions, none of which does I/O of its own.

GROQ = Dialect(usage=lambda event: (event.get("x_groq") or {}).get("usage"))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from ...runtime.errors import UpstreamError
from ...runtime.models import ModelType, ProviderModel
from ...runtime.secret import Secret

MOST_SECONDS = 1e11
"""Of a model's creation; beyond the year 5000, and no infinity or NaN."""

Operation = Literal["chat/completions", "completions", "embeddings"]

Json = Mapping[str, object]

Fetch = Callable[[str], Awaitable[object]]
"""GETs a path with the credential and gives the parsed JSON. The path is relative to base_url; one that begins with
`/` is relative to its host, and a whole URL is taken as it is. An empty answer is None. Raises StackError."""


def bearer(key: Secret) -> dict[str, str]:
    """OpenAI's way to send a key."""
    return {"Authorization": f"Bearer {key.reveal()}"}


def openai_path(operation: str, model: str) -> str:
    """Below base_url, named after the operation."""
    return operation


def send_unchanged(operation: str, body: bytes) -> bytes:
    return body


def openai_usage(document: Json) -> object:
    """The usage object of an answer or an event, None if it has none."""
    return document.get("usage")


async def list_openai_models(fetch: Fetch) -> list[ProviderModel]:
    """What `GET models` names."""
    return read_models(await fetch("models"))


async def ask_for_models(fetch: Fetch) -> None:
    """Healthy is whoever lists its models."""
    await fetch("models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a service does in its own way.

    authorize: the headers that carry a key.
    needs_key: whether a request without a key is refused here, before it is sent. key_setting: what the config calls
    it.
    query: parameters of every URL.
    path: the path of an operation; as for Fetch.
    rewrite: the body to send, after `model` is the service's own; for a field that it names differently.
    asks_usage: whether it understands `stream_options.include_usage`.
    usage: where an answer or an event holds the usage object.
    list_models: asks for what it serves. lists_all: whether that is everything it serves.
    check: asks for anything that shows it alive; raises StackError if it is not.
    """

    authorize: Callable[[Secret], Mapping[str, str]] = bearer
    needs_key: bool = True
    key_setting: str = "api_key"
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    path: Callable[[str, str], str] = openai_path
    rewrite: Callable[[str, bytes], bytes] = send_unchanged
    asks_usage: bool = True
    usage: Callable[[Json], object] = openai_usage
    list_models: Callable[[Fetch], Awaitable[list[ProviderModel]]] = list_openai_models
    lists_all: bool = True
    check: Callable[[Fetch], Awaitable[None]] = ask_for_models


OPENAI = Dialect()


# ── reading a list of models ────────────────────────────────────────────────────────────────────────────────────────


def read_models(document: object, *, key: str = "data", identify: Callable[[str], str] = str) -> list[ProviderModel]:
    """The models of an OpenAI list (`{"data": [{"id": …}]}`), or of a bare array of the same objects.

    key: where the array is. identify: makes the id to use in requests of the one that is listed.
    Raises UpstreamError if it is no such list.
    """
    entries = document.get(key) if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise UpstreamError("the upstream's list of models has an unexpected shape")
    return [
        read_model(entry, identify(entry["id"]))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"]
    ]


def read_model(entry: Json, name: str) -> ProviderModel:
    """One model of such a list; what is not OpenAI's becomes metadata."""
    created = entry.get("created")
    owner = entry.get("owned_by")
    return ProviderModel(
        id=name,
        model_type=model_type(entry, name),
        created=int(created) if isinstance(created, int | float) and abs(created) < MOST_SECONDS else 0,
        owned_by=owner if isinstance(owner, str) else "",
        metadata={k: v for k, v in entry.items() if k not in ("id", "object", "created", "owned_by")},
    )


def model_type(entry: Json, name: str) -> ModelType:
    """What a model is for: as its entry says, else as its name suggests, else a language model."""
    said = entry.get("model_type") or entry.get("type") or entry.get("task")
    for text in (said, name):
        if isinstance(text, str):
            if "rerank" in text.lower():
                return "rerank"
            if "embed" in text.lower():
                return "embedding"
    return "llm"

"""The bundled specs of remote inference, opened as a generated server would, against fakes of their services.

What a spec says is under test with its part: the default URL's path, the config's defaults, the opener, its arguments.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from parts.runtime.context import Context
from parts.runtime.errors import StackError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from upstreams import FakeUpstream, Script, Seen, answers, fake_upstream

SPECS = Path(__file__).parents[3] / "specs" / "providers" / "inference"
REMOTE = sorted(file.stem for file in SPECS.glob("*.yaml") if "type: remote::" in file.read_text())


@dataclass(frozen=True, kw_only=True)
class Case:
    """One service.

    at: the path to open it with, where the spec has no default. api: the path that operations are called below.
    setting, sent: what the config and the provider-data header call its key, "" where they have none.
    needs_key: a request without a key is refused here. key_header: the header and value that carry the key "k1".
    listing: the path asked, its answer, and the ids and types to make of it. asks: the headers of that request.
    refusal: status, body → error class, a part of its message, its code.
    given: what else its config needs. model: what it makes of the model `m`.
    """

    name: str
    at: str | None = None
    api: str
    setting: str = "api_key"
    sent: str = ""
    needs_key: bool = True
    key_header: tuple[str, str] = ("authorization", "Bearer k1")
    listing: tuple[str, object, Mapping[str, str]]
    asks: Mapping[str, str] = field(default_factory=dict)
    refusal: tuple[int, object, type[StackError], str, str | None]
    given: Mapping[str, str] = field(default_factory=dict)
    model: str = "m"


CHAT = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"} | {
    "choices": [
        {"index": 0, "finish_reason": "stop", "logprobs": None, "message": {"role": "assistant", "content": "Hi"}}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


def read_spec(name: str) -> dict[str, Any]:
    """A spec as it is written."""
    document = yaml.safe_load((SPECS / f"{name}.yaml").read_text())
    assert isinstance(document, dict)
    return document


def capabilities(name: str) -> list[str]:
    return [str(each) for each in read_spec(name)["capabilities"]]


def properties(name: str) -> dict[str, Any]:
    """The config's properties, those of the file it refers to included."""
    config = read_spec(name)["config"]
    shared = _referred(config["$ref"])["properties"] if "$ref" in config else {}
    own = {key: _followed(value) for key, value in config["properties"].items()}
    return {key: {**shared.get(key, {}), **own.get(key, {})} for key in {**shared, **own}}


def _followed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return _referred(schema["$ref"]) if "$ref" in schema else schema


def _referred(reference: str) -> dict[str, Any]:
    file, _, pointer = reference.partition("#")
    document = yaml.safe_load((SPECS / file).read_text())
    for step in pointer.split("/")[1:]:
        document = document[step]
    assert isinstance(document, dict)
    return document


def default_path(name: str) -> str:
    """The path of the spec's default URL, "" if it has none."""
    return urlsplit(properties(name)["base_url"].get("default") or "").path


def build_config(name: str, opener: Any, given: Mapping[str, Any]) -> Any:
    """The opener's config: what is given, over the spec's defaults. Attempts that fail are not repeated."""
    annotation = next(iter(inspect.signature(opener, eval_str=False).parameters.values())).annotation
    cls = vars(inspect.getmodule(inspect.unwrap(opener)))[annotation]
    schema = properties(name)
    values: dict[str, Any] = {"network": NetworkConfig(retries=0)}
    for key, rules in schema.items():
        value = given.get(key, rules.get("default"))
        if key in given or "default" in rules:
            values[key] = _typed(value, rules)
    assert set(given) <= set(schema), f"{name} has no such setting"
    return cls(**values)


def _typed(value: Any, rules: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and rules.get("format") == "password":
        return Secret(value)
    return tuple(value) if isinstance(value, list) else value


def open_spec(name: str, base_url: str | None, **given: Any) -> AbstractAsyncContextManager[Any]:
    """The provider of a spec, at a URL. given: its settings; an `api_key` is called what the spec calls it."""
    spec = read_spec(name)
    module = importlib.import_module("parts." + spec["part"].removesuffix(".py").replace("/", "."))
    opener = vars(module)[spec["open"]]
    config = build_config(name, opener, {"base_url": base_url, **given})
    facts = {argument: {"id": "it"}[fact] for argument, fact in spec.get("takes", {}).items()}
    product: AbstractAsyncContextManager[Any] = opener(config, **spec.get("arguments", {}), **facts)
    return product


# ── fakes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def routes(table: Mapping[str, Script]) -> Script:
    """A fake service: its scripts by method and path, without the query; anything else is 404."""
    nothing = answers({"error": {"message": "no such route", "type": "invalid_request_error"}}, status=404)

    async def script(seen: Seen, writer: Any) -> bool:
        return await table.get(f"{seen.method} {seen.path.partition('?')[0]}", nothing)(seen, writer)

    return script


@asynccontextmanager
async def fake_service(table: Mapping[str, Script]) -> AsyncIterator[FakeUpstream]:
    """A fake at a real socket; its url is the host alone."""
    async with fake_upstream(routes(table)) as fake:
        fake.url = fake.url.removesuffix("/v1")
        yield fake


def context(body: bytes = b"", **provider_data: str) -> Context:
    return Context(request_id="r1", body=body, provider_data={k: Secret(v) for k, v in provider_data.items()})

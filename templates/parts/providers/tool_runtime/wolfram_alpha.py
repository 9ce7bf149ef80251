"""Wolfram|Alpha: what it computes, pod by pod, as text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ...runtime.errors import Unauthenticated
from ...runtime.secret import Secret
from ...runtime.upstream import Call
from ...runtime.upstream_config import NetworkConfig
from .search import SearchTool, Service, member, open_search

INVALID_APPID = "1"
"""The error's code for a key that it does not know; the status of that answer is 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WolframAlphaConfig:
    """base_url: what the path of the query is appended to. api_key: None where every client sends its own."""

    base_url: str = "https://api.wolframalpha.com/v2"
    api_key: Secret | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


def _call(query: str, key: Secret) -> Call:
    asked = {"appid": key.reveal(), "input": query, "format": "plaintext", "output": "json"}
    return Call("GET", "query", query=asked, secrets=(key,))


def _read(query: str, document: object) -> Mapping[str, object] | None:
    answer = member(document, "queryresult")
    if not isinstance(answer, dict) or not isinstance(answer.get("success"), bool):
        return None
    if member(answer, "error", "code") == INVALID_APPID:
        raise Unauthenticated("the key is not accepted", code="invalid_api_key")
    if answer.get("error") and answer["error"] is not True:
        return None
    pods = answer.get("pods")
    found = [
        {"title": pod.get("title"), "text": text}
        for pod in (pods if isinstance(pods, list) else [])
        if isinstance(pod, dict) and (text := _text(pod))
    ]
    return {"query": query, "understood": answer["success"], "results": found}


def _text(pod: Mapping[str, object]) -> str:
    subpods = pod.get("subpods")
    texts = (member(each, "plaintext") for each in (subpods if isinstance(subpods, list) else []))
    return "\n".join(each for each in texts if isinstance(each, str) and each)


WOLFRAM_ALPHA = Service(
    tool="wolfram_alpha",
    description="Computes, and looks up facts, data, units and formulas.",
    asks_for="What to compute or to look up, in English or as a formula.",
    credential="wolfram_alpha_api_key",
    call=_call,
    read=_read,
)


@asynccontextmanager
async def open_wolfram_alpha(config: WolframAlphaConfig, *, instance: str) -> AsyncIterator[SearchTool]:
    async with open_search(config, WOLFRAM_ALPHA, instance=instance) as tool:
        yield tool

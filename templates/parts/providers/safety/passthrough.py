"""Any service with OpenAI's moderations, at a URL of the configuration; chosen headers of the client go along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from ...runtime.context import Context
from ...runtime.errors import Unauthenticated, UpstreamError
from ...runtime.forwarding import check_forwarded, forwarded
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .guard import Asked, Guard
from .remote import answer_to, nonsense, reachable
from .turns import Turn
from .verdict import Verdict

FLAGGED = "This goes against the safety rules of this service, so it is not answered."


@dataclass(frozen=True, slots=True, kw_only=True)
class PassthroughSafetyConfig:
    """base_url: what `/moderations` is appended to. api_key: None where every client sends its own, or none is needed.
    forward_headers: provider-data key → header of the request upstream. extra_blocked_headers: none of these.
    """

    base_url: str
    api_key: Secret | None = None
    forward_headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    extra_blocked_headers: tuple[str, ...] = ()
    network: NetworkConfig = field(default_factory=NetworkConfig)


class PassthroughSafety(Guard):
    """One service; a shield's name there is a model of moderations."""

    def __init__(self, upstream: Upstream, config: PassthroughSafetyConfig, credential: str) -> None:
        self._upstream = upstream
        self._config = config
        self._credential = credential

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        """Each turn by itself; the first that may not pass is what is told."""
        verdicts = await self.judge_all(asked, [[turn] for turn in turns], ctx)
        return next((each for each in verdicts if each.flagged), verdicts[-1])

    async def judge_all(self, asked: Asked, inputs: Sequence[Sequence[Turn]], ctx: Context) -> list[Verdict]:
        """In one call where all are texts."""
        turns = [turn for each in inputs for turn in each]
        if not any(turn.images for turn in turns):
            return await self._moderated(asked.shield, [turn.text for turn in turns], ctx)
        return [(await self._moderated(asked.shield, _parts(turn), ctx))[0] for turn in turns]

    async def health(self) -> Health:
        key = self._config.api_key
        headers = {} if key is None else {"Authorization": f"Bearer {key.reveal()}"}
        return await reachable(self._upstream, Call("GET", "models", headers=headers, secrets=_one(key)))

    async def _moderated(self, model: str, said: list[str] | list[dict[str, object]], ctx: Context) -> list[Verdict]:
        texts = sum(isinstance(each, str) for each in said)
        key = self._key(ctx)
        own = {} if key is None else {"Authorization": f"Bearer {key.reveal()}"}
        headers, secrets = forwarded(self._config.forward_headers, ctx.provider_data, taken=own)
        call = Call("POST", "moderations", headers={**headers, **own}, secrets=(*_one(key), *secrets))
        answer = await answer_to(self._upstream, call, {"model": model, "input": said}, ctx)
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != (texts or 1):
            raise nonsense(self._upstream)
        return [_verdict(each, nonsense(self._upstream)) for each in results]

    def _key(self, ctx: Context) -> Secret | None:
        """The client's own key if it sent one, else the configured one. Raises Unauthenticated for what is no key."""
        for key in (ctx.provider_data.get(self._credential), self._config.api_key):
            if key is not None and (text := key.reveal().strip()):
                if not (text.isascii() and text.isprintable()):
                    raise Unauthenticated(f"the key {self._credential} holds characters that no header can carry")
                return Secret(text)
        return None


def _one(key: Secret | None) -> tuple[Secret, ...]:
    return () if key is None else (key,)


def _parts(turn: Turn) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = [{"type": "text", "text": turn.text}] if turn.text else []
    for image in turn.images:
        parts.append({"type": "image_url", "image_url": {"url": image}})
    return parts


def _verdict(result: object, trouble: UpstreamError) -> Verdict:
    """One result. Raises `trouble` where it does not say whether the input is flagged."""
    if not isinstance(result, dict) or not isinstance(flagged := result.get("flagged"), bool):
        raise trouble
    categories, scores = _mapping(result.get("categories")), _mapping(result.get("category_scores"))
    found = frozenset(name for name, each in categories.items() if each is True)
    message = result.get("user_message")
    kept = {name: float(each) for name, each in scores.items() if isinstance(each, int | float)}
    return Verdict(
        flagged=flagged,
        message=message if isinstance(message, str) else FLAGGED if flagged else None,
        # What it has judged and gives no number for.
        scores={**{name: float(each is True) for name, each in categories.items() if each is not None}, **kept},
        found=found,
        metadata={**_mapping(result.get("metadata")), **({"categories": sorted(found)} if found else {})},
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


@asynccontextmanager
async def open_passthrough_safety(
    config: PassthroughSafetyConfig, *, instance: str, credential: str
) -> AsyncIterator[PassthroughSafety]:
    """Raises SettingsError for a header that cannot or may not be forwarded, or a network that cannot be."""
    at = f"providers.safety.{instance}.forward_headers"
    check_forwarded(config.forward_headers, config.extra_blocked_headers, at)
    async with open_upstream(config.base_url, config.network) as upstream:
        yield PassthroughSafety(upstream, config, credential)

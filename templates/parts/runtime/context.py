"""What a contract method knows about the request beside its body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .secret import Secret

NO_PROVIDER_DATA: Mapping[str, Secret] = MappingProxyType({})
NO_ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType({})


@dataclass(slots=True)
class Usage:
    """What one request used: filled in by the router (who served it) and the provider (how much).

    Tokens are None where the provider did not say.
    """

    instance: str = ""
    model: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(slots=True)
class Context:
    """Handed to every contract method, beside the validated request.

    request_id: of this request, also its `x-request-id` header.
    body: the JSON body exactly as it was received, validated; b"" on a route without one.
    provider_data: what the client sent in `X-LlamaStack-Provider-Data` (or `X-OGX-Provider-Data`), reduced to
        the names that this distribution's providers declare; empty on routes that cannot use it.
    principal: who calls, None where the server does not authenticate. attributes: what is known of them (roles, teams,
        projects, namespaces), for rules of access.
    trace: the W3C `traceparent` of the caller, sent on to upstreams.
    usage: the account of this request.
    """

    request_id: str
    body: bytes = b""
    provider_data: Mapping[str, Secret] = field(default_factory=lambda: NO_PROVIDER_DATA)
    principal: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_ATTRIBUTES)
    trace: str | None = None
    usage: Usage = field(default_factory=Usage)

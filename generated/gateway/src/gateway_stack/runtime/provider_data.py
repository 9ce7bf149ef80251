"""The provider-data header: credentials and addresses that a client sends with a request, for its provider.

    X-LlamaStack-Provider-Data: {"openai_api_key": "sk-…"}

Only names that a provider of this server declares are kept; what the rest says is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic_core import from_json, to_json

from .context import NO_PROVIDER_DATA
from .errors import BadRequest
from .secret import Secret
from .settings_types import Bad, Bounds, to_url

Format = Literal["password", "uri", "string", "object"]

_HEADERS = (
    (b"x-ogx-provider-data", "X-OGX-Provider-Data"),
    (b"x-llamastack-provider-data", "X-LlamaStack-Provider-Data"),
)


def read_provider_data(headers: Mapping[bytes, bytes], formats: Mapping[str, Format]) -> Mapping[str, Secret]:
    """The declared names the header gives. Raises BadRequest, naming the header and never its content."""
    for key, name in _HEADERS:
        if key in headers:
            return _read(headers[key], name, formats)
    return NO_PROVIDER_DATA


def _read(text: bytes, header: str, formats: Mapping[str, Format]) -> Mapping[str, Secret]:
    try:
        content = from_json(text)
    except ValueError:
        raise _bad(f"the header {header} is not valid JSON") from None
    if not isinstance(content, dict):
        raise _bad(f"the header {header} must be a JSON object")
    return {
        name: _secret(content[name], f"{name} in the header {header}", format)
        for name, format in formats.items()
        if content.get(name) is not None
    }


def _secret(value: object, name: str, format: Format) -> Secret:
    if format == "object":
        if not isinstance(value, dict):
            raise _bad(f"{name} must be a JSON object")
        return Secret(to_json(value).decode())
    # It may become a header of an upstream request: a line break in it would become another header.
    if not isinstance(value, str) or not value.isprintable():
        raise _bad(f"{name} must be text of one line")
    if format == "uri":
        try:
            value = to_url(Bounds())(value, True)
        except Bad:
            raise _bad(f"{name} must be a URL that starts with http:// or https:// and names a host") from None
    return Secret(value)


def _bad(message: str) -> BadRequest:
    return BadRequest(message, code="invalid_provider_data")

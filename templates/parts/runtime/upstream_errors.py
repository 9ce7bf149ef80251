"""What an upstream's refusal, silence or failure is to our client: a StackError with a short message and no secret in
it.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import quote

import aiohttp
from pydantic_core import from_json

from .errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    StackError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    UpstreamError,
    UpstreamTimeout,
)
from .secret import Secret

LONGEST_MESSAGE = 2000
LONGEST_PLAIN_TEXT = 300

_KINDS: Mapping[int, type[StackError]] = MappingProxyType(
    {
        400: BadRequest,
        401: Unauthenticated,
        402: Forbidden,  # no money left
        403: Forbidden,
        404: NotFound,
        405: UpstreamError,  # there is something else at base_url
        407: UpstreamError,  # that is the proxy
        408: UpstreamTimeout,
        409: Conflict,
        410: NotFound,  # a model that has been withdrawn
        413: TooLarge,
        422: Unprocessable,
        429: RateLimited,
        498: RateLimited,  # no room in the flex tier, at Groq
        503: Unavailable,
        504: UpstreamTimeout,
        529: Unavailable,  # overloaded, at some services
    }
)


_STATUS = re.compile("[45][0-9][0-9]")

# What a status means is certain even where nobody explains it, as when a load balancer in front answers with a page
# of HTML.
_SURE = frozenset({401, 403, 413, 429, 503, 504})


def refusal(
    host: str, status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[Secret | str] = ()
) -> StackError:
    """The error that an answer of status >= 300 is.

    Those of `_KINDS` are what stands there, other 4xx are 400, the rest 502. The message is the upstream's own if its
    body has one of the known shapes; a page of HTML or garbage is not shown, and says nothing reliable, so that it is
    502 unless the status alone is clear.
    """
    if status < 400:
        where = headers.get("Location", "elsewhere")
        return UpstreamError(mask(f"{host} redirects to {where}; set base_url to where it really is", secrets))
    message, code, param = _explanation(body)
    after = retry_after(headers)
    if message is None:
        kind = _kind(status) if status in _SURE else UpstreamError
        return kind(f"{host} answered {status} with a body that is no error message", retry_after=after)
    kind = _kind(status)
    text = mask(message, secrets)[:LONGEST_MESSAGE]
    if not text or kind.status >= 500:
        text = f"{host} answered {status}" + (f": {text}" if text else "")
    return kind(
        text,
        code=mask(code, secrets) if code is not None else None,
        param=mask(param, secrets) if param is not None else None,
        retry_after=after if kind in (RateLimited, Unavailable) else None,
    )


def event_error(host: str, document: Mapping[str, object], secrets: Iterable[Secret | str] = ()) -> StackError:
    """The error that an event `{"error": …}` in a stream is; its `code` or `status` is taken for a status if it is
    one.
    """
    error = document.get("error")
    status = 502
    if isinstance(error, dict):
        for said in (error.get("code"), error.get("status"), error.get("status_code")):
            if isinstance(said, int | str) and _STATUS.fullmatch(str(said)):
                status = int(said)
    message, code, param = _explain(document)
    kind = _kind(status)
    text = mask(message or "the stream was broken off without a reason", secrets)[:LONGEST_MESSAGE]
    return kind(f"{host}: {text}", code=mask(code, secrets) if code else None, param=param)


def _kind(status: int) -> type[StackError]:
    return _KINDS.get(status) or (BadRequest if 400 <= status < 500 else UpstreamError)


# ── the message in a body ───────────────────────────────────────────────────────────────────────────────────────────

Explanation = tuple[str | None, str | None, str | None]
"""message, code, param; the message is None where there is none."""


_XML = re.compile(rb"<Error><Code>(\w{1,100})</Code>\s*<Message>([^<]{1,1000})</Message>")
"""How stores of objects say what is wrong."""


def _explanation(body: bytes) -> Explanation:
    try:
        document = from_json(body)
    except ValueError:
        found = _XML.search(body)
        return _plain_text(body) if found is None else (found[2].decode("utf-8", "replace"), found[1].decode(), None)
    return _explain(document)


def _plain_text(body: bytes) -> Explanation:
    """Some services say `Unauthorized` and no more. Markup, binary and essays are not for our clients."""
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        return None, None, None
    if len(text) > LONGEST_PLAIN_TEXT or "<" in text or text[:1] in ("{", "[") or not text.isprintable():
        return None, None, None
    return text, None, None


def _explain(document: object) -> Explanation:
    """Looks through the shapes in use: `{"error": {"message", "code", "param"}}` (OpenAI; Anthropic and Google are
    near enough), the same in a list (Google), `{"error": "text"}`, `{"message": …}`, `{"detail": …}`,
    `{"error": [{"message"}]}` (Weaviate), `{"status": {"error": "text"}}` (Qdrant).
    """
    if isinstance(document, list):
        document = document[0] if document else None
    if isinstance(document, str):
        return document, None, None
    if not isinstance(document, dict):
        return None, None, None
    error = document.get("error", document)
    if isinstance(error, list):
        return _explain(error)
    if isinstance(document.get("status"), dict) and error is document:
        error = document["status"].get("error")
    if isinstance(error, str):
        return _text(document.get("message")) or error, _text(document.get("code")), None
    if not isinstance(error, dict):
        error = document
    message = _text(error.get("message")) or _detail(error.get("detail"))
    return message, _text(error.get("code")) or _text(error.get("error_code")), _text(error.get("param"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _detail(value: object) -> str | None:
    """FastAPI's `detail`: a text, or a list of what is wrong with which field, of which the inputs are not repeated."""
    if isinstance(value, dict):
        return _text(value.get("message")) or _text(value.get("msg"))
    if isinstance(value, list):
        lines = [
            f"{'.'.join(map(str, where))}: {entry['msg']}"
            if isinstance(where := entry.get("loc"), list)
            else entry["msg"]
            for entry in value
            if isinstance(entry, dict) and isinstance(entry.get("msg"), str)
        ]
        return "; ".join(lines) or None
    return _text(value)


def mask(text: str, secrets: Iterable[Secret | str]) -> str:
    """The text with each secret replaced by asterisks, also where it stands percent-encoded."""
    for secret in secrets:
        plain = secret.reveal() if isinstance(secret, Secret) else secret
        for form in (plain, quote(plain, safe="")):
            if form:
                text = text.replace(form, "********")
    return text


# ── Retry-After ─────────────────────────────────────────────────────────────────────────────────────────────────────


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: `Retry-After-Ms`, or `Retry-After` as seconds or as an HTTP date; None if absent or
    unreadable.
    """
    milliseconds = _seconds(headers.get("Retry-After-Ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("Retry-After")
    seconds = _seconds(said)
    if seconds is not None or said is None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


# ── no answer at all ────────────────────────────────────────────────────────────────────────────────────────────────


def failure(host: str, error: Exception) -> StackError:
    """The error that an exception of the HTTP client is. Its own text is not shown: it may hold a URL with a
    password.
    """
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UpstreamTimeout(f"{host} could not be connected to in time")
    if isinstance(error, TimeoutError):
        return UpstreamTimeout(f"{host} did not answer in time")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        refused = error.certificate_error
        reason = refused.verify_message if isinstance(refused, ssl.SSLCertVerificationError) else "it is not trusted"
        return UpstreamError(f"{host}: the TLS certificate was refused: {reason}")
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return UpstreamError(f"{host}: the proxy could not be reached")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return UpstreamError(f"{host}: the proxy answered {error.status}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return UpstreamError(f"{host}: no such host name")
    if isinstance(error, aiohttp.ClientSSLError):
        return UpstreamError(f"{host}: the TLS handshake failed")
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamError(f"{host} {_trouble(error.os_error)}")
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | aiohttp.ClientPayloadError):
        return UpstreamError(f"{host} closed the connection before its answer was whole")
    return UpstreamError(f"{host} answered what is no HTTP")


def _trouble(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections"
    if isinstance(error, ConnectionResetError):
        return "broke the connection off while it was being made"
    return "cannot be reached"


def worth_another_try(error: Exception) -> bool:
    """Whether the same request may succeed in a moment: the connection was not made, or lost before an answer began.
    A certificate stays what it is, and an upstream that was silent for the whole read timeout is probably still
    working on the request.
    """
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return True
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError | TimeoutError):
        return False
    return isinstance(error, aiohttp.ClientConnectionError)

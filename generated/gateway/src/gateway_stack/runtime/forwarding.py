"""Headers of a request upstream that clients fill, by keys of the provider-data header that a distribution names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from .errors import BadRequest, SettingsError
from .secret import Secret

BLOCKED = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""Headers that belong to the connection, or say where a request comes from."""

LONGEST_VALUE = 8192

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def forwarded(
    names: Mapping[str, str], provider_data: Mapping[str, Secret], *, taken: Collection[str]
) -> tuple[dict[str, str], tuple[Secret, ...]]:
    """(the headers to send along, what in them must not show in an error).

    names: provider-data key → header. taken: headers that the provider sends itself, which win. Raises BadRequest for
    what no header can carry.
    """
    own = {name.lower() for name in taken}
    sent = {
        header: value
        for name, header in names.items()
        if header.lower() not in own and (value := provider_data.get(name)) is not None
    }
    return {header: _header_value(header, value) for header, value in sent.items()}, tuple(sent.values())


def check_forwarded(names: Mapping[str, str], blocked: Collection[str], at: str) -> None:
    """Raises SettingsError for a header that cannot or may not be forwarded. at: where the names are set."""
    if problems := list(_unfit(names, BLOCKED | {name.strip().lower() for name in blocked}, at)):
        raise SettingsError(problems)


def _header_value(header: str, value: Secret) -> str:
    text = value.reveal()
    if not text.isascii() or not text.isprintable() or len(text) > LONGEST_VALUE:
        raise BadRequest(f"what is to be forwarded as {header} is no header value of at most {LONGEST_VALUE} bytes")
    return text


def _unfit(names: Mapping[str, str], blocked: Collection[str], at: str) -> Iterator[str]:
    headers = [header.lower() for header in names.values()]
    for key, header in names.items():
        if not _NAME.fullmatch(header):
            yield f"{at}.{key}: {header!r} is no header's name"
        elif header.lower() in blocked:
            yield f"{at}.{key}: the header {header} may not be forwarded"
        elif headers.count(header.lower()) > 1:
            yield f"{at}.{key}: another key is forwarded as {header} already"

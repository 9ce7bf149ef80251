"""Adding to a JSON object that stays, byte for byte, as it is otherwise."""

from __future__ import annotations

import json

from ...runtime.splice import members


def with_default(body: bytes, key: str, value: object, *, unless: tuple[str, ...] = ()) -> bytes:
    """The object with `key`, unless it has that, or one of `unless`, already; null is as good as absent.

    with_default(b'{"model":"m"}', "max_tokens", 9) → b'{"max_tokens":9,"model":"m"}'
    """
    new = json.dumps(value).encode()
    # A body that spells none of the keys anywhere, and no letter by an escape, need not be walked through.
    if rb"\u00" in body or any(name.encode() in body for name in (key, *unless)):
        found = list(members(body))
        said = {member.key for member in found if body[member.start : member.end] != b"null"}
        if said & {key, *unless}:
            return body
        for member in found:
            if member.key == key:
                return b"".join((body[: member.start], new, body[member.end :]))
    start = body.index(b"{") + 1
    rest = body[start:]
    comma = b"" if rest.lstrip().startswith(b"}") else b","
    return b"".join((body[:start], json.dumps(key).encode(), b":", new, comma, rest))

"""What may be the id of a resource that a client names."""

from __future__ import annotations

from .errors import BadRequest

ID_BYTES = 512
"""The most that every key-value store takes as a key."""


def check_id(identity: str, param: str) -> None:
    """Raises BadRequest for an id that could not be stored, or not be named in a URL. param: what the request calls it.

    Slashes are part of ids, as in names of models; steps that proxies and clients take out of a path are not.
    """
    shown = repr(identity[:100])
    try:
        length = len(identity.encode())
    except UnicodeEncodeError:
        raise BadRequest(f"{param} {shown} is no text: there is half a surrogate pair in it", param=param) from None
    if not 0 < length <= ID_BYTES:
        raise BadRequest(f"{param} has {length} bytes; expected 1 to {ID_BYTES}", param=param)
    if not identity.isprintable() or identity != identity.strip():
        wanted = "expected printable characters, and none but blanks within"
        raise BadRequest(f"{param} {shown} cannot be an id; {wanted}", param=param)
    if not {"", ".", ".."}.isdisjoint(identity.split("/")):
        wanted = "expected something other than `.` and `..` before, between and after slashes"
        raise BadRequest(f"{param} {shown} cannot stand in a URL; {wanted}", param=param)

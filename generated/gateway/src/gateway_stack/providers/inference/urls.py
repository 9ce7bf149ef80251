"""Small arithmetic on the URLs of services."""

from __future__ import annotations

from urllib.parse import urlsplit


def with_path(url: str, path: str) -> str:
    """The URL, with `path` if it names a host alone.

    with_path("https://a.example/", "/v1") → "https://a.example/v1"
    """
    url = url.rstrip("/")
    return url if urlsplit(url).path else url + path


def server_root(url: str) -> str:
    """Where the server itself is: the URL without the /v1 at its end."""
    return url.rstrip("/").removesuffix("/v1")


def is_plain(url: str) -> bool:
    """Whether this is an http or https URL with a host, and without user, query and fragment."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return False
    extras = parts.username or parts.password or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extras

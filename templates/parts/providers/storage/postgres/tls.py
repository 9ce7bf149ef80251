"""TLS towards a PostgreSQL server."""

from __future__ import annotations

import ssl

from ....runtime.errors import SettingsError

Tls = ssl.SSLContext | str
"""What asyncpg takes: a context that it insists on, or one of disable, allow and prefer."""


def tls_of(mode: str, ca_file: str | None, place: str) -> Tls:
    """mode: as in PostgreSQL's own clients; `require` checks who signed the certificate where authorities are named.

    Raises SettingsError where `ca_file` cannot be used. place: of the settings, such as
    `storage.sql_default`.
    """
    if mode in ("disable", "allow", "prefer"):
        if ca_file is not None:
            why = f"with ssl_mode {mode} nothing is checked; use require, verify-ca or verify-full, or leave it out"
            raise SettingsError([f"{place}.ca_cert_path: {why}"])
        return mode
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else str(error.strerror)
        problem = f"{place}.ca_cert_path: {ca_file} cannot be used: {why}"
        raise SettingsError([problem]) from None
    context.check_hostname = mode == "verify-full"
    if mode == "require" and ca_file is None:
        context.verify_mode = ssl.CERT_NONE
    return context

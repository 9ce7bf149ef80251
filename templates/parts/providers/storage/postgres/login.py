"""Reaching a PostgreSQL server, and saying what is wrong where that fails.

Settings count and nothing else: the variables and files that PostgreSQL's own clients look into (PGPASSWORD, ~/.pgpass)
are not asked, save for a client certificate.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from ....runtime.errors import SettingsError, Unavailable
from ....runtime.secret import Secret
from .tls import Tls

Connected: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0


class NoLogin(Exception):
    """No connection was made. why: for the log, without a secret. told: for clients, also without names and addresses.
    settings: waiting does not help.
    """

    def __init__(self, why: str, told: str, *, settings: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.told = told
        self.settings = settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where the database is, and as whom to log in. instance: its name. place: of its settings, such as
    `storage.sql_default`. seconds: for one attempt.
    """

    instance: str
    place: str
    host: str
    port: int
    database: str
    user: str
    password: Secret | None
    tls: Tls
    seconds: float

    async def connect(self, *, statement_seconds: float | None = None) -> asyncpg.Connection[asyncpg.Record]:
        """A connection of one's own. statement_seconds: how long a statement may take. Raises NoLogin."""
        try:
            return await _whole(
                asyncpg.connect(
                    host=self.host,
                    port=self.port,
                    database=self.database,
                    user=self.user,
                    # An empty one rather than none: the driver would look for one in files and variables.
                    password="" if self.password is None else self.password.reveal(),
                    ssl=self.tls,
                    timeout=self.seconds,
                    command_timeout=statement_seconds,
                    server_settings={"application_name": f"stackgen {self.instance}"[:63]},
                )
            )
        except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._explained(error) from None

    async def reached(self, seconds: float) -> None:
        """Returns once a connection can be made. seconds: for how long to try.

        Raises SettingsError where the server refuses these settings, Unavailable where it is not there in time.
        """
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                connection = await self.connect()
            except NoLogin as error:
                if error.settings:
                    raise SettingsError([f"{self.place}: {error.why}"]) from None
                left = deadline - time.monotonic()
                if left <= 0:
                    why = f"{self.place}: {error.why}, and was waited for {seconds:g} s"
                    raise Unavailable(why, code="storage_unavailable") from None
                log.warning("%s: %s; it is waited for, %.0f s more at most", self.instance, error.why, left)
                await asyncio.sleep(min(pause, left))
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            else:
                await connection.close(timeout=self.seconds)
                return

    def _explained(self, error: Exception) -> NoLogin:
        where = f"PostgreSQL at {self.host} port {self.port}"
        match error:
            case asyncpg.InvalidPasswordError():
                hint = "" if self.password is not None else "; there is no password in the settings"
                return _refused(f"{where} refuses the password of the user {self.user!r}{hint}")
            case asyncpg.InvalidCatalogNameError():
                return _refused(f"{where} has no database {self.database!r}; create it, or name another as `db`")
            case asyncpg.InvalidAuthorizationSpecificationError():
                return _refused(f"{where} does not let in the user {self.user!r}: {error}")
            case asyncpg.InsufficientPrivilegeError():
                return _refused(f"{where} does not let the user {self.user!r} into the database {self.database!r}")
            case asyncpg.TooManyConnectionsError():
                return NoLogin(f"{where} has no connection left", "it has no connection left")
            case asyncpg.CannotConnectNowError():
                return NoLogin(f"{where} is starting or stopping", "it is starting or stopping")
            case ssl.SSLCertVerificationError():
                return _refused(f"the certificate of {where} does not hold: {error.verify_message}")
            case ssl.SSLError():
                return _refused(f"{where} and this server agree on no TLS: {error.reason}")
            case TimeoutError():
                return NoLogin(f"{where} does not answer within {self.seconds:g} s", "it does not answer")
            case socket.gaierror():
                return NoLogin(f"{where} cannot be reached: the host is not known", "it cannot be reached")
            case ConnectionError() if "SSL" in str(error):
                return _refused(f"{where} has no TLS; turn it on there, or set ssl_mode to prefer")
            case OSError():
                # Several addresses of one host come as one error, which has all of it in its text.
                cause = os.strerror(error.errno).lower() if error.errno else str(error)
                return NoLogin(f"{where} cannot be reached: {cause}", "it cannot be reached")
            case asyncpg.PostgresConnectionError() | asyncpg.InterfaceError():
                return NoLogin(f"{where} has closed the connection", "it has closed the connection")
        return NoLogin(f"{where} refuses a connection: {error}", "it refuses connections")


async def _whole(connecting: Coroutine[Any, Any, Connected]) -> Connected:
    """What connecting comes to. Who is cancelled meanwhile leaves at once, and it comes to its end without them: the
    driver, cancelled as it asks for TLS, leaves a future behind whose error nobody takes, so that the log tells of it.
    """
    task = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_drop)
        raise


def _drop(task: asyncio.Task[Connected]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()


def _refused(why: str) -> NoLogin:
    return NoLogin(why, "it does not let this server in", settings=True)

"""What is said while a store cannot serve: to clients each time, in the log when it begins and ends."""

from __future__ import annotations

import logging

from ...runtime.errors import Unavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0

LOST = "its connection was lost"


class Outage:
    """Of one store. what: as it is called, such as `the database sql_default`."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._reasons: set[str] = set()

    def met(self, why: str, detail: object = "") -> Unavailable:
        """A call has failed. why: to clients too, so never a path, an address or a secret. detail: for the log."""
        if why not in self._reasons:
            said = f" ({detail})" if str(detail) else ""
            log.warning("%s is not available: %s%s", self._what, why, said)
        self._reasons.add(why)
        return Unavailable(
            f"{self._what} is not available: {why}", code="storage_unavailable", retry_after=RETRY_SECONDS
        )

    def over(self) -> None:
        """A call has been answered."""
        if self._reasons:
            self._reasons.clear()
            log.warning("%s is available again", self._what)

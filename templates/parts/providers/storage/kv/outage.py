"""What is said while a key-value store cannot serve: to clients each time, in the log when it begins and ends."""

from __future__ import annotations

import logging

from ....runtime.errors import Unavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0


class Outage:
    """Of one store. instance: the backend's name."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._lasts = False

    def met(self, why: str, detail: object = "") -> Unavailable:
        """A call has failed. why: to clients too, so never a path, an address or a secret. detail: for the log."""
        if not self._lasts:
            said = f" ({detail})" if str(detail) else ""
            log.warning("the key-value store %s is not available: %s%s", self._instance, why, said)
        self._lasts = True
        return Unavailable(
            f"the key-value store {self._instance} is not available: {why}",
            code="storage_unavailable",
            retry_after=RETRY_SECONDS,
        )

    def over(self) -> None:
        """A call has been answered."""
        if self._lasts:
            self._lasts = False
            log.warning("the key-value store %s is available again", self._instance)

"""What is said where a SQL database cannot serve."""

from __future__ import annotations

import logging

from ....runtime.errors import Unavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0


def unavailable(instance: str, why: str) -> Unavailable:
    """For the client and the log. instance: the backend's name. why: never a path, an address or a secret."""
    log.warning("the database %s is not available: %s", instance, why)
    return Unavailable(
        f"the database {instance} is not available: {why}", code="storage_unavailable", retry_after=RETRY_SECONDS
    )

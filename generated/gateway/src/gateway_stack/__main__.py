"""`python -m gateway_stack`: reads the settings, then serves until it is told to stop.

Made by stackgen from specs/distributions/gateway.yaml; a change belongs there.
"""

from __future__ import annotations

import os
import sys

from .app import PROVIDER_DATA, create_app
from .runtime.command import read_options
from .runtime.errors import SettingsError
from .runtime.http import Http
from .runtime.serve import Process, refuse, run
from .runtime.values import read_values
from .settings import Settings, read_settings
from .wiring import open_stack


def main() -> int:
    """The exit code: 2 where the settings are wrong, else that of `run`."""
    options = read_options(
        "gateway_stack",
        "Remote inference and nothing else, the smallest server. A service is there when its key or its URL is set.",
    )
    try:
        settings = read_settings(os.environ, read_values(options.config))
    except SettingsError as error:
        return refuse("gateway", error)
    return run("gateway", serve, settings, options.over(settings.server))


async def serve(settings: Settings, process: Process) -> None:
    """What each process that serves does."""
    async with open_stack(settings) as stack:
        http = Http(process.accounts, max_body_bytes=settings.server.max_body_bytes, provider_data=PROVIDER_DATA)
        await process.serve(create_app(stack, http))


if __name__ == "__main__":
    sys.exit(main())

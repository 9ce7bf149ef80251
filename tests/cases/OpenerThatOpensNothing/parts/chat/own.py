from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

from .clock import Clock


def open_own() -> Clock:
    return Clock()

import importlib
import inspect
from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

from .clock import Clock


@asynccontextmanager
async def open_own() -> AsyncIterator[Clock]:
    yield Clock()


def load(name):
    inspect.signature(load)
    __import__(name)
    return getattr(importlib.import_module(name), "open")

"""Where the stores of the tests are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from stores import Opened, Place, opened


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """SQLite with sqlite-vec, and PostgreSQL with pgvector."""
    return Place(tmp_path, request.getfixturevalue("postgres").database() if request.param == "postgres" else None)


@pytest.fixture
async def it(place: Place) -> AsyncIterator[Opened]:
    async with opened(place) as it:
        yield it

"""Options of the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast an example is says more about what else the machine does than about the code. In CI the same examples every
# time: a run there tells whether the change is right, not whether this was a lucky day.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


# Fixtures for every test: a PostgreSQL, a Valkey and a Chroma server.
pytest_plugins = ["real_servers", "chroma_server"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What tests/test_cases.py asks for; only this file, being the outermost, can add it."""
    parser.addoption("--update-cases", action="store_true", help="write the want/ folders of tests/cases anew")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Tests that need torch are not even read where they are not asked for: that takes torch, and seconds."""
    unwanted = "not torch" in str(config.getoption("markexpr"))
    return True if unwanted and collection_path.name == "in_torch" else None

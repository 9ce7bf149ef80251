"""Settings and options of the whole suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# In CI the same examples every time: a run there tells whether the change is right, not whether this was a lucky day.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="write the want/ folders of tests/cases anew")

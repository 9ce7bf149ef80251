"""Options of the whole suite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# How fast an example is says more about what else the machine does than about the code.
settings.register_profile("stackgen", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stackgen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-cases", action="store_true", help="write the want/ folders of tests/cases anew")

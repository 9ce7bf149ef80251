"""What a server says at start of packages that nobody locks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from parts.runtime.packages import need_package
from parts.runtime.settings import Reader, SettingsError


def problems(version: Callable[[], str], name: str = "lamp") -> tuple[str, ...]:
    read = Reader({}, {})
    need_package(read, name, ">=2.6,<3", version, at="providers.light.lamp", help="see its page")
    try:
        read.finish()
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("version", ["2.6", "2.6.0", "2.13.0+cpu", "2.10.1", "2.99"])
def test_a_version_of_the_range_will_do(version: str) -> None:
    assert problems(lambda: version) == ()


@pytest.mark.parametrize("version", ["2.5.9", "2", "1.13.1+cu117", "3.0.0", "3", "10.0", "unknown"])
def test_another_version_is_named_with_the_command_that_mends_it(version: str) -> None:
    (problem,) = problems(lambda: version)
    assert problem.startswith(f"providers.light.lamp needs lamp>=2.6,<3, which is there as {version}: ")
    assert problem.endswith(": pip install 'lamp>=2.6,<3' (see its page)")


def test_a_package_that_is_not_there_is_told_with_the_command_that_installs_it() -> None:
    def version() -> str:
        import surely_not_installed

        return str(surely_not_installed.__version__)

    (problem,) = problems(version, "surely_not_installed")
    assert "needs surely_not_installed>=2.6,<3, which is not installed: pip install '" in problem


def test_a_package_that_does_not_load_is_told_with_what_it_said() -> None:
    def version() -> str:
        raise OSError("libgpu.so.12: cannot open shared object file")

    (problem,) = problems(version)
    assert "which cannot be imported (libgpu.so.12: cannot open shared object file)" in problem

"""What a distribution's budget allows, counted in the server itself. Its packages and its code are counted when it is
built.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from stackgen.plan import Limit, Measure, Plan
from stackgen.resolve import compile_plan, find_roots

from .conftest import Built

pytestmark = pytest.mark.slow

# One service is there: what it needs is loaded too.
ENVIRON = {"NVIDIA_API_KEY": "nv-not-a-secret"}
REST_SECONDS = 1.5


def limits() -> list[tuple[str, Limit]]:
    plans = [compile_plan(find_roots(()), name) for name in find_roots(()).names("distributions")]
    return [(plan.name, limit) for plan in plans if isinstance(plan, Plan) for limit in plan.budget]


def budget(what: Measure) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("name", "limit"), [each for each in limits() if each[1].what == what])


@budget("modules")
def test_a_started_server_has_no_more_modules_than_its_budget(
    name: str, limit: Limit, build: Callable[[str], Built]
) -> None:
    with build(name).serve({**ENVIRON, "PYTHONPROFILEIMPORTTIME": "1"}) as server:
        server.stop()
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines[1:]}
    assert f"{name}_stack.wiring".replace("-", "_") in modules
    assert len(modules) <= limit.most, f"{limit.because}: {len(modules)} modules"


@budget("memory_mib")
def test_a_started_server_holds_no_more_memory_than_its_budget(
    name: str, limit: Limit, build: Callable[[str], Built]
) -> None:
    with build(name).serve(ENVIRON) as server:
        # It gets ready for requests after it has said that it serves.
        time.sleep(REST_SECONDS)
        status = Path(f"/proc/{server.process.pid}/status")
        if not status.exists():
            pytest.skip("only Linux tells what a process holds")
        held = int(status.read_text().partition("VmRSS:")[2].split()[0]) / 1024
    assert held > 10
    assert held <= limit.most, f"{limit.because}: {held:.1f} MiB"

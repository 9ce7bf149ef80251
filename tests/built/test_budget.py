"""What a distribution's budget allows, counted in the server itself. Its packages are counted when it is built."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stackgen.plan import Limit, Plan
from stackgen.resolve import compile_plan, find_roots

from .conftest import Built

pytestmark = pytest.mark.slow

# One service is there: what it needs is loaded too.
ENVIRON = {"NVIDIA_API_KEY": "nv-not-a-secret", "PYTHONPROFILEIMPORTTIME": "1"}


def limits() -> list[tuple[str, Limit]]:
    plans = [compile_plan(find_roots(()), name) for name in find_roots(()).names("distributions")]
    return [(plan.name, limit) for plan in plans if isinstance(plan, Plan) for limit in plan.budget]


@pytest.mark.parametrize(("name", "limit"), [each for each in limits() if each[1].what == "modules"])
def test_a_started_server_has_no_more_modules_than_its_budget(
    name: str, limit: Limit, build: Callable[[str], Built]
) -> None:
    with build(name).serve(ENVIRON) as server:
        server.stop()
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("import time:")]
    modules = {line.rpartition("|")[2].strip() for line in lines[1:]}
    assert f"{name}_stack.wiring".replace("-", "_") in modules
    assert len(modules) <= limit.most, f"{limit.because}: {len(modules)} modules"

"""What is vendored: everything that is reached, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sample_plan import PARTS, REMOTE, read_part, sample_plan, trimmed
from stackgen.laws import broken_laws
from stackgen.plan import Plan, Position, Requirement
from stackgen.trim import trim


def reader(parts: dict[str, str]) -> Callable[[str], bytes | None]:
    return lambda path: parts[path].encode() if path in parts else None


def test_only_what_is_reached_is_vendored() -> None:
    found = trimmed(sample_plan()).files
    assert "runtime/errors.py" in found  # through http
    assert "runtime/unused.py" not in found
    assert "providers/inference/heavy.py" not in found


def test_vendored_bytes_are_the_parts_own() -> None:
    assert all(part.content.decode() == PARTS[path] for path, part in trimmed(sample_plan()).files.items())


def test_packages_on_the_way_come_with_a_module() -> None:
    found = trim([REMOTE], read_part).files
    assert {"providers/__init__.py", "providers/inference/__init__.py", "runtime/__init__.py"} <= found.keys()


def test_type_checking_imports_count() -> None:
    found = trim(["contracts/inference/__init__.py"], read_part).files
    assert "contracts/inference/responses.py" in found


def test_imports_inside_functions_count() -> None:
    found = trim(["a.py"], reader({"a.py": "def f():\n    from .b import x\n", "b.py": "x = 1\n"}))
    assert set(found.files) == {"a.py", "b.py"}


def test_submodules_and_names_of_a_package_are_told_apart() -> None:
    parts = {
        "a/b.py": "from . import c, name\nfrom .. import d\n",
        "a/__init__.py": "",
        "a/c.py": "",
        "d/__init__.py": "",
        "d/e.py": "",
    }
    assert set(trim(["a/b.py"], reader(parts)).files) == {"a/b.py", "a/__init__.py", "a/c.py", "d/__init__.py"}


def test_an_import_that_leads_nowhere_is_a_problem_at_its_line() -> None:
    found = trim(["a/b.py"], reader({"a/b.py": "import os\n\nfrom .gone import x\n"}))
    assert [(each.module, each.line) for each in found.files["a/b.py"].missing] == [("a/gone.py", 3)]
    [problem] = [each for each in broken_laws(plan_of(), found, str) if each.code == "SG708"]
    assert problem.position == Position("a/b.py", 3, 1)


def test_the_standard_library_is_no_package() -> None:
    found = trim(["a.py"], reader({"a.py": "import json, os.path\nimport aiohttp.web\nfrom yaml import safe_load\n"}))
    assert set(found.packages()) == {"aiohttp", "yaml"}


def test_loads_only_what_runs_on_import() -> None:
    parts = {
        "a.py": "from typing import TYPE_CHECKING\n\nfrom .b import x\n\nif TYPE_CHECKING:\n    import torch\n"
        "\ndef f():\n    import numpy\n",
        "b.py": "try:\n    import orjson\nexcept ImportError:\n    pass\n",
    }
    found = trim(["a.py"], reader(parts))
    assert set(found.packages()) == {"torch", "numpy", "orjson"}
    assert found.loads("a.py") == {"orjson"}


def test_every_import_is_declared_and_every_requirement_imported() -> None:
    plan = plan_of("pyyaml", "unused-package", "excused")
    found = trim(["a.py"], reader({"a.py": "import yaml\nimport numpy\n"}))
    problems = sorted((each.code, each.position.file, each.message) for each in broken_laws(plan, found, str))
    assert [code for code, _, _ in problems] == ["SG709", "SG710"]
    assert "numpy" in problems[0][2]
    assert "unused-package" in problems[1][2]


def plan_of(*names: str) -> Plan:
    reasons = {"excused": "uvicorn looks for it"}
    requirements = tuple(Requirement(name, ("base: specs/base.yaml:3:5",), reasons.get(name, "")) for name in names)
    return replace(sample_plan(), requirements=requirements)

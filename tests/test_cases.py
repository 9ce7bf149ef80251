"""The compiler's cases: one directory each, its name the claim, specs beside what they give.

    tests/cases/UnknownProviderType/distributions/case.yaml  a workspace over the small specs of tests/cases/base
                                    want/errors.txt          what `check` says; or plan.txt, what `plan case` prints

`pytest tests/test_cases.py --update-cases` writes `want/` anew; read the difference before it is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from stackgen.build import check
from stackgen.printing import format_plan
from stackgen.problems import explain, format_problems
from stackgen.problems.catalogue import CATALOGUE
from stackgen.resolve import compile_plan
from stackgen.workspace import Root, Roots, workspace

REPOSITORY = Path(__file__).resolve().parent.parent
CASES = Path(__file__).resolve().parent / "cases"
BASE = Root(CASES / "base", CASES / "base" / "parts", "base/", "base/parts/")
DIRECTORIES = sorted(path for path in CASES.iterdir() if path.is_dir() and path.name[0].isupper())


def roots_of(case: Path) -> Roots:
    return Roots((BASE, workspace(case)), REPOSITORY / "schema", REPOSITORY / "templates")


def names_of(case: Path) -> list[str]:
    """What a case is about: what `check.txt` names, else every spec of its own."""
    if (case / "check.txt").exists():
        return (case / "check.txt").read_text().split()
    names = [path.stem for folder in ("distributions", "apis") for path in sorted((case / folder).glob("*.yaml"))]
    return names + [f"{path.parent.name}/{path.stem}" for path in sorted((case / "providers").glob("[!s]*/*.yaml"))]


def answer(case: Path) -> tuple[str, str]:
    """(file below want/, its text)."""
    roots = roots_of(case)
    problems = check(roots, [] if names_of(case) == ["*"] else names_of(case))
    if problems:
        return "errors.txt", format_problems(problems)
    plan = compile_plan(roots, "case")
    assert not isinstance(plan, list)
    return "plan.txt", format_plan(plan)


@pytest.mark.parametrize("case", DIRECTORIES, ids=lambda path: path.name)
def test_case(case: Path, request: pytest.FixtureRequest) -> None:
    name, text = answer(case)
    want = case / "want"
    if request.config.getoption("--update-cases"):
        want.mkdir(exist_ok=True)
        for old in want.iterdir():
            old.unlink()
        (want / name).write_text(text, encoding="utf-8")
    assert {path.name for path in want.iterdir()} == {name}
    assert text == (want / name).read_text("utf-8")


def test_every_code_has_a_case() -> None:
    said = "".join(path.read_text("utf-8") for path in CASES.glob("*/want/errors.txt"))
    assert [code for code in CATALOGUE if f"error {code}:" not in said] == []


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_explained(code: str) -> None:
    text = explain(code.lower())
    assert text is not None
    assert text.startswith(f"{code}: ")


def test_an_unknown_code_has_no_explanation() -> None:
    assert explain("SG999") is None

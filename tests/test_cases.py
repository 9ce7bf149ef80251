"""The compiler's cases: one directory each, its name the claim, specs beside what they give.

    tests/cases/UnknownProviderType/distributions/case.yaml  a workspace over the small specs of tests/cases/base
                                    want/errors.txt          what `check` says; or plan.txt, what `plan case` prints
    tests/cases/ImportRunConfig/run.yaml                     a run config to import into such a workspace
                                want/case.yaml               the distribution that it becomes, which compiles,
                                want/notices.txt             and what was said; or errors.txt

`pytest tests/test_cases.py --update-cases` writes `want/` anew; read the difference before it is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from stackgen.build import check
from stackgen.importing import import_config
from stackgen.load import load, parse
from stackgen.printing import format_plan
from stackgen.problems import explain, format_problems
from stackgen.problems.catalogue import CATALOGUE
from stackgen.resolve import compile_plan
from stackgen.resolve.desk import Desk
from stackgen.resolve.distribution import resolve
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


def answer(case: Path) -> dict[str, str]:
    """Texts by the files below want/."""
    roots = roots_of(case)
    if (case / "run.yaml").exists():
        return answer_of_import(case, roots)
    problems = check(roots, [] if names_of(case) == ["*"] else names_of(case))
    if problems:
        return {"errors.txt": format_problems(problems)}
    plan = compile_plan(roots, "case")
    assert not isinstance(plan, list)
    return {"plan.txt": format_plan(plan)}


def answer_of_import(case: Path, roots: Roots) -> dict[str, str]:
    document, problems = load(case / "run.yaml", "run.yaml")
    imported = problems or import_config(roots, document, "case")
    if isinstance(imported, list):
        return {"errors.txt": format_problems(imported)}
    desk = Desk(roots)
    desk.lay("distributions/case.yaml", parse(imported.text, "case.yaml")[0])
    resolve(desk, "case")
    assert desk.problems == []
    notices = {"notices.txt": format_problems(imported.notices)} if imported.notices else {}
    return {"case.yaml": imported.text, **notices}


@pytest.mark.parametrize("case", DIRECTORIES, ids=lambda path: path.name)
def test_case(case: Path, request: pytest.FixtureRequest) -> None:
    texts = answer(case)
    want = case / "want"
    if request.config.getoption("--update-cases"):
        want.mkdir(exist_ok=True)
        for old in want.iterdir():
            old.unlink()
        for name, text in texts.items():
            (want / name).write_text(text, encoding="utf-8")
    assert {path.name: path.read_text("utf-8") for path in want.iterdir()} == texts


def test_every_code_has_a_case() -> None:
    said = "".join(path.read_text("utf-8") for path in CASES.glob("*/want/*.txt") if path.name != "plan.txt")
    words = {code: "notice" if entry.notice else "error" for code, entry in CATALOGUE.items()}
    assert [code for code, word in words.items() if f"{word} {code}:" not in said] == []


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_explained(code: str) -> None:
    text = explain(code.lower())
    assert text is not None
    assert text.startswith(f"{code}: ")


def test_an_unknown_code_has_no_explanation() -> None:
    assert explain("SG999") is None

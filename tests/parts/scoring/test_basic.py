"""What the scoring functions that compute take for right."""

from __future__ import annotations

import pytest
from parts.contracts.shared.scoring import RegexParserScoringFnParams
from parts.providers.scoring import patterns
from parts.providers.scoring.basic import BasicScoringConfig, open_basic_scoring
from parts.providers.scoring.calls.reading import read
from parts.providers.scoring.calls.scoring import is_right
from parts.providers.scoring.figures import figures
from parts.providers.scoring.maths import answer_in, same
from parts.providers.scoring.nearness import similarity
from parts.runtime.context import Context
from parts.runtime.dataset_rows import Row
from parts.runtime.errors import BadRequest

CTX = Context("r")


async def score(function: str, *rows: Row, **params: object) -> list[object]:
    how = RegexParserScoringFnParams.model_validate({"type": "regex_parser", **params}) if params else None
    async with open_basic_scoring(BasicScoringConfig()) as scorer:
        return [each["score"] for each in (await scorer.score(f"basic::{function}", how, rows, CTX)).score_rows]


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_figures_have_llama_stacks_form() -> None:
    rows: list[Row] = [{"score": 1.0, "weight": 3.0}, {"score": 0.0, "weight": 1.0}, {"score": 1.0, "weight": 0.0}]
    assert figures(rows, ["accuracy", "average", "weighted_average", "median", "categorical_count"]) == {
        "accuracy": {"accuracy": 2 / 3, "num_correct": 2.0, "num_total": 3},
        "average": {"average": 2 / 3},
        "weighted_average": {"weighted_average": 0.75},
        "median": {"median": 1.0},
        "categorical_count": {"categorical_count": {"1.0": 2, "0.0": 1}},
    }


def test_what_is_no_number_is_left_out_of_figures() -> None:
    rows: list[Row] = [{"score": "A"}, {"score": None}, {"score": 4.0}]
    found = figures(rows, ["average", "median", "categorical_count"])
    assert (found["average"], found["median"]) == ({"average": 4.0}, {"median": 4.0})
    assert found["categorical_count"] == {"categorical_count": {"A": 1, "None": 1, "4.0": 1}}
    for each in ("average", "median", "weighted_average", "accuracy"):
        assert next(iter(figures([], [each])[each].values())) is None  # type: ignore[attr-defined]


# ── choices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "expected", "found"),
    [
        ("Answer: B", "B", 1.0),
        ("The answer is (C).", "C", 1.0),
        ("**Answer:** D", "D", 1.0),
        ("Répondre: B\nRéponse : A", "A", 1.0),
        ("答案：C", "C", 1.0),
        ("الإجابة: ب", "B", 1.0),
        (r"So \boxed{\text{B}}", "B", 1.0),
        ("d", "D", 0.0),
        ("D)", "(d)", 1.0),
        ("Answer: Apple", "A", 0.0),
        ("Answer: B", "C", 0.0),
        ("", "A", 0.0),
    ],
)
async def test_the_letter_of_a_choice(said: str, expected: str, found: float) -> None:
    row: Row = {"generated_answer": said, "expected_answer": expected}
    assert await score("regex_parser_multiple_choice_answer", row) == [found]


async def test_patterns_of_a_request_are_used() -> None:
    row: Row = {"generated_answer": "final=<42>", "expected_answer": "42"}
    assert await score("regex_parser_math_response", row, parsing_regexes=["nothing", r"<(\d+)>"]) == [1.0]
    assert await score("regex_parser_multiple_choice_answer", row, parsing_regexes=["[0-9]+"]) == [1.0]
    with pytest.raises(BadRequest, match="no regular expression") as refusal:
        await score("regex_parser_math_response", row, parsing_regexes=["x", "("])
    assert refusal.value.param == "parsing_regexes.1"


async def test_a_pattern_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    row: Row = {"generated_answer": "a" * 5000, "expected_answer": "x"}
    with pytest.raises(BadRequest) as refusal:
        await score("regex_parser_math_response", row, parsing_regexes=[r"(a|a)*?(a|aa)+(a*)*b|(a+a+)+$c"])
    assert refusal.value.code == "pattern_too_slow"


# ── mathematics ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (r"\frac{1}{2}", "0.5"),
        (r"\dfrac12", "1/2"),
        (r"-\frac{3}{4}", "-0.75"),
        ("50\\%", "0.5"),
        ("1,234,567", "1234567"),
        (r"$42^\circ$", "42"),
        ("x = 7", "7"),
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})"),
        (r"\{1, 2, 3\}", r"\{3,1,2\}"),
        (r"[0, \infty)", r"[0,\infty)"),
        (r"12\text{ cm}", "12"),
        (r"\sqrt2", r"\sqrt{2}"),
        ("**17.**", "17"),
        ("3.0", "3"),
        (r"\text{Evelyn}", "evelyn"),
        (r"2\cdot 10^3", r"2\times10^3"),
        ("1, 2", "1,2"),
    ],
)
def test_the_same_in_mathematics(said: str, right: str) -> None:
    assert same(said, right)
    assert same(right, said)


@pytest.mark.parametrize(
    ("said", "right"),
    [
        (r"\frac{1}{3}", "0.5"),
        ("(0,1)", "[0,1]"),
        ("(1,2)", "(2,1)"),
        ("", ""),
        ("1,234", "1,235"),
        ("5", "5/0"),
        ("x(x+1)", "x^2+x"),
        ("--5", "5"),
        ("1" * 200, "2" * 200),
    ],
)
def test_not_the_same_in_mathematics(said: str, right: str) -> None:
    assert not same(said, right)


async def test_results_are_found_in_a_box_or_behind_words() -> None:
    assert answer_in(r"first \boxed{1}, then \boxed{\frac{a}{b}} end") == r"\frac{a}{b}"
    assert [answer_in(each) for each in (r"\boxed{1", "none", r"\boxed 5$", r"\fbox{2}")] == [None, None, "5", "2"]
    for said in ("Final Answer: The final answer is $6$. I hope it is correct.", "Answer: 6", "the final answer is 6"):
        row: Row = {"generated_answer": said, "expected_answer": r"thus \boxed{6}"}
        assert await score("regex_parser_math_response", row) == [1.0], said


# ── function calls ──────────────────────────────────────────────────────────────────────────────────────────────────

WEATHER = {
    "name": "weather.get",
    "parameters": {
        "type": "dict",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "units": {"type": "string"},
            "at": {"type": "array", "items": {"type": "float"}},
            "where": {"type": "dict", "properties": {"zip": {"type": "string"}}},
        },
        "required": ["city"],
    },
}
TRUTH = {"weather.get": {"city": ["Bern", "Bern, CH"], "days": [3, ""], "units": ["", "metric"], "at": ["", [1.5, 2]]}}


@pytest.mark.parametrize(
    "said",
    [
        '[weather.get(city="Bern", days=3)]',
        'weather.get(city="bern ch")',
        "```python\n[weather_get(city='BERN', units='metric', at=[1.5, 2.0])]\n```",
        '[{"name": "weather.get", "arguments": {"city": "Bern"}}]',
        '{"weather.get": {"city": "Bern", "days": 3}}',
        '[{"name": "weather.get", "parameters": "{\\"city\\": \\"Bern\\"}"}]',
    ],
)
def test_calls_that_are_right(said: str) -> None:
    row: Row = {"id": "simple_3", "generated_answer": said, "function": [WEATHER], "ground_truth": [TRUTH]}
    assert is_right(row, 0)


@pytest.mark.parametrize(
    "said",
    [
        "weather.get(days=3)",
        'weather.get(city="Basel")',
        'weather.get(city="Bern", days=3.0)',
        'weather.get(city="Bern", days="3")',
        'weather.get(city="Bern", days=True)',
        'weather.get(city="Bern", sky="blue")',
        'weather.get("Bern")',
        'news.get(city="Bern")',
        'weather.get(city="Bern"), weather.get(city="Bern")',
        'weather.get(city="Bern", at=[1.5])',
        "I would call weather.get for Bern.",
        "[]",
        "__import__('os').system('true')",
        "(" * 5000,
    ],
)
def test_calls_that_are_wrong(said: str) -> None:
    row: Row = {"id": "simple_3", "generated_answer": said, "function": [WEATHER], "ground_truth": [TRUTH]}
    assert not is_right(row, 0)


def test_categories_of_calls() -> None:
    a, b = ({"weather.get": {"city": [city]}} for city in ("Bern", "Rome"))
    both = {"function": [WEATHER], "ground_truth": [a, b]}
    calls = '[weather.get(city="Rome"), weather.get(city="Bern")]'
    assert is_right({"id": "parallel_multiple_1", "generated_answer": calls, **both}, 0)
    assert not is_right({"id": "parallel_1", "generated_answer": 'weather.get(city="Rome")', **both}, 0)
    for category, said, right in (
        ("irrelevance_1", "I cannot.", True),
        ("live_irrelevance_1-2-3", calls, False),
        ("live_relevance_7", calls, True),
        ("live_relevance_7", "I cannot.", False),
    ):
        assert is_right({"id": category, "generated_answer": said}, 0) is right
    truth = '[{"f": {"a": ["true"], "b": ["5"]}}]'
    java: Row = {"id": "java_1", "language": "java", "function": "[]", "ground_truth": truth}
    assert is_right({**java, "generated_answer": "f(a=true, b=5);"}, 0)


def test_nothing_that_a_model_wrote_is_run() -> None:
    assert read("f(a=open('/etc/passwd').read())") == [("f", {"a": "open('/etc/passwd').read()"})]
    assert read("f(**g())") is None


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nearness() -> None:
    assert similarity("Hello  World", ["hello world"]) == 1.0
    assert similarity("helo", ["hello", "x"]) == pytest.approx(0.8)
    assert similarity("abcd", ["abxy"]) == 0.0, "half alike counts nothing"
    assert similarity("a" * 5000, ["a" * 4999]) == 0.0
    assert similarity("a" * 5000, ["a" * 5000]) == 1.0
    assert similarity("x", []) == 0.0

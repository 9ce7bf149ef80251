"""Whatever is in a file, loading gives data or problems, never an exception; and the places are right."""

from __future__ import annotations

import re

import yaml
from hypothesis import given
from hypothesis import strategies as st
from stackgen.load import parse
from stackgen.plan import Position

# Without NEL: the writer below puts it down as it is, and a reader then takes it for the end of a line. It writes YAML
# 1.1, where 1e3 is a text and needs no quotes; in 1.2, which is read here, it is a number.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x85"), max_size=20).filter(
    lambda text: not re.fullmatch(r"[-+]?[0-9]+[eE][-+]?[0-9]+", text)
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS
NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8).filter(
    lambda name: name not in ("null", "true", "false")
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`,? \n\t0.~<\u2028\x00"), max_size=60))
def test_garbage_is_read_or_reported(text: str) -> None:
    document, problems = parse(text, "f.yaml")
    assert document.file == "f.yaml"
    assert all(problem.position.file == "f.yaml" and problem.position.line >= 1 for problem in problems)


@given(TREES)
def test_what_yaml_writes_is_read_back(tree: object) -> None:
    document, problems = parse(yaml.safe_dump(tree, allow_unicode=True), "f.yaml")
    if not problems:  # equal containers are written as anchors, which are refused
        assert document.data == tree


def test_places_of_keys_and_values() -> None:
    document, problems = parse("name: x\napis: [a, {b: 1}]\n", "f.yaml")
    assert problems == []
    assert document.at("apis", 1, "b") == Position("f.yaml", 2, 15)
    assert document.key("apis", 1, "b") == Position("f.yaml", 2, 12)
    assert document.at("apis", 1, "missing") == Position("f.yaml", 2, 11)
    assert document.key("nothing", "here") == Position("f.yaml", 1, 1)


def test_scalars_are_those_of_yaml_1_2() -> None:
    document, _ = parse("[yes, on, 2024-01-01, 1:30, 010, 0x10, 1e3, ~, true, '1', 1_000]", "f.yaml")
    assert document.data == ["yes", "on", "2024-01-01", "1:30", 10, 16, 1000.0, None, True, "1", "1_000"]


def test_deep_nesting_is_a_problem() -> None:
    for text in ("[" * 5000, "{a: " * 5000, "- " * 5000):
        _, problems = parse(text, "f.yaml")
        assert [problem.code for problem in problems] == ["SG101"]

"""Literals survive, and the layout is the formatter's."""

from __future__ import annotations

import ast
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from stackgen.render.code import Code, Group, call, layout, literal, mapping, prose, sequence, string, template

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _tuples(value: object) -> object:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value


@given(st.text(st.characters(), max_size=60))
def test_any_string_survives_as_a_literal(text: str) -> None:
    written = string(text)
    assert ast.literal_eval(written) == text
    assert len(written.splitlines()) == 1


@given(JSON)
def test_any_json_value_survives_as_a_literal(value: object) -> None:
    laid_out = layout(literal(value), 0)  # type: ignore[arg-type]  # hypothesis builds JSON values
    assert ast.literal_eval(laid_out) == _tuples(value)


@given(st.text(), st.text())
def test_any_text_survives_below_a_variable_path(at: str, text: str) -> None:
    assert eval(template(text, "at"), {"at": at}) == at + text


@given(st.text())
def test_prose_ends_no_docstring_and_no_comment(text: str) -> None:
    line = prose(text)
    assert ast.literal_eval(f'"""{line}"""') == line
    assert len(f"# {line}".splitlines()) == 1


NAMES = st.sampled_from(["a", "settings.openai", "reading_a_long_name_from_the_environment", '"text"', "12"])
EXPRESSIONS: st.SearchStrategy[Code] = st.recursive(
    NAMES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4).map(lambda items: call("read.some_function", *items))
        | st.lists(inner, min_size=1, max_size=3).map(
            lambda items: call("open_it", **{f"keyword_{number}": item for number, item in enumerate(items)})
        )
        | st.lists(inner, min_size=1, max_size=4).map(lambda items: sequence(items, "()"))
        | st.lists(inner, min_size=1, max_size=4).map(
            lambda items: mapping([(f"key {number}", item) for number, item in enumerate(items)])
        )
    ),
    max_leaves=14,
)


def test_layout_is_what_ruff_would_write() -> None:
    lines: list[str] = []

    @given(EXPRESSIONS)
    def collect(code: Code) -> None:
        if isinstance(code, Group):
            lines.append("    " + layout(code, 4, before="name = "))

    collect()
    source = "def function():\n" + "\n".join(lines) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--diff", "-"]
    run = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[:3000] + run.stderr

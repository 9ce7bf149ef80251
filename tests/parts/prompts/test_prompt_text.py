"""Variables in texts: found, declared, put in, and never taken for text that has variables of its own."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.providers.prompts.text import declared, filled, placeholders
from parts.runtime.errors import BadRequest

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}"), max_size=12)
NAMES = st.sampled_from(["a", "b", "user.name", "x-1", "名前"])
HOSTILE = st.sampled_from(
    ["{{ a }}", "{{b}}", "{{ user.name }}", "{{", "}}", "\\1", "\\g<0>", "{a}", "%s", "$a", "{% raw %}", "\x00"]
)
VALUES = st.lists(PLAIN | HOSTILE, max_size=4).map("".join)
PIECES = st.lists(PLAIN | NAMES.map(lambda name: f"{{{{ {name} }}}}"), max_size=8)


@given(pieces=PIECES, values=st.fixed_dictionaries(dict.fromkeys(("a", "b", "user.name", "x-1", "名前"), VALUES)))
def test_a_value_is_text_whatever_it_says(pieces: list[str], values: dict[str, str]) -> None:
    wanted = [values[piece[3:-3]] if piece.startswith("{{ ") else piece for piece in pieces]
    assert filled("".join(pieces), values) == "".join(wanted)


@given(pieces=PIECES)
def test_what_stands_in_a_text_is_found(pieces: list[str]) -> None:
    names = list(dict.fromkeys(piece[3:-3] for piece in pieces if piece.startswith("{{ ")))
    assert placeholders("".join(pieces)) == names
    assert declared("".join(pieces), names) == names


@given(text=VALUES, variables=st.lists(PLAIN | NAMES, max_size=3))
def test_any_text_is_taken_or_refused(text: str, variables: list[str]) -> None:
    with contextlib.suppress(BadRequest):
        assert set(placeholders(text)) <= set(declared(text, variables))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{a}}{{ b }}{{\tc\n}}", ["a", "b", "c"]),
        ("{{{ a }}}", ["a"]),
        ("{{ a b }} {{ }} {{}} {{ a| upper }} {{ a() }} {% a %} { a }", []),
        ("{{ a.b-c }} {{ .a }} {{ a. }} {{ a..b }}", ["a.b-c"]),
    ],
)
def test_what_is_a_variable(text: str, found: list[str]) -> None:
    assert placeholders(text) == found


def test_a_variable_without_a_value_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"\{\{ b \}\}"):
        filled("{{ a }} {{ b }}", {"a": "1"})


def test_of_many_that_are_undeclared_some_are_named() -> None:
    text = "".join(f"{{{{ v{number} }}}}" for number in range(1000))
    with pytest.raises(BadRequest, match=r"v0.*v4.* and 995 more"):
        declared(text, None)


@pytest.mark.parametrize("piece", ["{{", "{{ ", "{{ a", "{{ a.", "{{ a }", " ", "a."])
def test_no_text_takes_longer_than_its_length(piece: str) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        placeholders(piece * count + "!")
        return time.process_time() - start

    small, large = min(seconds(10_000) for _ in range(3)), min(seconds(160_000) for _ in range(3))
    # Sixteen times the text: a search that looks back would take 256 times as long.
    assert large < 100 * max(small, 1e-4)

"""Environment slots are cut out of any text, or the text is refused; nothing in between."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stackgen.plan import Kind, Slot
from stackgen.resolve.slots import Malformed, convert, cut, unset_text

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="{}$"), max_size=10)
SLOTS = st.builds(Slot, NAMES, st.just("required")) | st.builds(
    Slot, NAMES, st.sampled_from(["default", "if_set"]), TEXTS
)


def write(slot: Slot) -> str:
    mark = {"required": "", "default": ":=", "if_set": ":+"}[slot.mode]
    return f"${{env.{slot.variable}{mark}{slot.text}}}"


@given(st.text())
def test_any_text_can_be_escaped(text: str) -> None:
    # A `$` right before the escape is the one thing that cannot be told apart.
    if "$${" not in text:
        assert cut(text.replace("${", "$${")) == ((text,) if text else ())


@example("${X:{}")
@given(st.text(st.sampled_from("${}env.X:=+-a "), max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    parts = cut(text)
    if isinstance(parts, Malformed):
        assert parts.found in text
        assert parts.nearest is None or not isinstance(cut(parts.nearest), Malformed) or "never closed" in parts.message


@given(st.lists(TEXTS | SLOTS, max_size=6))
def test_what_is_written_is_cut(pieces: list[str | Slot]) -> None:
    text = "".join(piece if isinstance(piece, str) else write(piece) for piece in pieces)
    parts = cut(text)
    assert not isinstance(parts, Malformed)
    assert "".join(part if isinstance(part, str) else write(part) for part in parts) == text
    assert [part for part in parts if isinstance(part, Slot)] == [piece for piece in pieces if isinstance(piece, Slot)]


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("${env.openai_key}", "${env.OPENAI_KEY}"),
        ("${OPENAI_KEY}", "${env.OPENAI_KEY}"),
        ("${env:KEY}", "${env.KEY}"),
        ("${env.A-B}", "${env.A_B}"),
        ("${env.X:-a}", "${env.X:=a}"),
        ("${env.X=a}", "${env.X:=a}"),
        ("${ENV.X:+a}", "${env.X:+a}"),
        ("${env.X", "${env.X}"),
        ("${env.}", None),
        ("${env.1X}", None),
    ],
)
def test_the_nearest_form(text: str, nearest: str | None) -> None:
    parts = cut(text)
    assert isinstance(parts, Malformed)
    assert parts.nearest == nearest


def test_what_is_there_while_nothing_is_set() -> None:
    assert unset_text(("a", Slot("X", "default", "b"), Slot("Y", "if_set", "c"))) == "ab"
    assert unset_text(("a", Slot("X", "required"))) is None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "08", "08"),
        ("secret", "1234", "1234"),
        ("integer", "-3", -3),
        ("number", "1e3", 1000.0),
        ("boolean", "True", True),
        ("boolean", "no", False),
        ("strings", "a, b,,c ", ["a", "b", "c"]),
        ("url", "http://h/v1", "http://h/v1"),
    ],
)
def test_text_becomes_what_its_kind_says(kind: Kind, text: str, value: object) -> None:
    assert convert(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("integer", "1.5"), ("integer", ""), ("number", "nan"), ("boolean", "y"), ("url", "h/v1"), ("url", "https://")],
)
def test_text_that_is_no_value(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match=r"an?|true|URL"):
        convert(kind, text)

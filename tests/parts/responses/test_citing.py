"""Marks of files are taken out of a text, wherever it is cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from parts.providers.responses.citing import Citation, Citing, mark_of

FILES = {"file-1": "a.txt", "file-2": "b.txt"}


def cited(pieces: list[str]) -> tuple[str, list[Citation]]:
    citing = Citing(FILES)
    taken = [citing.take(each) for each in pieces] + [citing.end()]
    return "".join(text for text, _ in taken), [each for _, found in taken for each in found]


words = st.one_of(st.text(max_size=5), st.sampled_from(["<", "<|", "|>", "|", mark_of("file-1"), mark_of("nobody")]))


@given(st.lists(words, max_size=8), st.data())
def test_the_cuts_do_not_matter(said: list[str], data: st.DataObject) -> None:
    text = "".join(said)
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    cuts = [0, *places, len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(cuts)]
    assert cited(pieces) == cited([text])
    kept, found = cited([text])
    assert len(kept) == len(text) - sum(len(mark_of(each.file_id)) for each in found)


def test_marks_are_where_they_stood() -> None:
    text, found = cited([f"Paris{mark_of('file-1')} and Rome{mark_of('file-2')}."])
    assert text == "Paris and Rome."
    assert found == [Citation("file-1", "a.txt", 5), Citation("file-2", "b.txt", 14)]


def test_marks_side_by_side() -> None:
    text, found = cited([f"a{mark_of('file-1')}<", mark_of("file-2")[1:]])
    assert (text, [each.index for each in found]) == ("a", [1, 1])


def test_a_mark_of_no_file_is_text() -> None:
    assert cited(["a<|im_end|>b"]) == ("a<|im_end|>b", [])


def test_what_only_begins_like_a_mark_is_not_held_for_ever() -> None:
    citing = Citing(FILES)
    assert citing.take("<|" + "x" * 300)[0] == "<|" + "x" * 300

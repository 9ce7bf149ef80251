"""Any text comes back from the YAML that is written: no case has them all."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st
from stackgen.importing.emit import emit
from stackgen.importing.tree import Branch, Node, Note, grow, plain
from stackgen.load import Document, parse
from stackgen.plan import JsonValue, Position

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    [
        "yes",
        "null",
        "1e5",
        "0x1F",
        "-1",
        ".5",
        "2024-01-01",
        "~",
        "=",
        "<<",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "a:",
        " a",
        "a ",
        "*a",
    ]
)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(10**18), 10**18)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read(data: dict[str, JsonValue]) -> None:
    tree = grow(Document("", data))
    assert isinstance(tree, Branch)
    text = emit(commented(tree))
    document, problems = parse(text, "")
    assert problems == []
    assert document.data == data == plain(tree)
    assert yaml.safe_load(text) == data


def commented(tree: Branch) -> Branch:
    return Branch(tree.at, (Note("a: comment"), *tree.items, Note("of two\nlines")), tree.listed)


def test_a_comment_stands_before_its_item() -> None:
    at = Position("", 1, 1)
    node: Node = grow(Document("", {"a": [{"b": 1, "c": {}}], "d": ["x", "y z"], "e": ["x", 1]}))
    assert isinstance(node, Branch)
    assert emit(Branch(at, (Note("first"), *node.items))) == (
        "# first\na:\n  - b: 1\n    c: {}\nd:\n  - x\n  - y z\ne: [x, 1]\n"
    )

"""Settings: which source wins, what each type takes, and problems told together without a secret in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest
from parts.runtime.secret import Secret
from parts.runtime.settings import Env, Reader, SettingsError


def problems(environ: Mapping[str, str], values: Mapping[str, object], read: Callable[[Reader], object]) -> str:
    reader = Reader(environ, values)
    read(reader)
    with pytest.raises(SettingsError) as caught:
        reader.finish()
    return str(caught.value)


@pytest.mark.parametrize(
    ("environ", "values", "expected"),
    [
        ({"P": "1"}, {"a": {"port": 2}}, 1),
        ({"P": ""}, {"a": {"port": 2}}, 2),
        ({}, {"a": {"port": 2}}, 2),
        ({}, {}, 3),
    ],
)
def test_environment_then_file_then_default(environ: dict[str, str], values: dict[str, object], expected: int) -> None:
    assert Reader(environ, values).integer("a.port", env="P", default=3) == expected


@pytest.mark.parametrize(
    ("environ", "values", "expected"),
    [
        ({"H": "h"}, {"u": "http://file"}, "http://h:80/v1"),
        ({"H": "h", "P": "9"}, {}, "http://h:9/v1"),
        ({}, {"u": "http://file"}, "http://file"),
        ({}, {}, "http://d"),
        ({"P": "9"}, {}, "http://d"),
    ],
)
def test_a_text_of_several_pieces(environ: dict[str, str], values: dict[str, object], expected: str) -> None:
    text = ("http://", Env("H"), ":", Env("P", default="80"), "/v1")
    assert Reader(environ, values).url("u", text=text, default="http://d") == expected


def test_a_piece_that_is_there_only_while_its_variable_is_set() -> None:
    text = ("a", Env("X", then="-b"))
    assert Reader({"X": "1"}, {}).string("s", text=text) == "a-b"
    assert Reader({}, {}).string("s", text=text) == "a"


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("YES", True), ("1", True), ("False", False), ("no", False), ("0", False)]
)
def test_booleans(text: str, expected: bool) -> None:
    assert Reader({"B": text}, {}).boolean("b", env="B") is expected


def test_lists_and_maps_from_a_variable() -> None:
    read = Reader({"L": " a, b ,,c", "M": '{"a": "b"}'}, {})
    assert read.strings("l", env="L") == ("a", "b", "c")
    assert read.string_map("m", env="M") == {"a": "b"}


def test_a_numeric_key_stays_text() -> None:
    assert Reader({"K": "0123"}, {}).secret("k", env="K") == Secret("0123")
    assert Reader({}, {"k": 123}).secret("k") == Secret("123")
    assert Reader({"K": "1e5"}, {}).string("k", env="K") == "1e5"


def test_home_is_expanded_in_paths_only() -> None:
    read = Reader({"F": "~/x"}, {})
    assert read.path("f", env="F") == os.path.expanduser("~/x")
    assert read.string("g", env="F") == "~/x"


def test_optional_values() -> None:
    read = Reader({}, {"a": None})
    assert read.optional_string("a", default="x") is None
    assert read.optional_integer("b", env="B") is None
    assert read.optional_secret("c", default="") is None
    assert read.optional_number("d", default=2) == 2.0
    read.finish()


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda r: r.integer("p", env="X"), "X (p): expected a whole number, found '1.5x'"),
        (lambda r: r.number("p", env="X"), "X (p): expected a number, found '1.5x'"),
        (lambda r: r.boolean("p", env="X"), "X (p): expected true or false, found '1.5x'"),
        (lambda r: r.url("p", env="X"), "X (p): expected a URL that starts with http:// or https:// and names a host"),
        (lambda r: r.choice("p", env="X", choices=("a", "b")), "X (p): expected one of a, b, found '1.5x'"),
        (lambda r: r.string("p", env="X", pattern="^y"), "X (p): expected text that matches ^y, found '1.5x'"),
        (lambda r: r.integer("p", env="N", minimum=10), "N (p): expected 10 or more, found 7"),
        (lambda r: r.integer("p", env="N", maximum=5), "N (p): expected 5 or less, found 7"),
        (lambda r: r.number("p", env="INF"), "INF (p): expected a number, found inf"),
        (lambda r: r.string("p", env="GONE"), "GONE (p) is required and has no value"),
        (lambda r: r.string_map("p", env="X"), "X (p): expected a JSON object"),
    ],
)
def test_what_is_wrong_is_said(read: Callable[[Reader], object], expected: str) -> None:
    assert problems({"X": "1.5x", "N": "7", "INF": "inf"}, {}, read) == expected


@pytest.mark.parametrize("url", ["ftp://x", "http://", "x", "http:///path", "http://h:99999", "http://a b"])
def test_urls_need_a_scheme_and_a_host(url: str) -> None:
    assert "expected a URL" in problems({"U": url}, {}, lambda r: r.url("u", env="U"))


@pytest.mark.parametrize(
    ("value", "kind"), [("8321", "a whole number"), (True, "a whole number"), (1.0, "a whole number")]
)
def test_a_value_of_the_file_has_a_type_of_its_own(value: object, kind: str) -> None:
    assert f"p (values file): expected {kind}" in problems({}, {"p": value}, lambda r: r.integer("p"))


def test_every_problem_is_told_at_once() -> None:
    def read(reader: Reader) -> None:
        reader.integer("server.port", env="PORT", default=1)
        reader.string("a", env="A")
        reader.secret("b", env="B")

    told = problems({"PORT": "x"}, {"server": {"prot": 1}, "other": {"deep": 1}}, read).split("\n")
    assert told == [
        "PORT (server.port): expected a whole number, found 'x'",
        "A (a) is required and has no value",
        "B (b) is required and has no value",
        "server.prot (values file) is not a setting of this server; did you mean server.port?",
        "other (values file) is not a setting of this server",
    ]


def test_a_scalar_where_settings_belong() -> None:
    told = problems({}, {"server": 5}, lambda r: r.integer("server.port", default=1))
    assert told == "server (values file): expected settings by name, such as server.port"


def test_no_secret_is_shown() -> None:
    def read(reader: Reader) -> None:
        reader.secret("k")
        reader.url("u", env="U")
        reader.string_map("headers")

    values = {"k": ["sk-very-secret"], "headers": {"Authorization": ["sk-very-secret"]}}
    assert "sk-very-secret" not in problems({"U": "ftp://user:sk-very-secret@h"}, values, read)


def test_a_shut_gate_makes_its_values_known_and_unread() -> None:
    values = {"providers": {"inference": {"openai": {"base_url": "x", "network": {"y": 1}}}}}
    reader = Reader({"OPENAI_API_KEY": ""}, values)
    assert not reader.enabled("OPENAI_API_KEY", at="providers.inference.openai")
    reader.finish()


def test_an_open_gate_has_its_values_checked() -> None:
    def read(reader: Reader) -> None:
        assert reader.enabled("K", at="p.openai")
        reader.string("p.openai.base_url", default="")

    assert "did you mean p.openai.base_url?" in problems({"K": "1"}, {"p": {"openai": {"base_ulr": "x"}}}, read)


def test_a_text_that_comes_out_empty_is_null_where_null_is_a_value() -> None:
    reader = Reader({}, {})
    assert reader.optional_url("u", text=(Env("X", then="http://a"),)) is None
    assert reader.optional_integer("n", text=(Env("X", then="3"),)) is None
    assert reader.string("s", text=(Env("X", then="a"),)) == ""
    reader.finish()

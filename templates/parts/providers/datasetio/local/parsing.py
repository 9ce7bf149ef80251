"""Rows out of the bytes of a file: JSON Lines, JSON, CSV."""

from __future__ import annotations

import csv
import io
import re
from typing import Literal, TypeAlias

from pydantic_core import from_json

from ....runtime.dataset_rows import Row
from ....runtime.errors import BadRequest

Form: TypeAlias = Literal["jsonl", "json", "csv"]

_SUFFIXES: dict[str, Form] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv"}
_TYPES: dict[str, Form] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "csv": "csv",
    "application/json": "json",
    "text/json": "json",
    "json": "json",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
    "jsonl": "jsonl",
}
# What begins with zeros is a name, such as a postcode.
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_EXPECTED = "expected JSON Lines (.jsonl), JSON (.json) or CSV (.csv)"


def form_of(path: str, content_type: str = "") -> Form:
    """What a file is, by the end of its name, or else by its media type. Raises BadRequest."""
    name = path.rpartition("/")[2].lower()
    suffix = name[name.rfind(".") :] if "." in name else ""
    if (form := _SUFFIXES.get(suffix) or _TYPES.get(content_type.lower())) is not None:
        return form
    if suffix in (".parquet", ".arrow") or "parquet" in content_type:
        message = f"{name[:100]} is in columns, for which this server would need a large library; {_EXPECTED}"
        raise BadRequest(message, code="unsupported_format", param="source.uri")
    what = name[:100] or content_type or "it"
    raise BadRequest(f"{what} does not say what it is; {_EXPECTED}", code="unsupported_format", param="source.uri")


def parsed(content: bytes, form: Form) -> list[Row]:
    """Raises BadRequest, which says where."""
    match form:
        case "jsonl":
            return _json_lines(content)
        case "json":
            return _json(content)
        case "csv":
            return _csv(content)


def _json_lines(content: bytes) -> list[Row]:
    rows = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            rows.append(_row(_value(line, f"line {number}"), f"line {number}"))
    return rows


def _json(content: bytes) -> list[Row]:
    """A list of objects, or an object with such a list under `data` or `rows`."""
    value = _value(content.removeprefix(b"\xef\xbb\xbf"), "it")
    if isinstance(value, dict):
        value = next((value[key] for key in ("data", "rows") if isinstance(value.get(key), list)), value)
    if not isinstance(value, list):
        raise _invalid("it is no list of objects")
    return [_row(each, f"item {number}") for number, each in enumerate(value)]


def _csv(content: bytes) -> list[Row]:
    """Its first line names the columns. A column of whole numbers only, of numbers or of true and false becomes such;
    an empty cell null.
    """
    try:
        text = content.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except UnicodeDecodeError as error:
        raise _invalid(f"byte {error.start} is no UTF-8") from None
    except csv.Error as error:
        raise _invalid(str(error)) from None
    if not lines:
        return []
    names, body = lines[0], lines[1:]
    if len(set(names)) < len(names):
        raise _invalid("two columns have one name")
    for number, line in enumerate(body, 1):
        if len(line) != len(names):
            raise _invalid(f"row {number} has {len(line)} cells, and there are {len(names)} columns")
    columns = [_column([line[place] for line in body]) for place in range(len(names))]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _column(cells: list[str]) -> list[object]:
    said = [each for each in cells if each]
    if said and all(map(_INTEGER.fullmatch, said)):
        return [int(each) if each else None for each in cells]
    if said and all(map(_NUMBER.fullmatch, said)):
        return [float(each) if each else None for each in cells]
    if said and all(each.lower() in ("true", "false") for each in said):
        return [each.lower() == "true" if each else None for each in cells]
    return [each or None for each in cells]


def _value(text: bytes, where: str) -> object:
    try:
        value: object = from_json(text, allow_inf_nan=True)
    except ValueError as error:
        raise _invalid(f"{where} is no JSON: {error}") from None
    return value


def _row(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise _invalid(f"{where} is no object")
    return value


def _invalid(what: str) -> BadRequest:
    return BadRequest(f"the file cannot be read as rows: {what[:300]}", code="invalid_rows", param="source.uri")

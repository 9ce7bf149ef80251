r"""Whether two answers of mathematics are the same: `\frac{1}{2}` is 0.5 is 50\%.

Texts are brought to one form, then compared; numbers and fractions by their value, lists, sets and intervals part by
part. What only algebra could tell, such as `x(x+1)` and `x^2+x`, is not the same here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

PATTERNS: Sequence[str] = (
    r"(?is).*final answer is:?\s*(?:\*\*)?\s*\$?\s*(.+?)(?:\$|\.?\s*I hope it is correct|\.?\s*$)",
    r"(?im)^.*\banswer\s*(?:is)?\s*[:：]\s*(.+?)\.?\s*$",
)
"""Where an answer stands that is in no box."""

_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|big|Big|quad|qquad|limits|mathrm|mathbf|mathit|,|;|:|!| )"
    r"|\$|~|\s+(?=[,;)\]}])"
)
_TEXT = re.compile(r"\\(?:text|textbf|textit|mbox|mathrm|operatorname)\s*\{([^{}]*)\}")
_UNITS = re.compile(
    r"(?<=[\d}\s])(?:degrees?|dollars?|cents?|units?|meters?|metres?|centimeters?|cm|km|mm|inch(?:es)?|feet|foot|miles?|hours?|"
    r"minutes?|seconds?|days?|years?|square|cubic|points?|percent)\b"
)
_FRACTION = re.compile(r"\\[dtc]?frac\s*(?:\{([^{}]*)\}|(\d))\s*(?:\{([^{}]*)\}|(\d))")
_SQRT = re.compile(r"\\sqrt\s*(\w)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_OPEN, _CLOSE = "([{", ")]}"
_MOST = 2000


def answer_in(text: str) -> str | None:
    r"""What the last `\boxed{…}` or `\fbox{…}` of a text holds."""
    start = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if start < 0:
        return None
    rest = text[start:].partition("oxed" if text.startswith("\\boxed", start) else "box")[2].lstrip()
    if not rest.startswith("{"):
        return rest.split("$")[0].split()[0] if rest.split("$")[0].split() else None
    depth = 0
    for place, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return rest[1:place]
    return None


def same(said: str, right: str) -> bool:
    return _same(plain(said[:_MOST]), plain(right[:_MOST]))


def plain(text: str) -> str:
    """An answer in its plainest form."""
    text = text.strip().strip("*").strip().rstrip(".").replace("\\%", "%").replace("\\$", "")
    # `x = 5` means 5.
    left, equals, right = text.rpartition("=")
    if equals and len(left.strip()) <= 3:
        text = right
    text = _TEXT.sub(lambda found: " " + found[1], text)
    text = text.replace("\\{", "{").replace("\\}", "}").replace("−", "-").replace("\\cdot", "*").replace("\\times", "*")
    text = re.sub(r"\^\s*\{?\\circ\}?|°", "", text)
    text = _DROPPED.sub("", text)
    text = _UNITS.sub("", text)
    for _ in range(3):
        text = _FRACTION.sub(lambda found: f"({found[1] or found[2]})/({found[3] or found[4]})", text)
    text = _SQRT.sub(r"\\sqrt{\1}", text)
    return re.sub(r"\s+", "", _GROUPED.sub("", text)).lower()


def _same(said: str, right: str) -> bool:
    if said == right:
        return bool(said)
    one, other = value(said), value(right)
    if one is not None and other is not None:
        return one == other or abs(one - other) <= abs(other) * Fraction(1, 10**6)
    parts, others = _parts(said), _parts(right)
    if len(parts) != len(others) or len(parts) < 2:
        return False
    if said[:1] == right[:1] == "{":
        # The order of a set's members is nobody's.
        return all(any(_same(each, one) for one in others) for each in parts)
    if said[:1] + said[-1:] != right[:1] + right[-1:] and (said[:1] in _OPEN or right[:1] in _OPEN):
        return False
    return all(_same(each, one) for each, one in zip(parts, others, strict=True))


def value(text: str) -> Fraction | None:
    """Of a number, a fraction, a mixed number or a percentage; None for what is none."""
    text = text.removeprefix("+")
    if text.startswith("-"):
        inner = value(text[1:]) if len(text) > 1 and text[1] not in "+-" else None
        return None if inner is None else -inner
    if text.endswith("%"):
        inner = value(text[:-1])
        return None if inner is None else inner / 100
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1]
    over, slash, under = text.rpartition("/")
    if slash:
        top, bottom = value(over), value(under)
        return None if top is None or not bottom else top / bottom
    if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", text) and len(text) < 100:
        return Fraction(text)
    return None


def _parts(text: str) -> list[str]:
    """What commas part on the outermost level, without brackets around all of it."""
    if text[:1] in _OPEN and text[-1:] in _CLOSE and text:
        text = text[1:-1]
    parts, depth, since = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in _OPEN) - (letter in _CLOSE)
        if letter == "," and depth == 0:
            parts.append(text[since:place])
            since = place + 1
    return [*parts, text[since:]]


def _closes_at_end(text: str) -> bool:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place == len(text) - 1
    return False

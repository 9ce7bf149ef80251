"""What Llama Guard 3 and 4 are asked, and what their answers mean.

The form of the question is part of these models, which were trained with it; Meta's model cards give it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from ...runtime.errors import UpstreamError
from .turns import Speaker, Turn
from .verdict import Verdict

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "S1": "Violent Crimes",
        "S2": "Non-Violent Crimes",
        "S3": "Sex Crimes",
        "S4": "Child Exploitation",
        "S5": "Defamation",
        "S6": "Specialized Advice",
        "S7": "Privacy",
        "S8": "Intellectual Property",
        "S9": "Indiscriminate Weapons",
        "S10": "Hate",
        "S11": "Self-Harm",
        "S12": "Sexual Content",
        "S13": "Elections",
        "S14": "Code Interpreter Abuse",
    }
)

OPENAI: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "S1": ("illicit/violent", "violence"),
        "S2": ("illicit",),
        "S3": ("sexual",),
        "S4": ("sexual/minors",),
        "S9": ("illicit", "illicit/violent"),
        "S10": ("hate",),
        "S11": ("self-harm",),
        "S12": ("sexual",),
        "S14": ("illicit",),
    }
)
"""What of OpenAI's categories each is; the others have none that says the same."""

MESSAGE = "This goes against the safety rules of this service, so it is not answered."

_WITHOUT_S14 = re.compile(r"guard-?3[-:]?(1b|11b)", re.IGNORECASE)
"""Models that do not know of code interpreters."""

_NAMES: Mapping[Speaker, str] = MappingProxyType({"user": "User", "assistant": "Agent"})

# Words by which the question is told from what is judged, and tokens by which the model tells its own turns.
_MARKS = re.compile(r"<(?=/?(BEGIN|END) (UNSAFE|CONVERSATION)|\|)", re.IGNORECASE)

_CODE = re.compile(r"S[0-9]{1,2}")


def judged_by(model: str, excluded: Collection[str]) -> list[str]:
    """The codes of the categories that a model is asked for."""
    missing = {"S14"} if _WITHOUT_S14.search(model) else set()
    return [code for code in CATEGORIES if code not in excluded and code not in missing]


def question(turns: Sequence[Turn], codes: Sequence[str]) -> str:
    """The whole prompt, for the last turn. What is judged cannot end its own quotation."""
    who = _NAMES[turns[-1].speaker]
    listed = "\n".join(f"{code}: {CATEGORIES[code]}." for code in codes)
    talk = "\n\n".join(f"{_NAMES[turn.speaker]}: {_MARKS.sub('< ', turn.text)}" for turn in turns)
    return (
        f"Task: Check if there is unsafe content in '{who}' messages in conversations according our safety policy "
        "with the below safety categories.\n\n"
        f"<BEGIN UNSAFE CONTENT CATEGORIES>\n{listed}\n<END UNSAFE CONTENT CATEGORIES>\n\n"
        f"<BEGIN CONVERSATION>\n\n{talk}\n\n<END CONVERSATION>\n\n"
        f"Provide your safety assessment for ONLY THE LAST {who} message in the above conversation:\n"
        " - First line must read 'safe' or 'unsafe'.\n"
        " - If unsafe, a second line must include a comma-separated list of violated categories."
    )


def verdict_of(answer: str, codes: Sequence[str], excluded: Collection[str]) -> Verdict:
    """What an answer says: `safe`, or `unsafe` with codes on the next line.

    A code that nobody asked for counts, unless it is excluded. Raises UpstreamError for anything else: who does not
    say `safe` has not said that it is.
    """
    lines = [line.strip() for line in answer.strip().splitlines() if line.strip()]
    scores = _scores(codes, ())
    if lines == ["safe"]:
        return Verdict(flagged=False, scores=scores)
    if not lines or lines[0] != "unsafe" or len(lines) > 2:
        raise _nonsense()
    named = [each.strip() for each in lines[1].split(",")] if len(lines) == 2 else []
    if not all(_CODE.fullmatch(each) for each in named):
        raise _nonsense()
    left = [each for each in named if each not in excluded]
    if named and not left:
        return Verdict(flagged=False, scores=scores)
    found = frozenset(name for code in left for name in _names(code))
    return Verdict(
        flagged=True,
        message=MESSAGE,
        scores=_scores(codes, left),
        found=found,
        metadata={"violation_type": ",".join(left)},
    )


def _scores(codes: Sequence[str], found: Collection[str]) -> dict[str, float]:
    """The model says yes or no, so 1 or 0."""
    scores: dict[str, float] = {}
    for code in (*codes, *found):
        for name in _names(code):
            scores[name] = max(scores.get(name, 0.0), float(code in found))
    return scores


def _names(code: str) -> tuple[str, ...]:
    return (CATEGORIES.get(code, code), *OPENAI.get(code, ()))


def _nonsense() -> UpstreamError:
    # The answer may repeat what was judged, so it is not shown.
    message = "the guard model answered neither `safe` nor `unsafe` with categories, so nothing is known of the input"
    return UpstreamError(message, code="upstream_invalid_answer")

"""Code that models write, looked through for what attackers use (`code_rules`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...runtime.context import Context
from ...runtime.errors import BadRequest
from ...runtime.wiring import Health
from .code_rules import RULES, Rule
from .guard import Asked, Guard, refuse_images
from .turns import Turn
from .verdict import PASS, Verdict

MOST_CHARACTERS = 250_000
"""Of one call. What is longer is refused, as the rest of it would pass unseen."""

MOST_FINDINGS = 100
"""That are told of; the verdict is the same for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScannerConfig:
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """turn: its number, from 1. line: in it, from 1."""

    rule: Rule
    turn: int
    line: int


class CodeScanner(Guard):
    """Every text of a conversation is looked through, as code stands in it with and without fences."""

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        refuse_images(turns, "the code scanner")
        size = sum(len(turn.text) for turn in turns)
        if size > MOST_CHARACTERS:
            message = f"the code scanner looks through {MOST_CHARACTERS} characters at once, and there are {size}"
            raise BadRequest(message, code="input_too_long", param="messages")
        # Requests go on between two rules, so that one rule's time for all of it is what others may wait.
        found = await asyncio.to_thread(scan, [turn.text for turn in turns])
        return _verdict(found) if found else PASS

    async def health(self) -> Health:
        return Health("OK")


def scan(texts: Sequence[str]) -> list[Finding]:
    """What is found, at most MOST_FINDINGS of each rule."""
    return [
        Finding(rule, number, text.count("\n", 0, match.start()) + 1)
        for rule in RULES
        for number, text in enumerate(texts, 1)
        for match, _ in zip(rule.pattern.finditer(text), range(MOST_FINDINGS), strict=False)
    ]


def _verdict(found: Sequence[Finding]) -> Verdict:
    rules = {each.rule.id: each.rule for each in found}
    said = "; ".join(dict.fromkeys(rule.says for rule in rules.values()))
    return Verdict(
        flagged=True,
        level="error" if any(rule.level == "error" for rule in rules.values()) else "warn",
        message=f"There are security concerns about this code: {said}.",
        found=frozenset(rules),
        metadata={
            "violation_type": ",".join(rules),
            "findings": [
                {
                    "rule": each.rule.id,
                    "cwe": each.rule.cwe,
                    "level": each.rule.level,
                    "turn": each.turn,
                    "line": each.line,
                }
                for each in found[:MOST_FINDINGS]
            ],
        },
    )


@asynccontextmanager
async def open_code_scanner(config: CodeScannerConfig) -> AsyncIterator[CodeScanner]:
    """There is nothing to open."""
    yield CodeScanner()

"""The functions of Braintrust's autoevals: what each asks, and what becomes of the answers.

Source: autoevals, its documentation and the definitions of its scorers; those about contexts come from Ragas (Es et
al., RAGAS: Automated Evaluation of Retrieval Augmented Generation, 2023). Each gives a score from 0 to 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....runtime.dataset_rows import Row
from ..rows import EXPECTED, GENERATED, QUERY, cell, text_of, wrong
from . import questions as q
from .model import Grader, texts, verdicts

if TYPE_CHECKING:
    from ....runtime.context import Context

CHOICES: Mapping[str, float] = {"A": 0.4, "B": 0.6, "C": 1.0, "D": 0.0, "E": 1.0}
QUESTIONS = 3
"""How many questions are made of an answer, to be compared with the one that was asked."""

CORRECTNESS, SIMILARITY = 0.75, 0.25
"""What statements and likeness count in an answer's correctness."""


async def graded(function: str, row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    """The result of one row. function: as in `answer-correctness`. Raises BadRequest for a row that lacks something."""
    match function:
        case "factuality":
            return await _factuality(row, number, grader, ctx)
        case "answer-correctness":
            return await _correctness(row, number, grader, ctx)
        case "answer-relevancy":
            return await _relevancy(row, number, grader, ctx)
        case "answer-similarity":
            said, right = text_of(row, number, GENERATED), text_of(row, number, EXPECTED)
            (score,) = await grader.likeness(said, [right], ctx)
            return {"score": score, "metadata": {}}
        case "faithfulness":
            return await _faithfulness(row, number, grader, ctx)
        case "context-entity-recall":
            return await _entity_recall(row, number, grader, ctx)
        case _:
            return await _of_context(function, row, number, grader, ctx)


async def _factuality(row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    said = _said(row, number, QUERY, EXPECTED, GENERATED)
    found = await grader.ask(q.FACTUALITY, said, ctx)
    choice = str(found["choice"])
    return {"score": CHOICES.get(choice), "metadata": {"choice": choice, "rationale": found["reasons"]}}


async def _correctness(row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    said = _said(row, number, QUERY, EXPECTED, GENERATED)
    found, (alike,) = await asyncio.gather(
        grader.ask(q.STATEMENTS_SORTED, said, ctx), grader.likeness(said["output"], [said["expected"]], ctx)
    )
    right, invented, missing = (len(texts(found, name)) for name in ("supported", "unsupported", "missing"))
    total = right + 0.5 * (invented + missing)
    facts = right / total if total else 0.0
    score = CORRECTNESS * facts + SIMILARITY * alike
    return {"score": score, "metadata": {**found, "factuality": facts, "answer_similarity": alike}}


async def _relevancy(row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    said = {**_said(row, number, QUERY, GENERATED), "context": "\n".join(_context(row, number))}
    asked = (grader.ask(q.ASKED_FOR, {**said, "number": str(n + 1)}, ctx) for n in range(QUESTIONS))
    found = await asyncio.gather(*asked)
    made = [str(each["question"]) for each in found]
    if any(each["noncommittal"] is True for each in found):
        return {"score": 0.0, "metadata": {"questions": made, "noncommittal": True}}
    alike = await grader.likeness(said["input"], made, ctx)
    return {"score": sum(alike) / len(alike), "metadata": {"questions": made, "similarity": alike}}


async def _faithfulness(row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    said = {**_said(row, number, QUERY, GENERATED), "context": "\n".join(_context(row, number))}
    made = texts(await grader.ask(q.STATEMENTS, said, ctx), "statements")
    if not made:
        return {"score": None, "metadata": {"statements": []}}
    listed = "\n".join(f"{place}. {each}" for place, each in enumerate(made, 1))
    found = await grader.ask(q.SUPPORTED, {**said, "statements": listed}, ctx)
    return {"score": _share(verdicts(found, "verdicts", "follows")), "metadata": {"statements": made, **found}}


async def _entity_recall(row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    right, context = text_of(row, number, EXPECTED), "\n".join(_context(row, number))
    found = await asyncio.gather(*(grader.ask(q.ENTITIES, {"text": text}, ctx) for text in (right, context)))
    expected, there = (texts(each, "entities") for each in found)
    plain = {_plain(each) for each in there}
    score = _share([_plain(each) in plain for each in expected])
    return {"score": score, "metadata": {"expected_entities": expected, "context_entities": there}}


async def _of_context(function: str, row: Row, number: int, grader: Grader, ctx: Context) -> Row:
    context = "\n".join(_context(row, number))
    match function:
        case "context-precision":
            said = {**_said(row, number, QUERY, EXPECTED), "context": context}
            found = await grader.ask(q.USEFUL, said, ctx)
            return {"score": float(found["useful"] is True), "metadata": dict(found)}
        case "context-recall":
            said = {**_said(row, number, QUERY, EXPECTED), "context": context}
            found = await grader.ask(q.ATTRIBUTED, said, ctx)
            return {"score": _share(verdicts(found, "sentences", "attributed")) or 0.0, "metadata": dict(found)}
    found = await grader.ask(q.RELEVANT, {**_said(row, number, QUERY), "context": context}, ctx)
    copied = sum(len(each) for each in texts(found, "sentences"))
    return {"score": min(copied / len(context), 1.0) if context else 0.0, "metadata": dict(found)}


def _said(row: Row, number: int, *columns: str) -> dict[str, str]:
    names = {QUERY: "input", EXPECTED: "expected", GENERATED: "output"}
    return {names[each]: text_of(row, number, each) for each in columns}


def _context(row: Row, number: int) -> Sequence[str]:
    """What an answer was made from: a text, or several."""
    value = cell(row, number, "context")
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise wrong(number, "context", "is neither a text nor a list of texts")
    return listed


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())

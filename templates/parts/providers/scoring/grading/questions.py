"""What a model is asked about a row, and the form of its answer: one question for each step of a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Schema: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Question:
    """text: with `{name}` for what it is about. schema: JSON Schema of the answer, an object."""

    name: str
    text: str
    schema: Schema


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


TEXT: Schema = {"type": "string"}
YES: Schema = {"type": "boolean"}

FACTUALITY = Question(
    "factuality",
    """\
Compare the facts of an answer with those of an expert's answer. Leave style, grammar and punctuation aside.

[Question]
{input}

[Expert's answer]
{expected}

[Answer]
{output}

Which is it? A: its facts are some of the expert's, and all fit them. B: it has all of the expert's facts and more,
and all fit them. C: its facts are the expert's, no more and no less. D: it contradicts the expert. E: they differ,
but not in what matters for the facts. Say why in a sentence or two, then choose.""",
    _object(reasons=TEXT, choice={"type": "string", "enum": ["A", "B", "C", "D", "E"]}),
)

STATEMENTS_SORTED = Question(
    "correctness",
    """\
Take an answer and a right answer to the same question apart into single statements. List those of the answer that the
right one supports (supported), those of the answer that it does not (unsupported), and those of the right one that
the answer lacks (missing).

[Question]
{input}

[Right answer]
{expected}

[Answer]
{output}""",
    _object(supported=_list(TEXT), unsupported=_list(TEXT), missing=_list(TEXT)),
)

ASKED_FOR = Question(
    "question",
    """\
Write the question that this answer answers; number {number} of several, so find a wording of its own. Say also
whether the answer is noncommittal: evasive, vague, or an admission that one does not know.

[Answer]
{output}

[What it was made from]
{context}""",
    _object(question=TEXT, noncommittal=YES),
)

STATEMENTS = Question(
    "statements",
    """\
Take the answer apart into single statements, each whole by itself, without words that point to another sentence.

[Question]
{input}

[Answer]
{output}""",
    _object(statements=_list(TEXT)),
)

SUPPORTED = Question(
    "support",
    """\
Say of each statement, in their order, whether it follows from the context alone.

[Context]
{context}

[Statements]
{statements}""",
    _object(verdicts=_list(_object(statement=TEXT, reason=TEXT, follows=YES))),
)

ENTITIES = Question(
    "entities",
    """\
List all entities that the text names: people, places, organisations, dates, amounts, works, events. Each once, as the
text spells it.

[Text]
{text}""",
    _object(entities=_list(TEXT)),
)

USEFUL = Question(
    "usefulness",
    """\
Was the context useful for coming to the answer of the question? Say why in a sentence, then decide.

[Question]
{input}

[Answer]
{expected}

[Context]
{context}""",
    _object(reason=TEXT, useful=YES),
)

ATTRIBUTED = Question(
    "attribution",
    """\
Go through the answer sentence by sentence. Say of each whether it can be attributed to the context.

[Question]
{input}

[Context]
{context}

[Answer]
{expected}""",
    _object(sentences=_list(_object(sentence=TEXT, reason=TEXT, attributed=YES))),
)

RELEVANT = Question(
    "relevance",
    """\
Copy out of the context the sentences that one needs to answer the question, letter by letter. None where there are
none, or where the context does not suffice.

[Question]
{input}

[Context]
{context}""",
    _object(sentences=_list(TEXT)),
)

"""What of a request llama.cpp gets, and what is refused before it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from pydantic_core import to_json

from ....runtime.errors import BadRequest
from ..refusals import too_long, unknown_tool, unsupported

Json: TypeAlias = Mapping[str, object]

_BOUNDS = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minimum", "maximum"),
    ("minProperties", "maxProperties"),
)
# Values of these are data, not schemas.
_DATA = ("enum", "const", "default", "examples")


_TOKENS = ("max_tokens", "max_completion_tokens", "n_predict", "repeat_last_n", "dry_penalty_last_n")
# What llama.cpp takes for one of its own choice, beside -1.
_NO_SEED = 2**32 - 1

MOST_LIKELY = 20
"""Tokens whose probabilities are told at each place, as many as OpenAI has."""

MOST_GRAMMAR = 64 * 1024
"""Characters of a grammar. llama.cpp works through all of its branches with each token, and cannot be left then."""

MOST_SCHEMAS = 256 * 1024
"""Bytes of a request's JSON Schemas together, which become a grammar."""

MOST_PROMPTS = 2048
"""Texts of one request, as many as OpenAI takes."""

LONGEST_TOKEN = 512
"""Characters, more than any vocabulary has in one: a text of more than so many for each token of the context cannot
fit. llama.cpp would cut all of it into tokens first, and cannot be left then.
"""


def prepare(document: Json, context: int) -> dict[str, object]:
    """The request as llama.cpp can take it. context: tokens that one request can have. Raises BadRequest."""
    # One that names a slot which is busy would wait for it in llama.cpp, where it cannot be left.
    prepared = {key: value for key, value in document.items() if key != "id_slot"}
    # It has 32 bits for these: a larger number would become another, or memory for as many tokens.
    for name in _TOKENS:
        value = prepared.get(name)
        if isinstance(value, int) and value > context:
            prepared[name] = context
    seed = prepared.get("seed")
    if isinstance(seed, int) and not -1 <= seed < _NO_SEED:
        prepared["seed"] = seed % _NO_SEED
    likely = prepared.get("n_probs")
    if isinstance(likely, int) and likely > MOST_LIKELY:
        raise BadRequest(f"n_probs is {likely}, and {MOST_LIKELY} is the most", param="n_probs")
    return prepared


def streamed(document: Json) -> bytes:
    """The body that has llama.cpp generate as a stream, however the client wants its answer: only a stream can be
    left. It tells how far it is from the first piece of the prompt on, so that it can be left there too.
    """
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    return to_json({**document, **asked, "return_progress": True, "timings_per_token": True})


def with_named_tool(document: Json) -> Json:
    """llama.cpp knows no choice of one tool by name; that tool alone, required, is the same. Raises BadRequest where
    there is none of that name.
    """
    choice, tools = document.get("tool_choice"), document.get("tools")
    if not isinstance(choice, Mapping):
        return document
    function = choice.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    named = [tool for tool in tools if tool.get("function", {}).get("name") == name] if isinstance(tools, list) else []
    if not named:
        raise unknown_tool(name)
    return {**document, "tools": named[:1], "tool_choice": "required"}


def check_length(document: Json, context: int) -> None:
    """Raises BadRequest for texts that cannot fit into `context` tokens, and for too many of them."""
    for name in ("prompt", "input"):
        value = document.get(name)
        texts = value if isinstance(value, list) and value and isinstance(value[0], str | list) else [value]
        if len(texts) > MOST_PROMPTS:
            raise BadRequest(f"{name} has {len(texts)} texts, and {MOST_PROMPTS} is the most", param=name)
        _check_characters(max((len(text) for text in texts if isinstance(text, str)), default=0), name, context)
    messages = document.get("messages")
    talk = sum(_characters(each) for each in messages) if isinstance(messages, list) else 0
    _check_characters(talk, "messages", context)


def _check_characters(count: int, name: str, context: int) -> None:
    if count > context * LONGEST_TOKEN:
        raise too_long(context, f"more: {name} has {count} characters", name)


def _characters(message: object) -> int:
    """Of a message's text."""
    content = message.get("content") if isinstance(message, Mapping) else None
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    return sum(len(text) for text in texts if isinstance(text, str))


def check_chat(document: Json) -> None:
    """Raises BadRequest for a schema that no answer can meet, for which llama.cpp would look for ever, and for grammars
    that are too large.
    """
    grammar = document.get("grammar")
    if isinstance(grammar, str) and len(grammar) > MOST_GRAMMAR:
        raise _too_large("grammar", len(grammar), MOST_GRAMMAR)
    size = 0
    for where, schema in _schemas(document):
        size += len(to_json(schema))
        if size > MOST_SCHEMAS:
            raise _too_large(where.partition(".")[0].partition("[")[0], size, MOST_SCHEMAS)
        problem = next(contradictions(schema, where), None)
        if problem is not None:
            raise BadRequest(problem, code="invalid_json_schema", param=where.partition(".")[0].partition("[")[0])


def check_completion(document: Json) -> None:
    """Raises BadRequest for what OpenAI's completions have and llama.cpp would pass over in silence."""
    if document.get("echo"):
        raise unsupported("echo")
    if document.get("suffix"):
        raise unsupported("suffix")
    best_of, wanted = document.get("best_of"), document.get("n", 1)
    if isinstance(best_of, int) and best_of != wanted:
        raise unsupported("best_of")
    check_chat(document)


def check_embedding(document: Json, length: int | None) -> None:
    """length: of the model's vectors. Raises BadRequest where another is asked for."""
    wanted = document.get("dimensions")
    if wanted is not None and wanted != length:
        said = f"; it has {length}" if length is not None else ""
        raise BadRequest(f"the model cannot make vectors of {wanted} dimensions{said}", param="dimensions")


def _too_large(name: str, size: int, most: int) -> BadRequest:
    return BadRequest(f"{name} is too large: {size} bytes, and {most} is the most", code="schema_too_large", param=name)


def _schemas(document: Json) -> Iterator[tuple[str, object]]:
    """Every JSON Schema that constrains an answer, and where it stands."""
    form = document.get("response_format")
    if isinstance(form, Mapping):
        yield "response_format.schema", form.get("schema")
        named = form.get("json_schema")
        if isinstance(named, Mapping):
            yield "response_format.json_schema.schema", named.get("schema")
    yield "json_schema", document.get("json_schema")
    tools = document.get("tools")
    for number, tool in enumerate(tools if isinstance(tools, list) else []):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping):
            yield f"tools[{number}].function.parameters", function.get("parameters")


def contradictions(schema: object, where: str) -> Iterator[str]:
    """What in a schema excludes every value, as sentences."""
    if isinstance(schema, list):
        for number, each in enumerate(schema):
            yield from contradictions(each, f"{where}[{number}]")
    if not isinstance(schema, Mapping):
        return
    for low, high in _BOUNDS:
        least, most = schema.get(low), schema.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            yield f"no value can meet the schema: {where} has {low} {least} and {high} {most}"
    if schema.get("enum") == []:
        yield f"no value can meet the schema: {where} has an empty enum"
    for key, value in schema.items():
        if key not in _DATA:
            yield from contradictions(value, f"{where}.{key}")

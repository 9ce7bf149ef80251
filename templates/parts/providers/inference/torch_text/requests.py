"""A request as jobs for the engine, and what is refused before it becomes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ....runtime.errors import BadRequest
from ..refusals import too_long, unknown_tool, unsupported
from .constraints import Guide, Guides, json_schema, lark
from .loading import Loaded
from .prompts import Prompts
from .rows import Job
from .settings import Defaults, sampling, stops
from .text import BROKEN
from .tools import Format, format_of, grammar

Document: TypeAlias = Mapping[str, Any]

MOST_ANSWERS = 2048
"""Of one request: as many prompts as OpenAI takes."""

_BEFORE = 6
"""Tokens of a prompt that its continuation is read after: more than a character has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What requests are read by. vocabulary: how many tokens there are."""

    loaded: Loaded
    prompts: Prompts
    defaults: Defaults
    guides: Guides
    vocabulary: int
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A request's jobs. prompt_tokens: of all its prompts, each counted once. form: how calls are written, None where
    there are no tools.
    """

    jobs: tuple[Job, ...]
    prompt_tokens: int
    form: Format | None = None


def chat_work(model: Model, document: Document) -> Work:
    """The jobs of a chat completion. Blocks: a long prompt, a large schema. Raises BadRequest."""
    _refuse(document, ("functions", "function_call", "audio", "web_search_options"))
    tools, must = _tools(document)
    form = None
    if tools:
        form = format_of(model.prompts.template or "")
        if form is None:
            raise BadRequest("this model's chat template knows no tools", code="unsupported_parameter", param="tools")
    shown = [{"type": "function", "function": tool} for tool in tools]
    prompt = model.prompts.chat(document, shown)
    special = _special(model)
    guide = None
    if form is not None and must:
        several = bool(document.get("parallel_tool_calls", True))
        guide = model.guides.compiled(lark(grammar(form, tools, special, several=several)), "tools")
    elif (found := _schema(document)) is not None:
        guide = model.guides.compiled(found, "response_format")
        form = None
    marks = (form.opening, form.closing, "[ARGS]", "[CALL_ID]") if form is not None else ()
    # What marks calls is read, though it be a special token.
    hidden = frozenset(special.values()) - {special[mark] for mark in marks if mark in special}
    limit = _limit(document, ("max_completion_tokens", "max_tokens"), model, [prompt], "messages")
    likely = int(document.get("top_logprobs") or 0) if document.get("logprobs") else None
    jobs = _jobs(model, document, [prompt], limit, hidden=hidden, likely=likely, guide=guide)
    return Work(jobs=jobs, prompt_tokens=len(prompt), form=form)


def completion_work(model: Model, document: Document) -> Work:
    """The jobs of a completion. Blocks. Raises BadRequest."""
    _refuse(document, ("echo", "suffix"))
    if document.get("best_of") not in (None, document.get("n") or 1):
        raise unsupported("best_of")
    prompts = model.prompts.texts(document.get("prompt"), model.vocabulary)
    found = _schema(document)
    guide = None if found is None else model.guides.compiled(found, "response_format")
    limit = _limit(document, ("max_tokens",), model, prompts, "prompt")
    hidden = frozenset(_special(model).values())
    likely = document.get("logprobs")
    if isinstance(likely, bool):
        likely = int(likely) or None
    jobs = _jobs(model, document, prompts, limit, hidden=hidden, likely=likely, guide=guide, reads_on=True)
    return Work(jobs=jobs, prompt_tokens=sum(map(len, prompts)))


def _jobs(
    model: Model,
    document: Document,
    prompts: Sequence[list[int]],
    limits: Sequence[int],
    *,
    hidden: frozenset[int],
    likely: int | None,
    guide: Guide | None,
    reads_on: bool = False,
) -> tuple[Job, ...]:
    if likely is not None:
        # Built here, where it holds up no step.
        model.guides.tokenizer()
    copies = document.get("n") or 1
    if len(prompts) * copies > MOST_ANSWERS:
        raise BadRequest(f"the request asks for {len(prompts) * copies} answers, and {MOST_ANSWERS} is the most")
    ends = () if document.get("ignore_eos") is True and guide is None else model.ends
    return tuple(
        Job(
            index=place * copies + number,
            prompt=prompt,
            limit=limit,
            sampling=sampling(document, model.defaults, model.vocabulary, number),
            ends=ends,
            hidden=hidden,
            before=_tail(model, prompt) if reads_on else (),
            stops=stops(document),
            likely=likely,
            guide=None if guide is None else guide.copy(),
        )
        for place, (prompt, limit) in enumerate(zip(prompts, limits, strict=True))
        for number in range(copies)
    )


def _tail(model: Model, prompt: list[int]) -> list[int]:
    """The prompt's last tokens, none where they end within a character."""
    tail = prompt[-_BEFORE:]
    text = model.loaded.tokenizer.backend_tokenizer.decode(tail, skip_special_tokens=True)
    return [] if text.endswith(BROKEN) else tail


def _limit(
    document: Document, names: Sequence[str], model: Model, prompts: Sequence[list[int]], param: str
) -> list[int]:
    """The most tokens of an answer to each prompt, as far as there is room. Raises BadRequest where there is none."""
    context = model.loaded.context
    name = next((name for name in names if document.get(name) is not None), None)
    wanted = None if name is None else document[name]
    if wanted is not None and wanted < 1:
        raise BadRequest(f"{name} must be at least 1", param=name)
    usual = model.defaults.said.get("max_new_tokens")
    found = []
    for prompt in prompts:
        if len(prompt) >= context:
            raise too_long(context, len(prompt), param)
        found.append(min(context - len(prompt), wanted or usual or context))
    return found


def _special(model: Model) -> dict[str, int]:
    """The tokens that stand for no text of their own, by what they are called."""
    tokenizer = model.loaded.tokenizer
    return dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)) | {
        added.content: number for number, added in tokenizer.added_tokens_decoder.items() if added.special
    }


# ── what the answer must be ─────────────────────────────────────────────────────────────────────────────────────────


def _schema(document: Document) -> str | None:
    """The grammar that response_format asks for. Raises BadRequest."""
    form = document.get("response_format")
    if not isinstance(form, Mapping) or form.get("type") == "text":
        return None
    holder = form if form.get("type") == "json_object" else form.get("json_schema") or {}
    schema = holder.get("schema")
    return json_schema(schema if isinstance(schema, Mapping) else {"type": "object"})


def _tools(document: Document) -> tuple[list[dict[str, Any]], bool]:
    """(the functions that the model is shown, whether it must call one). Raises BadRequest."""
    choice = document.get("tool_choice") or "auto"
    given = document.get("tools") or []
    if choice == "none" or not given:
        if choice not in ("none", "auto"):
            raise BadRequest("tool_choice asks for a tool, and there are no tools", param="tool_choice")
        return [], False
    for number, tool in enumerate(given):
        if tool.get("type") != "function":
            raise BadRequest(
                f"tools[{number}] is of type {tool.get('type')!r}; this model calls functions",
                code="unsupported_parameter",
                param="tools",
            )
    functions = [dict(tool["function"]) for tool in given]
    if isinstance(choice, str):
        return functions, choice == "required"
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, Mapping):
        names = [each.get("function", {}).get("name") for each in allowed.get("tools", ())]
        return _named(functions, names), allowed.get("mode") == "required"
    return _named(functions, [(choice.get("function") or {}).get("name")]), True


def _named(functions: list[dict[str, Any]], names: Sequence[object]) -> list[dict[str, Any]]:
    known = {function["name"]: function for function in functions}
    for name in names:
        if name not in known:
            raise unknown_tool(name)
    return [known[str(name)] for name in names]


def _refuse(document: Document, names: Sequence[str]) -> None:
    """Raises BadRequest for what would be passed over in silence."""
    for name in names:
        if document.get(name):
            raise unsupported(name)
    if "audio" in (document.get("modalities") or ()):
        raise unsupported("modalities")

"""Tools: how a model is shown them, how it writes its calls, and how these are read out of its text.

A model writes calls as it was trained to, which its chat template shows:

    hermes   <tool_call>{"name": …, "arguments": {…}}</tool_call>            Qwen, Hermes, SmolLM and others
    mistral  [TOOL_CALLS][{"name": …, "arguments": {…}}]                     and, later, [TOOL_CALLS]name[ARGS]{…}
    llama    {"name": …, "parameters": {…}}, perhaps after <|python_tag|>     Llama 3; and models that say nothing of it
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .constraints import inline

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a model writes calls. opening, closing: around each, "" where the text's end is the end. arguments: what the
    arguments are called.
    """

    name: str
    opening: str
    closing: str
    arguments: str


HERMES = Format(name="hermes", opening="<tool_call>", closing="</tool_call>", arguments="arguments")
MISTRAL = Format(name="mistral", opening="[TOOL_CALLS]", closing="", arguments="arguments")
LLAMA = Format(name="llama", opening="<|python_tag|>", closing="", arguments="parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as the model wrote it. arguments: JSON."""

    name: str
    arguments: str


def format_of(template: str) -> Format | None:
    """The format that a chat template shows, None where it knows no tools."""
    if "tools" not in template:
        return None
    return next((each for each in (HERMES, MISTRAL) if each.opening in template), LLAMA)


# ── constraining ────────────────────────────────────────────────────────────────────────────────────────────────────


def grammar(form: Format, tools: Sequence[Json], special: Mapping[str, int], *, several: bool) -> str:
    """A Lark grammar of one call or more of these function tools. special: tokens that stand for a whole text, such as
    the format's opening, where they are no plain text.
    """
    call = " | ".join(f"call_{number}" for number in range(len(tools)))
    lines = [f"call: {call}"]
    lines += [f"call_{number}: {inline(_schema(form, tool))}" for number, tool in enumerate(tools)]
    if form is MISTRAL:
        more = ' (", " call)*' if several else ""
        start = f'{_term(form.opening, special)} "[" call{more} "]"'
    elif form is HERMES:
        one = f'{_term(form.opening, special)} "\\n" call "\\n" {_term(form.closing, special)}'
        start = f'one ("\\n" one)*\none: {one}' if several else one
    else:
        start = 'call ("; " call)*' if several else "call"
    return "\n".join([f"start: {start}", *lines]) + "\n"


def _term(text: str, special: Mapping[str, int]) -> str:
    return f"<[{special[text]}]>" if text in special else json.dumps(text)


def _schema(form: Format, tool: Json) -> dict[str, object]:
    parameters = tool.get("parameters")
    wanted = parameters if isinstance(parameters, dict) and parameters else {"type": "object"}
    # References lead from the schema's own root, which is no longer the root here.
    moved = {key: wanted[key] for key in ("$defs", "definitions") if key in wanted}
    inner = {key: value for key, value in wanted.items() if key not in moved}
    return {
        "type": "object",
        "properties": {"name": {"const": tool["name"]}, form.arguments: inner},
        "required": ["name", form.arguments],
        "additionalProperties": False,
        **moved,
    }


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Reader:
    """Takes a model's text as it comes apart into what it says and what it calls."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._held = ""
        self._within = False
        self._said = False

    def feed(self, text: str) -> Iterator[str | Call]:
        """What is certain by now: texts and calls in order."""
        self._held += text
        while True:
            if self._within:
                if not self._form.closing or self._form.closing not in self._held:
                    return
                written, _, self._held = self._held.partition(self._form.closing)
                self._within = False
                yield from self._calls(written, around=True)
            elif self._form.opening in self._held:
                before, _, self._held = self._held.partition(self._form.opening)
                self._within = True
                yield from self._say(before)
            else:
                yield from self._say(self._free())
                return

    def finish(self) -> Iterator[str | Call]:
        """What is left at the end of the text."""
        rest, self._held = self._held, ""
        if self._within or (self._form is LLAMA and not self._said and rest.lstrip()[:1] == "{"):
            yield from self._calls(rest, around=self._within)
        else:
            yield from self._say(rest)

    def _free(self) -> str:
        """The part of what is held that is no beginning of a call."""
        if self._form is LLAMA and not self._said and self._held.lstrip()[:1] in ("{", ""):
            return ""
        opening = self._form.opening
        longest = min(len(self._held), len(opening) - 1)
        keep = next((size for size in range(longest, 0, -1) if self._held.endswith(opening[:size])), 0)
        free, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return free

    def _say(self, text: str) -> Iterator[str]:
        # The line ends around calls are no part of what is said.
        if text and (self._said or text.strip()):
            self._said = True
            yield text

    def _calls(self, written: str, *, around: bool) -> Iterator[str | Call]:
        calls = list(_read(written, self._form))
        if calls:
            yield from calls
        else:
            opening, closing = (self._form.opening, self._form.closing) if around else ("", "")
            yield from self._say(f"{opening}{written}{closing}")


_NAMED = re.compile(r"\s*([\w.-]+)\s*(?:\[CALL_ID\]\w*)?(?:\[ARGS\])?\s*(?=\{)")


def _read(written: str, form: Format) -> Iterator[Call]:
    """The calls of a text, none where it is not understood."""
    named = _NAMED.match(written) if form is MISTRAL else None
    if named is not None:
        arguments, _ = _json(written[named.end() :])
        if isinstance(arguments, dict):
            yield Call(name=named[1], arguments=json.dumps(arguments))
            following = written.partition(form.opening)[2]
            yield from _read(following, form) if following else ()
        return
    rest = written
    while rest.strip(" \n;,"):
        found, rest = _json(rest.strip(" \n;,"))
        for each in found if isinstance(found, list) else [found]:
            call = _call(each)
            if call is None:
                return
            yield call


def _json(text: str) -> tuple[object, str]:
    """(the JSON value at the beginning of a text, what follows it); (None, "") where there is none."""
    try:
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
    except ValueError:
        return None, ""
    return value, text.lstrip()[end:]


def _call(found: object) -> Call | None:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return None
    arguments = found.get("arguments", found.get("parameters", {}))
    if isinstance(arguments, str):
        return Call(name=found["name"], arguments=arguments)
    return Call(name=found["name"], arguments=json.dumps(arguments, ensure_ascii=False))

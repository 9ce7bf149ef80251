"""The rounds of a response: the model is asked, the tools that it calls are run, until it has answered."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ...runtime.errors import BadRequest
from . import outcomes
from .asked import Asked, handed_on
from .asking import ask
from .folding import Folding
from .guarding import violation
from .messages import Messages

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .desk import Desk
    from .draft import Draft
    from .history import History
    from .running import Runner
    from .toolbox import Toolbox

Item = dict[str, Any]
"""JSON."""

_STOPS = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why a model ended early, in the words of chat completions and in a response's."""

_JUDGED = ("message", "function_call", "custom_tool_call")


class Rounds:
    """streamed: whether the model's answers are told piece by piece; where shields judge them, they are told whole."""

    def __init__(
        self, desk: Desk, asked: Asked, draft: Draft, box: Toolbox, runner: Runner, ctx: Context, *, streamed: bool
    ) -> None:
        self._desk = desk
        self._asked = asked
        self._draft = draft
        self._box = box
        self._runner = runner
        self._ctx = ctx
        self._streamed = streamed and not asked.guardrails
        self._answer: Folding | None = None

    async def run(self, messages: Messages, past: History) -> AsyncGenerator[None, None]:
        """Stops where there is something to tell. messages: what the model is told; the answers are added. Raises
        StackError.
        """
        draft, runner = self._draft, self._runner
        tools, choice = self._box.first()
        for _ in range(self._asked.said.get("max_infer_iters") or self._desk.most_rounds):
            if (body := self._body(messages, tools, choice)) is None:
                draft.stop("max_output_tokens")
                return
            first, mark = len(draft.output), draft.script.mark()
            self._answer = self._folding(past)
            async with aclosing(self._ask(body, self._answer, messages)) as pieces:
                async for _piece in pieces:
                    # What shields are to judge is held until they have.
                    if not self._asked.guardrails:
                        yield
            said, self._answer = self._answer.end(), None
            if (refused := await self._judged(messages, first)) is not None:
                draft.script.back_to(mark)
                del draft.output[first:]
                draft.refuse(refused)
                return
            if said.finish in _STOPS:
                draft.stop(_STOPS[said.finish])
            calls = [each for each in said.calls if each.callee.runs_here]
            async with aclosing(runner.run(calls)) as steps:
                async for _step in steps:
                    yield
            # A call that somebody else has to make, or allow, ends the response.
            if draft.is_stopped or not calls or len(calls) < len(said.calls):
                return
            messages.add(draft.output[first:])
            tools, choice = self._box.tools, "none" if choice == "none" else "auto"
        draft.stop("max_iterations_exceeded")

    def give_up(self) -> None:
        """Closes what is open of an answer that broke off."""
        if self._answer is not None:
            calls = self._answer.end(cut=True).calls
            self._answer = None
            self._runner.running = [each for each in calls if each.callee.runs_here]
        self._runner.give_up()

    def _body(self, messages: Messages, tools: list[Item], choice: str | Item | None) -> Item | None:
        """What the model is asked; None where no tokens are left for an answer."""
        said = self._asked.said
        body = {**handed_on(self._asked), "messages": messages.done}
        if tools:
            body["tools"] = tools
            if choice is not None:
                body["tool_choice"] = choice
            if "parallel_tool_calls" in said:
                body["parallel_tool_calls"] = said["parallel_tool_calls"]
        if (most := said.get("max_output_tokens")) is not None:
            body["max_completion_tokens"] = most - self._draft.tokens.output
            if body["max_completion_tokens"] <= 0:
                return None
        return body

    async def _ask(self, body: Item, answer: Folding, messages: Messages) -> AsyncGenerator[None, None]:
        """Asks the model; with `truncation` again with less, where it was too much."""
        while True:
            question = ask(self._desk.inference, body, answer, self._draft.tokens, self._ctx, streamed=self._streamed)
            try:
                async with aclosing(question) as pieces:
                    async for _ in pieces:
                        yield
                return
            except BadRequest as error:
                # The body has these messages themselves.
                if not (self._asked.said.get("truncation") == "auto" and _is_too_long(error) and messages.shorten()):
                    raise

    def _folding(self, past: History) -> Folding:
        draft = self._draft
        citations = outcomes.files_of([*past.before, *past.own, *draft.output]) if self._box.files else None
        return Folding(
            draft.script, draft.output, draft.ids, self._box.callees, citations=citations, logprobs=self._asked.logprobs
        )

    async def _judged(self, messages: Messages, first: int) -> str | None:
        """What a shield says against the items from the first on."""
        if not self._asked.guardrails:
            return None
        said = Messages({})
        said.add(each for each in self._draft.output[first:] if each["type"] in _JUDGED)
        if not said.done:
            return None
        return await violation(self._asked.guardrails, [*messages.done, *said.done], self._desk.safety, self._ctx)


def _is_too_long(error: BadRequest) -> bool:
    """Whether the conversation is longer than the model reads. Services that have no code for it say so."""
    return error.code == "context_length_exceeded" or "context length" in error.message.lower()

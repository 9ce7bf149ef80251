"""One turn: the model is called, and tools are run, until there is an answer.

    turn_start
      shield_call                     what was said is judged; a violation ends the turn
      inference                       ┐ until the model calls no tool, or has been called often enough;
      tool_execution, one a call      ┘ a call of a client's tool has the turn wait for it
      shield_call                     the answer is judged
    turn_complete | turn_awaiting_input

What happens comes as the payloads of events; the turn itself is filled in on the way. Closing the generator cancels
what is under way.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from pydantic_core import from_json

from ...contracts.agents.requests import AgentToolMessage
from ...contracts.agents.responses import (
    AgentInferenceStep,
    AgentMemoryRetrievalStep,
    AgentShieldCallStep,
    AgentStepComplete,
    AgentStepProgress,
    AgentStepStart,
    AgentToolCallDelta,
    AgentToolExecutionStep,
    AgentTurnAwaitingInput,
    AgentTurnComplete,
    AgentTurnStart,
)
from ...contracts.inference.requests import CreateChatCompletionRequest
from ...runtime.errors import UpstreamError
from ...runtime.http_request import validate
from ...runtime.ids import new_id
from ...runtime.reply import Events
from ...runtime.sse import data, events
from .answers import BLOCKED, blocked, said_of, without_calls
from .asking import DEFAULT_ITERATIONS, ToolUse, account, instructions_of, request_body, within
from .folding import Folder
from .messages import Message, chat_of
from .shielding import judged, shown

if TYPE_CHECKING:
    from ...contracts.agents.requests import AgentToolResponse
    from ...contracts.agents.responses import AgentStep, AgentToolCall, AgentTurn
    from ...contracts.inference import Chat
    from ...contracts.safety import Shielding
    from ...contracts.shared.agent_config import AgentConfig
    from ...runtime.context import Context
    from .toolbox import Toolbox

Payload: TypeAlias = (
    AgentStepStart | AgentStepProgress | AgentStepComplete | AgentTurnStart | AgentTurnComplete | AgentTurnAwaitingInput
)


@dataclass(frozen=True, slots=True)
class Turning:
    """history: the session's turns before this one. turn: this one, as far as it is."""

    agent: AgentConfig
    use: ToolUse
    toolbox: Toolbox
    history: Sequence[AgentTurn]
    turn: AgentTurn
    inference: Chat
    safety: Shielding | None
    ctx: Context

    async def begin(self) -> AsyncGenerator[Payload, None]:
        """A new turn, to its end or until it waits for the client."""
        self._chat()
        yield AgentTurnStart(event_type="turn_start", turn_id=self.turn.turn_id)
        async with aclosing(self._work(shown(self.turn.input_messages))) as happening:
            async for payload in happening:
                yield payload

    async def resume(self, answers: Sequence[AgentToolResponse]) -> AsyncGenerator[Payload, None]:
        """The rest of a turn that has waited for these answers."""
        step = AgentToolExecutionStep(
            step_type="tool_execution",
            turn_id=self.turn.turn_id,
            step_id=new_id("step"),
            completed_at=now(),
            tool_calls=list(self.turn.output_message.tool_calls or ()),
            tool_responses=list(answers),
        )
        yield self._done(step)
        said = [AgentToolMessage(role="tool", call_id=each.call_id, content=each.content) for each in answers]
        async with aclosing(self._work(shown([*self.turn.input_messages, *said]))) as happening:
            async for payload in happening:
                yield payload

    async def _work(self, said: Sequence[Message]) -> AsyncGenerator[Payload, None]:
        async with aclosing(self._judge(self.agent.input_shields or (), "user-input", said)) as happening:
            async for payload in happening:
                yield payload
        while not blocked(self.turn):
            async with aclosing(self._infer()) as happening:
                async for payload in happening:
                    yield payload
            answer = self.turn.output_message
            calls = answer.tool_calls or []
            if not calls or answer.stop_reason == "out_of_tokens" or self._iterations() >= self._most():
                self.turn.output_message = without_calls(answer)
                break
            theirs = [each for each in calls if self.toolbox.of_client(each)]
            for call in calls:
                if call not in theirs:
                    async with aclosing(self._execute(call)) as happening:
                        async for payload in happening:
                            yield payload
            if theirs:
                self.turn.output_message = answer.model_copy(update={"tool_calls": theirs})
                yield AgentTurnAwaitingInput(event_type="turn_awaiting_input", turn=self.turn)
                return
        if not blocked(self.turn):
            last: Message = {"role": "assistant", "content": self.turn.output_message.content}
            shields = self.agent.output_shields or ()
            async with aclosing(self._judge(shields, "assistant-output", [*said, last])) as happening:
                async for payload in happening:
                    yield payload
        self.turn.completed_at = now()
        yield AgentTurnComplete(event_type="turn_complete", turn=self.turn)

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _judge(
        self, shields: Sequence[str], touchpoint: str, messages: Sequence[Message]
    ) -> AsyncGenerator[Payload, None]:
        """What does not pass has an answer of the shield's."""
        if not shields:
            return
        step = AgentShieldCallStep(
            step_type="shield_call", turn_id=self.turn.turn_id, step_id=new_id("step"), started_at=now()
        )
        yield AgentStepStart(
            event_type="step_start",
            step_type="shield_call",
            step_id=step.step_id,
            metadata={"touchpoint": touchpoint},
        )
        step.violation = await judged(self.safety, shields, messages, self.ctx)
        if step.violation is not None and step.violation.violation_level == "error":
            self.turn.output_message = said_of(step.violation.user_message or BLOCKED)
        yield self._done(step)

    async def _infer(self) -> AsyncGenerator[Payload, None]:
        """The model's answer, which is the turn's output from then on. Its step begins once the model has begun."""
        started, step_id = now(), new_id("step")
        tools = self.toolbox.shown()
        body = request_body(self.agent, self.use, self._chat(), tools, first=self._iterations() == 0)
        inner = within(self.ctx, body)
        reply = await self.inference.create_chat_completion(validate(CreateChatCompletionRequest, body), inner)
        if not isinstance(reply, Events):
            raise UpstreamError("one whole answer came though a stream was asked for", code="upstream_invalid_answer")
        folder = Folder()
        try:
            yield AgentStepStart(event_type="step_start", step_type="inference", step_id=step_id)
            async for block in reply:
                for each in events(block):
                    if (said := data(each)) is not None:
                        for delta in folder.take(from_json(said)):
                            yield AgentStepProgress(
                                event_type="step_progress", step_type="inference", step_id=step_id, delta=delta
                            )
        finally:
            await reply.aclose()
            account(self.ctx, inner)
        rest, message = folder.finish()
        for delta in rest:
            yield AgentStepProgress(event_type="step_progress", step_type="inference", step_id=step_id, delta=delta)
        self.turn.output_message = message
        yield self._done(
            AgentInferenceStep(
                step_type="inference",
                turn_id=self.turn.turn_id,
                step_id=step_id,
                started_at=started,
                model_response=message,
            )
        )

    async def _execute(self, call: AgentToolCall) -> AsyncGenerator[Payload, None]:
        """A tool of the server."""
        step = AgentToolExecutionStep(
            step_type="tool_execution",
            turn_id=self.turn.turn_id,
            step_id=new_id("step"),
            started_at=now(),
            tool_calls=[call],
            tool_responses=[],
        )
        yield AgentStepStart(event_type="step_start", step_type="tool_execution", step_id=step.step_id)
        yield AgentStepProgress(
            event_type="step_progress",
            step_type="tool_execution",
            step_id=step.step_id,
            delta=AgentToolCallDelta(type="tool_call", tool_call=call, parse_status="in_progress"),
        )
        answer = await self.toolbox.run(call, self.ctx)
        step.tool_responses = [answer]
        yield self._done(step)
        if (stores := self.toolbox.stores_of(call)) is not None:
            retrieved = AgentMemoryRetrievalStep(
                step_type="memory_retrieval",
                turn_id=self.turn.turn_id,
                step_id=new_id("step"),
                started_at=step.started_at,
                vector_db_ids=stores,
                inserted_context=answer.content,
            )
            yield AgentStepStart(event_type="step_start", step_type="memory_retrieval", step_id=retrieved.step_id)
            yield self._done(retrieved)

    # ── small words ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _chat(self) -> list[Message]:
        instructions = instructions_of(self.agent, self.use, self.toolbox.shown())
        return chat_of(instructions, [*self.history, self.turn])

    def _done(self, step: AgentStep) -> AgentStepComplete:
        """The step is part of the turn now."""
        step.completed_at = now()
        self.turn.steps.append(step)
        return AgentStepComplete(
            event_type="step_complete", step_type=step.step_type, step_id=step.step_id, step_details=step
        )

    def _iterations(self) -> int:
        return sum(isinstance(each, AgentInferenceStep) for each in self.turn.steps)

    def _most(self) -> int:
        return self.agent.max_infer_iters or DEFAULT_ITERATIONS


def now() -> datetime:
    return datetime.now(UTC)

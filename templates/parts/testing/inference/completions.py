"""Texts that are continued, whole and streamed."""

from __future__ import annotations

from typing import ClassVar, Protocol, TypeVar

from ...contracts.inference import Completions
from ...contracts.inference.requests import CreateCompletionRequest
from ...contracts.inference.responses import CreateCompletionResponse
from ...runtime.models import ModelType
from ...runtime.reply import Answer, Events
from ..suite import Served
from .asking import Body, accounted, asked, read
from .listing import InferenceSuite


class ServesCompletions(Completions, Served, Protocol):
    """Completions, with what belongs to every provider."""


L = TypeVar("L", bound=ServesCompletions)


class CompletionsSuite(InferenceSuite[L]):
    """completion_model: its name at the provider. completion_body: as for chat."""

    completion_model: ClassVar[str]
    completion_body: ClassVar[Body] = {"prompt": "One, two, three,", "max_tokens": 16}

    def models(self) -> dict[str, ModelType]:
        return {**super().models(), self.completion_model: "llm"}

    def test_a_text_is_continued(self) -> None:
        async def test(provider: L) -> None:
            request, ctx = asked(CreateCompletionRequest, self.completion_model, self.completion_body)
            answer = await provider.create_completion(request, ctx)
            assert isinstance(answer, Answer), "without `stream` an answer is whole"
            said = answer.parse(CreateCompletionResponse)
            assert said.choices, "an answer has a choice"
            if said.usage is not None:
                accounted(ctx.usage, said.usage.prompt_tokens, said.usage.completion_tokens)

        self.run(test)

    def test_a_text_is_continued_as_a_stream(self) -> None:
        async def test(provider: L) -> None:
            body = {**self.completion_body, "stream": True}
            request, ctx = asked(CreateCompletionRequest, self.completion_model, body)
            events = await provider.create_completion(request, ctx)
            assert isinstance(events, Events), "with `stream` an answer is a stream"
            said = [CreateCompletionResponse.model_validate_json(each) for each in await read(events)]
            assert any(choice.finish_reason for each in said for choice in each.choices), "a stream says why it ends"

        self.run(test)

"""Responses that are answered by events. That these are in order, `Folded` asserts of each stream."""

from __future__ import annotations

from ...contracts.responses import Responses
from ..suite import refused
from .asking import CALL_IT, AskingSuite, text_of


class StreamingSuite(AskingSuite):
    """What comes, and when."""

    def test_a_text_comes_in_pieces(self) -> None:
        async def test(provider: Responses) -> None:
            folded = await self.asking(provider).stream()
            assert folded.types[-1] == "response.completed"
            assert "response.output_text.delta" in folded.types
            assert folded.response["status"] == "completed"
            assert text_of(folded.response)

        self.run(test)

    def test_a_call_comes_in_pieces(self) -> None:
        async def test(provider: Responses) -> None:
            folded = await self.asking(provider).stream("How is the weather in Lisbon?", **CALL_IT)
            assert folded.response["output"][-1]["type"] == "function_call"
            assert "response.function_call_arguments.delta" in folded.types

        self.run(test)

    def test_what_a_stream_has_said_is_kept(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider)
            folded = await asking.stream()
            assert await asking.get(folded.response["id"]) == folded.response

        self.run(test)

    def test_what_cannot_be_asked_is_refused_before_the_first_event(self) -> None:
        async def test(provider: Responses) -> None:
            call = self.asking(provider).stream("Hi", previous_response_id=f"resp_{'0' * 48}")
            assert (await refused(call)).status == 404

        self.run(test)

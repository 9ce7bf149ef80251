"""Responses that are answered whole."""

from __future__ import annotations

from ...contracts.responses import Responses
from ..suite import refused
from .asking import CALL_IT, FUNCTION, AskingSuite, text_of


class AnsweringSuite(AskingSuite):
    """What comes of a request."""

    def test_a_text_is_answered(self) -> None:
        async def test(provider: Responses) -> None:
            response = await self.asking(provider).create("Say hello.", metadata={"topic": "tea"})
            assert (response["object"], response["status"], response["error"]) == ("response", "completed", None)
            assert response["model"] == self.model
            assert response["metadata"] == {"topic": "tea"}
            assert text_of(response)
            message = response["output"][-1]
            assert (message["type"], message["role"], message["status"]) == ("message", "assistant", "completed")
            usage = response["usage"]
            assert usage is None or usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]

        self.run(test)

    def test_what_was_asked_is_repeated(self) -> None:
        async def test(provider: Responses) -> None:
            said = {"instructions": "Be brief.", "temperature": 0.5, "tools": [FUNCTION], "max_output_tokens": 100}
            response = await self.asking(provider).create("Say hello.", **said)
            assert {key: response[key] for key in said} == said
            assert response["tool_choice"] == "auto"
            assert response["parallel_tool_calls"] is True

        self.run(test)

    def test_items_are_answered(self) -> None:
        async def test(provider: Responses) -> None:
            items = [
                {"role": "developer", "content": "Be brief."},
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello."}]},
            ]
            asking = self.asking(provider)
            response = await asking.create(items)
            assert text_of(response)
            answered = (await asking.inputs(response["id"], order="asc"))["data"]
            assert [each["role"] for each in answered] == ["developer", "user"]

        self.run(test)

    def test_a_function_is_called_by_the_application(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider)
            response = await asking.create("How is the weather in Lisbon?", **CALL_IT)
            call = response["output"][-1]
            assert call["type"] == "function_call"
            assert (call["name"], call["status"]) == ("weather", "completed")
            assert call["call_id"]
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
            answer = await asking.create([output], previous_response_id=response["id"], tools=[FUNCTION])
            assert answer["status"] == "completed"
            assert answer["previous_response_id"] == response["id"]

        self.run(test)

    def test_an_output_of_no_call_is_refused(self) -> None:
        async def test(provider: Responses) -> None:
            output = {"type": "function_call_output", "call_id": "call_nobody", "output": "sunny"}
            assert (await refused(self.asking(provider).create([output]))).status == 400

        self.run(test)

    def test_a_response_before_and_a_conversation_are_not_both(self) -> None:
        async def test(provider: Responses) -> None:
            call = self.asking(provider).create("Hi", previous_response_id="resp_1", conversation="conv_1")
            assert (await refused(call)).status == 400

        self.run(test)

    def test_nothing_to_answer_is_refused(self) -> None:
        async def test(provider: Responses) -> None:
            asking = self.asking(provider)
            for call in (asking.create(None), asking.create([])):
                assert (await refused(call)).status == 400

        self.run(test)

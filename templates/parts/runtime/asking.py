"""What a part asks of the server's own inference, as whoever asked the part.

text = await chat_text(inference, "openai/gpt-5", "Say hello.", ctx)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import to_json

from ..contracts.inference.requests import CreateChatCompletionRequest
from ..contracts.inference.responses import CreateChatCompletionResponse
from .context import Context
from .errors import UpstreamError
from .reply import Answer

if TYPE_CHECKING:
    from ..contracts.inference import Inference


def on_behalf(ctx: Context, body: bytes) -> Context:
    """The context of a request within a request: the caller's credentials and account, and a body of its own, which a
    service is sent as it is.
    """
    return Context(
        request_id=ctx.request_id,
        body=body,
        provider_data=ctx.provider_data,
        principal=ctx.principal,
        attributes=ctx.attributes,
        trace=ctx.trace,
        usage=ctx.usage,
    )


async def chat_text(inference: Inference, model: str, prompt: str, ctx: Context, **options: object) -> str:
    """What a model says to a prompt, without blanks around it. options: further values of the request. Raises
    StackError, UpstreamError where it says nothing.
    """
    messages = [{"role": "user", "content": prompt}]
    body = to_json({"model": model, "messages": messages, "stream": False, **options})
    request = CreateChatCompletionRequest.model_validate_json(body)
    answer = await inference.create_chat_completion(request, on_behalf(ctx, body))
    if isinstance(answer, Answer):
        for choice in answer.parse(CreateChatCompletionResponse).choices:
            if choice.message.content and choice.message.content.strip():
                return choice.message.content.strip()
    raise UpstreamError(f"the model {model[:200]!r} said nothing", code="upstream_invalid_answer")

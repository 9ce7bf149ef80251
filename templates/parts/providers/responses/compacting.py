"""A conversation made short: a model sums it up, and the summary stands for it from then on.

The client gets the summary as the content of a `compaction`, which is to be opaque to it: base64 behind a mark of ours.
It is no secret, as it says what the client's own conversation said.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from ...contracts.responses.responses import CompactedResponse
from ...runtime.errors import BadRequest, UpstreamError
from ...runtime.ids import new_id
from .asked import asked_of
from .asking import Tokens, ask
from .attachments import attached
from .folding import Folding
from .history import history
from .ids import Ids
from .messages import SUMMARY_MARK, Messages
from .script import Script

if TYPE_CHECKING:
    from ...contracts.responses.requests import CompactResponseRequest
    from ...runtime.context import Context
    from .desk import Desk

Item = dict[str, Any]
"""JSON."""

_SUM_UP = (
    "The conversation up to here will be replaced by what you write now. Sum it up for whoever goes on with it: what "
    "the user wants and prefers, what was found out and decided, names, numbers and references that are needed again, "
    "and what remains to be done. Write only the summary."
)


async def compacted(request: CompactResponseRequest, desk: Desk, ctx: Context) -> CompactedResponse:
    """Raises StackError."""
    said: Item = request.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not said.get("input") and "previous_response_id" not in said:
        raise BadRequest("input is missing; expected a conversation", code="missing_input", param="input")
    response_id = new_id("resp")
    ids = Ids(response_id)
    past = await history(asked_of(said), ids, desk.store, desk.conversations, ctx)
    items = [*past.before, *past.own]
    messages = Messages(await attached(items, desk.files, ctx))
    if "instructions" in said:
        messages.instruct(said["instructions"])
    messages.add(items)
    body: Item = {"model": said["model"], "messages": [*messages.done, {"role": "user", "content": _SUM_UP}]}
    if "prompt_cache_key" in said:
        body["prompt_cache_key"] = said["prompt_cache_key"]
    tokens, output = Tokens(), list[Item]()
    folding = Folding(Script(told=False), output, ids, {})
    async for _ in ask(desk.inference, body, folding, tokens, ctx, streamed=False):
        pass
    folding.end()
    spoken = (part for each in output if each["type"] == "message" for part in each["content"])
    summary = "".join(part.get("text", "") for part in spoken)
    if not summary.strip():
        raise UpstreamError("the model did not sum the conversation up", code="upstream_invalid_answer")
    content = SUMMARY_MARK + base64.urlsafe_b64encode(summary.encode()).decode()
    shown = {
        "id": response_id,
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [{"type": "compaction", "id": ids("cmp"), "encrypted_content": content}],
        "usage": tokens.shown() or Tokens(known=True).shown(),
    }
    return CompactedResponse.model_validate(shown)

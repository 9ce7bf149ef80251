"""A response in the making: what there is of it, and what is told of it."""

from __future__ import annotations

import copy
import time
from typing import Any

from ...runtime.errors import BadRequest, RateLimited, StackError
from ..conversations.items import shown
from .asked import Asked, begun
from .asking import Tokens
from .calling import Call
from .folding import Folding
from .ids import Ids
from .script import Script

Item = dict[str, Any]
"""JSON."""


class Draft:
    """response: as it is by now; what was begun earlier, or a new one. output: its items. ids: names them. tokens: what
    was used. script: what is told.
    """

    def __init__(self, asked: Asked, *, told: bool, response: Item | None = None) -> None:
        self._include = asked.include
        self.response = response or begun(asked)
        self.output: list[Item] = self.response["output"]
        self.ids = Ids(self.response["id"])
        self.tokens = Tokens()
        self.script = Script(told=told)

    def begin(self) -> None:
        """Its first events."""
        self.script.say("response.created", response=self.response)
        self.script.say("response.in_progress", response=self.response)

    def shown(self) -> Item:
        """The response as its client sees it."""
        return {**self.response, "output": [self._seen(each) for each in self.output]}

    def refuse(self, said: str) -> None:
        """Adds a refusal."""
        refusal = Folding(self.script, self.output, self.ids, {})
        refusal.take({"choices": [{"delta": {"refusal": said}}]})
        refusal.end()

    def end_call(self, call: Call) -> None:
        """The last events of a call that ran here."""
        is_mcp = call.item["type"] == "mcp_call"
        call.tell("failed" if is_mcp and call.item["status"] != "completed" else "completed")
        self.script.say("response.output_item.done", output_index=call.place, item=self._seen(call.item))

    # ── how it ends ─────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_stopped(self) -> bool:
        """Whether it ends early."""
        return self.response["incomplete_details"] is not None

    def stop(self, reason: str) -> None:
        self.response["incomplete_details"] = {"reason": reason}

    def end(self) -> None:
        """Nothing more comes."""
        response = self.response
        response["usage"] = self.tokens.shown()
        response["status"] = "incomplete" if self.is_stopped else "completed"
        response["completed_at"] = None if self.is_stopped else int(time.time())

    def tell_end(self) -> None:
        """Its last event."""
        self.script.say(f"response.{self.response['status']}", response=self.shown())

    def fail(self, error: StackError) -> None:
        """Ends it, and says why."""
        self.response |= {"status": "failed", "usage": self.tokens.shown(), "completed_at": None}
        self.response["error"] = {"code": _code(error), "message": error.message}
        self.tell_end()

    def _seen(self, item: Item) -> Item:
        return shown(copy.deepcopy(item), self._include)


def _code(error: StackError) -> str:
    """In OpenAI's words."""
    if isinstance(error, RateLimited):
        return "rate_limit_exceeded"
    return "invalid_prompt" if isinstance(error, BadRequest) else "server_error"

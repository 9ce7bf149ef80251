"""What a service that behaves answers, and how the tests read what is relayed of it."""

from __future__ import annotations

import json

from parts.runtime.reply import Events

ANSWER = {
    "id": "c1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    "unknown": {"field": 1},
}
VECTORS = {"data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 4, "total_tokens": 4}}


async def collect(events: object, *, into: list[bytes] | None = None, poured: bool = True) -> bytes:
    """What is relayed, to its end; into: gets it also if there is no good end. poured: as the HTTP layer does it, which
    waits for the first block alone; else each is waited for.
    """
    assert isinstance(events, Events)
    blocks: list[bytes] = [] if into is None else into
    if poured:
        async for block in events:
            blocks.append(block)
            break
        await events.pour(blocks.append)
    async for block in events:
        blocks.append(block)
    return b"".join(blocks)


def contents(relayed: bytes) -> list[object]:
    return [json.loads(event[6:]) for event in relayed.split(b"\n\n") if event]

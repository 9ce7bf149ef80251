"""What it costs to validate the body of a chat request: straight from its bytes, and parsed first.

    python tests/bench/validating.py

Microseconds, the least of several repeats, of a conversation of 2 and of 50 messages.
"""

from __future__ import annotations

import json
import sys
import timeit
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic_core import from_json, to_json

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "templates"))

from parts.contracts.inference.requests import CreateChatCompletionRequest as Request

CALLS, REPEATS = 2000, 9


def ways(body: bytes) -> Mapping[str, Callable[[], object]]:
    return {
        "from its bytes": lambda: Request.model_validate_json(body, strict=True),
        "parsed by pydantic_core": lambda: Request.model_validate(from_json(body)),
        "parsed by json": lambda: Request.model_validate(json.loads(body)),
    }


def main() -> None:
    text = "What is the capital of France? " * 10
    for count in (2, 50):
        messages = [{"role": "user" if number % 2 else "system", "content": text} for number in range(count)]
        body = to_json({"model": "openai/mock", "messages": messages, "temperature": 0.2, "stream": True})
        for name, way in ways(body).items():
            way()
            least = min(timeit.repeat(way, number=CALLS, repeat=REPEATS)) / CALLS * 1e6
            sys.stdout.write(f"{len(body):6} bytes, {name:24}{least:6.1f}\n")


if __name__ == "__main__":
    main()

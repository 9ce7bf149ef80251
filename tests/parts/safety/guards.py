"""Fakes of the services behind the providers of safety, at the socket: each finds that a text speaks of a bomb."""

from __future__ import annotations

import asyncio
import re

from upstreams import Seen, answers, refuses

BOMB = re.compile("bomb", re.IGNORECASE)


def last_turn(prompt: str) -> str:
    """What the question to a guard model quotes last."""
    talk = prompt.partition("<BEGIN CONVERSATION>")[2].partition("<END CONVERSATION>")[0]
    return re.split(r"\n\n(?:User|Agent): ", talk)[-1]


def completion(text: str | None) -> dict[str, object]:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "guard", "choices": [choice], "usage": usage}


async def guard_model(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of a service with Llama Guard."""
    if seen.method == "GET":
        return await answers({"object": "list", "data": [{"id": "guard"}]})(seen, writer)
    content = seen.json["messages"][0]["content"]  # type: ignore[index]
    text = content if isinstance(content, str) else content[-1]["text"]
    said = "\n\nunsafe\nS9" if BOMB.search(last_turn(text)) else "\n\nsafe"
    return await answers(completion(said))(seen, writer)


async def nemo(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of NeMo Guardrails, whose answers have the form that NVIDIA documents."""
    if seen.path != "/v1/v1/guardrail/checks":
        return await refuses(404)(seen, writer)
    blocked = any(BOMB.search(message["content"]) for message in seen.json["messages"])  # type: ignore[attr-defined]
    status = "blocked" if blocked else "success"
    rails = {"self check input": {"status": status}}
    body = {"status": status, "rails_status": rails, "guardrails_data": {"log": {"activated_rails": []}}}
    return await answers(body)(seen, writer)


async def moderations(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of OpenAI's moderations."""
    said = seen.json["input"]
    inputs = [said] if isinstance(said, str) or isinstance(said[0], dict) else said  # type: ignore[index]
    return await answers({"id": "m", "model": "x", "results": [result(str(each)) for each in inputs]})(seen, writer)  # type: ignore[union-attr]


def result(text: str) -> dict[str, object]:
    found = BOMB.search(text) is not None
    return {
        "flagged": found,
        "categories": {"violence": found, "hate": False, "illicit": None},
        "category_scores": {"violence": 0.9 if found else 0.1, "hate": 0.01},
        "category_applied_input_types": {"violence": ["text"], "hate": ["text"]},
    }


async def guardrail(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of Bedrock's ApplyGuardrail."""
    texts = [block["text"]["text"] for block in seen.json["content"] if "text" in block]  # type: ignore[attr-defined]
    if not any(BOMB.search(text) for text in texts):
        return await answers({"action": "NONE", "outputs": [], "assessments": [{}]})(seen, writer)
    filters = [
        {"type": "VIOLENCE", "confidence": "HIGH", "action": "BLOCKED"},
        {"type": "HATE", "confidence": "NONE", "action": "NONE"},
    ]
    body = {
        "action": "GUARDRAIL_INTERVENED",
        "outputs": [{"text": "Let us speak of something else."}],
        "assessments": [{"contentPolicy": {"filters": filters}}],
    }
    return await answers(body)(seen, writer)

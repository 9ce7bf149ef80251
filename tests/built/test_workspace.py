"""A user's own specs, from an empty folder: a provider, its part and a distribution beside the bundled ones."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, stackgen

pytestmark = pytest.mark.slow

FILES = {
    "providers/inference/parrot.yaml": """\
type: inline::parrot
api: inference
summary: Says again what it is told.
part: providers/inference/parrot.py
open: open_parrot
capabilities: [chat]
config:
  properties:
    volume: {type: integer, minimum: 1, maximum: 11, default: 5, description: How loud.}
""",
    "distributions/mine.yaml": """\
name: mine
summary: A parrot.
apis: [inference, models, inspect, providers]
providers:
  inference:
    - {id: polly, type: inline::parrot, config: {volume: "${env.VOLUME:=7}"}}
""",
    "parts/providers/inference/parrot.py": '''\
"""A provider that says again what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.inference.responses import CreateChatCompletionResponse
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateChatCompletionRequest
    from ...runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class ParrotConfig:
    volume: int


class Parrot:
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False
    lists_all = True

    def __init__(self, config: ParrotConfig) -> None:
        self._volume = config.volume

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse]:
        message = {"role": "assistant", "content": f"{self._volume}: {request.messages[-1].content}", "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": request.model, "choices": [choice]}
        return Answer.of(CreateChatCompletionResponse.model_validate(answer))

    async def list_models(self) -> list[ProviderModel]:
        return [ProviderModel(id="grey", model_type="llm")]

    async def health(self) -> Health:
        return Health(status="OK")


@asynccontextmanager
async def open_parrot(config: ParrotConfig) -> AsyncIterator[Parrot]:
    yield Parrot(config)
''',
}


@pytest.fixture
def mine(tmp_path: Path) -> Built:
    for path, text in FILES.items():
        (tmp_path / "specs" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "specs" / path).write_text(text)
    done = stackgen("build", "mine", "--specs", "specs", "--out", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return Built("mine", tmp_path / "mine", environment_for(tmp_path / "mine", CACHE / "envs", lambda _: None))


def test_a_provider_of_ones_own_is_served(mine: Built) -> None:
    body = {"model": "polly/grey", "messages": [{"role": "user", "content": "hello"}]}
    with mine.serve({"VOLUME": "9"}) as server:
        request = urllib.request.Request(
            f"{server.url}/v1/chat/completions",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "9: hello"

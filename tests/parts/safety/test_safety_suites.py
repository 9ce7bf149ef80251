"""Every provider of safety before the suite that third parties prove theirs with (`stackgen_api.testing.safety`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from opened import KEY, REMOTE, opened
from parts.contracts.safety import Safety
from parts.providers.safety.code_scanner import CodeScanner, CodeScannerConfig, open_code_scanner
from parts.testing.safety import BrokenSafetySuite, SafetySuite
from upstreams import Script, answers, breaks_off, drops, fake_upstream, refuses, shows_html, talks_nonsense


class OfRemote(SafetySuite):
    name = ""

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Safety]:
        async with fake_upstream(REMOTE[self.name]) as fake, opened(self.name, fake.url) as provider:
            yield provider


class TestLlamaGuard(OfRemote):
    name = "llama-guard"


class TestSambaNova(OfRemote):
    name = "sambanova"


class TestNvidia(OfRemote):
    name = "nvidia"


class TestPassthrough(OfRemote):
    name = "passthrough"


class TestBedrock(OfRemote):
    name = "bedrock"


class TestCodeScanner(SafetySuite):
    harmless = "def add(a, b):\n    return a + b"
    harmful = "```python\nimport os\nos.system(input())\n```"

    def opens(self) -> AbstractAsyncContextManager[CodeScanner]:
        return open_code_scanner(CodeScannerConfig())


BAD_LUCK: dict[str, Script] = {
    "refuses": refuses(500),
    "refuses the key": refuses(401, f"the key {KEY} is not known"),
    "is overloaded": refuses(503),
    "shows a page": shows_html(),
    "answers a list": answers([]),
    "answers nothing": answers({}),
    "answers null": answers({"status": None, "action": None, "results": None, "choices": None}),
    "answers too few": answers({"results": [], "choices": []}),
    "answers words": answers({"status": "fine", "action": "PASS", "results": [{}], "choices": [{"message": {}}]}),
    "says neither": answers(
        {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "I think so."}}]}
    ),
    "drops": drops,
    "breaks off": breaks_off,
    "talks nonsense": talks_nonsense,
}


@pytest.mark.parametrize("luck", BAD_LUCK)
@pytest.mark.parametrize("name", REMOTE)
@pytest.mark.parametrize("test", ["test_no_shield_passes", "test_no_moderation_passes"])
def test_nothing_passes_whatever_the_guard_does(test: str, name: str, luck: str) -> None:
    class Broken(BrokenSafetySuite):
        secret = KEY

        @asynccontextmanager
        async def opens(self) -> AsyncIterator[Safety]:
            async with fake_upstream(BAD_LUCK[luck]) as fake, opened(name, fake.url) as provider:
                yield provider

    getattr(Broken(), test)()

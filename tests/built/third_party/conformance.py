"""What a third party writes to prove its provider; pytest runs it where there is nothing but stackgen-api."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from acme_stack import MODEL, Acme, AcmeConfig, open_acme
from stackgen_api.runtime.secret import Secret
from stackgen_api.testing.inference import BrokenChatSuite, ChatSuite


class TestAcme(ChatSuite[Acme]):
    chat_model = MODEL

    def opens(self) -> AbstractAsyncContextManager[Acme]:
        return open_acme(AcmeConfig(api_key=Secret("key"), volume=5), instance="acme")


class TestAcmeWithoutAKey(BrokenChatSuite[Acme]):
    secret = "broken"

    def opens(self) -> AbstractAsyncContextManager[Acme]:
        return open_acme(AcmeConfig(api_key=Secret("broken"), volume=5), instance="acme")

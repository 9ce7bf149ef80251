"""What every provider of the conversations API does.

    class TestAcme(ConversationsSuite):
        def opens(self):
            return open_acme(AcmeConfig(…), instance="acme")

A server that keeps conversations may have others already: each test makes its own.
"""

from .callers import CallersSuite
from .items import ItemsSuite
from .keeping import KeepingSuite
from .paging import PagingSuite


class ConversationsSuite(KeepingSuite, ItemsSuite, PagingSuite, CallersSuite):
    """All of it."""


__all__ = ["ConversationsSuite"]

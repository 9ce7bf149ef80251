"""What every provider of the agents API does, over a model, tools and shields of the suite's own.

    class TestAcme(AgentsSuite):
        def opens_over(self, server):
            return open_acme(AcmeConfig(…), inference=server.model, safety=server.guard, tool_runtime=server.tools)

A server that keeps agents may have others already: each test makes its own.
"""

from .keeping import KeepingSuite
from .server import FakeServer
from .shields import ShieldsSuite
from .tools import ToolsSuite
from .turns import TurnsSuite


class AgentsSuite(KeepingSuite, TurnsSuite, ToolsSuite, ShieldsSuite):
    """All of it."""


__all__ = ["AgentsSuite", "FakeServer"]

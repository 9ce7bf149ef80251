"""What every provider of the prompts API does.

    class TestAcme(PromptsSuite):
        def opens(self):
            return open_acme(AcmeConfig(…), instance="acme")

A server that keeps prompts may have others already: each test makes its own.
"""

from .callers import PromptCallersSuite
from .keeping import PromptKeepingSuite
from .variables import VariablesSuite
from .versions import VersionsSuite


class PromptsSuite(PromptKeepingSuite, VersionsSuite, VariablesSuite, PromptCallersSuite):
    """All of it."""


__all__ = ["PromptsSuite"]

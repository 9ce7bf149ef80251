"""What every provider of the tool runtime API does.

class TestAcme(ToolsSuite):
    sample = Sample(tool="acme_search", argument="query")

    def opens(self):
        return open_acme(AcmeConfig(api_key=Secret("…")), instance="acme")

    def opens_refused(self, credential):
        …
"""

from .suites import Sample, ServedTools, ToolsSuite

__all__ = ["Sample", "ServedTools", "ToolsSuite"]

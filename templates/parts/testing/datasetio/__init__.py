"""What every provider of datasetio does: it gives the rows of a dataset, and those that keep rows lose none.

    class TestAcme(KeepingSuite, ReadingSuite):
        uri = "acme://rows"
        rows = [{"question": "…", "answer": "…"}, …]

        def opens(self):
            return open_acme(AcmeConfig(url=self.url), instance="acme")

`opens()` gives the same place each time: opened twice, it is what two processes have of it. One that keeps no rows of
its own inherits from `ReadingSuite` alone.
"""

from .keeping import KeepingSuite
from .reading import ReadingSuite

__all__ = ["KeepingSuite", "ReadingSuite"]

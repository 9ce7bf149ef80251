"""What every provider of vector_io does: it keeps vectors, and finds what is asked for.

    class TestAcmeIndex(VectorIndexSuite[AcmeIndex]):
        def opens(self):
            return open_acme(AcmeConfig(url=self.url), instance="acme")

`opens()` gives the same place each time: opened twice, it is what two processes have of it. One whose `keywords` are
False inherits from `VectorsSuite` and `FiltersSuite` alone. One of `processes: one` says `shared = False`.
"""

from .filters import FiltersSuite
from .vectors import VectorsSuite
from .words import WordsSuite

__all__ = ["FiltersSuite", "VectorIndexSuite", "VectorsSuite", "WordsSuite"]


class VectorIndexSuite(VectorsSuite, FiltersSuite, WordsSuite):
    """All of it."""

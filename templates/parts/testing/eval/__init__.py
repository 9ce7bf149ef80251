"""What every provider of the eval API does, by capability.

class TestAcme(JobsSuite, RowsSuite):
    def opens(self):
        return open_acme(AcmeConfig(…))
"""

from .evaluating import RowsSuite
from .jobs import JobsSuite

__all__ = ["JobsSuite", "RowsSuite"]

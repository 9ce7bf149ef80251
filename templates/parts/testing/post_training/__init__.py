"""What every provider of the post-training API does, by capability.

class TestAcme(FinetuningSuite):
    def opens(self):
        return open_acme(AcmeConfig(…))
"""

from .finetuning import FinetuningSuite

__all__ = ["FinetuningSuite"]

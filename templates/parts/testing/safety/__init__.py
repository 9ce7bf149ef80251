"""What every provider of the safety API does, and one that cannot ask its guard.

class TestAcme(SafetySuite):
    shield = "acme-guard-1"

    def opens(self):
        return open_acme(AcmeConfig(…), instance="acme")
"""

from .broken import BrokenSafetySuite
from .moderating import ModeratingSuite
from .shielding import ShieldingSuite


class SafetySuite(ShieldingSuite, ModeratingSuite):
    """All of it."""


__all__ = ["BrokenSafetySuite", "ModeratingSuite", "SafetySuite", "ShieldingSuite"]

"""What every provider of scoring does: a result for each row, in their order, and figures of all.

class TestAcme(ScoringSuite):
    function = "acme::likeness"
    rows = [{"generated_answer": "a", "expected_answer": "a"}, …]
    scores = [1.0, …]

    def opens(self):
        return open_acme(AcmeConfig(), instance="acme")
"""

from .scoring import ScoringSuite

__all__ = ["ScoringSuite"]

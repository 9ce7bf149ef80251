"""What every provider of the responses API does.

    class TestAcme(ResponsesSuite):
        model = "acme-1"

        def opens(self):
            return open_acme(AcmeConfig(…), instance="acme")

The model may say what it likes, as long as it calls a function that it is told to call.
"""

from .answering import AnsweringSuite
from .keeping import KeepingSuite
from .streaming import StreamingSuite


class ResponsesSuite(AnsweringSuite, StreamingSuite, KeepingSuite):
    """All of it."""


__all__ = ["ResponsesSuite"]

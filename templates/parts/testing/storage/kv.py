"""Keys and values: what is put is there, what is refused, what has its time, and who wins.

    class TestAcmeKv(KvSuite):
        def opens(self):
            return open_acme_kv(AcmeKvConfig(port=self.port), instance="kv_default")

Each test has a namespace of its own, so that one store serves all of them.
"""

from .kv_order import KvOrderSuite
from .kv_races import KvRacesSuite
from .kv_values import KvValuesSuite


class KvSuite(KvValuesSuite, KvOrderSuite, KvRacesSuite):
    """All of it."""

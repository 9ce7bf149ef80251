"""What every provider of the stored completions API does.

    class TestAcme(StoredCompletionsSuite):
        def opens(self):
            return open_acme(AcmeConfig(…))

`opens` gives an empty store that keeps what is asked for, and nothing else.
"""

from .changing import ChangingSuite
from .keeping import KeepingSuite
from .listing import ListingSuite


class StoredCompletionsSuite(KeepingSuite, ListingSuite, ChangingSuite):
    """All of it."""


__all__ = ["StoredCompletionsSuite"]

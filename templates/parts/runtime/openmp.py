"""How the threads of libraries that compute wait for one another."""

from __future__ import annotations

import os


def calm_threads() -> None:
    """Has OpenMP's threads sleep while they wait for one another, unless the environment says how they are to wait.

    They would spin otherwise, and where other work has a processor, a batch takes many times as long. To be called
    before a library that computes with OpenMP is imported: it is read once, when the first of them loads it, for all.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

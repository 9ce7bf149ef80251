"""The catalogue's entries of the passes after `resolve`: what is vendored, what it imports, what the lock has."""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Entry

BUILD: Mapping[str, Entry] = {
    "SG708": Entry(
        "import of a part that is not there",
        "A part imports other parts relatively, and what it imports is vendored with it; this import leads to no file.",
        "correct the import, or add the part",
        "from ...runtime.upstreem import Upstream",
    ),
    "SG709": Entry(
        "import that nothing declares",
        "A server is installed from the requirements of its distribution and nothing else: a package that a part "
        "imports and no spec requires would be missing there, or be there by chance.",
        "add the package to `requires` of the provider spec that names the part",
        "import numpy   # and no spec of this distribution requires numpy",
    ),
    "SG710": Entry(
        "requirement that nothing imports",
        "What is installed and never imported makes a server larger for nothing.",
        "remove it from `requires`, or write it as {package: name, reason: why it is needed without an import}",
        "requires: [aiohttp, numpy]   # and no part imports numpy",
    ),
    "SG711": Entry(
        "requirement that is not locked",
        "A build is offline and gives the same bytes everywhere: versions come from the lock, and it lacks this one.",
        "run `stackgen lock`",
        "requires: [aiohttp>=99]",
    ),
}

"""What a server's packages weigh, as text: for its README, its report and `stackgen why`."""

from __future__ import annotations

from collections.abc import Sequence

from .lockfile import MACHINE, Locked
from .plan import External

MEANING = f"what {MACHINE} downloads: a wheel, or the source where there is none for it"


def size_text(size: int) -> str:
    """Bytes as people read them: `512 B`, `115.0 KiB`, `75.6 MiB`."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.1f} KiB" if size < 1024**2 else f"{size / 1024**2:.1f} MiB"


def weight_text(package: Locked) -> str:
    """What one package weighs; what is not for the machine that is asked about weighs nothing there."""
    if package.size is None:
        return "unknown"
    return size_text(package.size) if package.size else "not needed"


def total(packages: Sequence[Locked]) -> int | None:
    """Bytes of all that is known; None where nothing is."""
    known = [each.size for each in packages if each.size is not None]
    return sum(known) if known else None


def total_text(packages: Sequence[Locked], externals: Sequence[External]) -> str:
    """How many packages, what they weigh together, and what is not in the sum: one sentence without its full stop."""
    names = len({each.name for each in packages})
    said = f"{names} {'package' if names == 1 else 'packages'}"
    size = total(packages)
    if size is None:
        return f"{said}, whose weight is unknown"
    unknown = [each.name for each in packages if each.size is None]
    left_out = [*dict.fromkeys(unknown), *(each.name for each in externals)]
    without = f", without {', '.join(left_out)}" if left_out else ""
    return f"{said}, {size_text(size)} to download for {MACHINE}{without}"

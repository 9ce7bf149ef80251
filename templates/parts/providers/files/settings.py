"""What every place for files has in its config. The keys' meaning, bounds and defaults stand in the specs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesConfig:
    """max_file_bytes: the largest file. ttl_secs: how long one is kept whose upload does not say, None for ever.
    sweep_interval_seconds: how often what is over, or was left half done by a crash, is looked for.
    """

    max_file_bytes: int = 100 * 1024 * 1024
    ttl_secs: int | None = 31_536_000
    sweep_interval_seconds: float = 60.0

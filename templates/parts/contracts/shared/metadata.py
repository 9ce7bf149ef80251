"""What several APIs use.

Generated from apis/shared/metadata.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TypeAlias

Metadata: TypeAlias = dict[str, str] | None
"""Up to 16 pairs of texts, keys of at most 64 characters, values of at most 512."""

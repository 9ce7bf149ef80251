"""What every backend of the storage API does: a suite for each kind."""

from .kv import KvSuite

__all__ = ["KvSuite"]

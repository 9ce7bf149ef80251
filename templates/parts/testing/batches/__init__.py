"""Batches: what a file asks for is answered, in its order and for whoever asked; what is wrong is told by its line."""

from .suites import BatchesSuite, Bureau

__all__ = ["BatchesSuite", "Bureau"]

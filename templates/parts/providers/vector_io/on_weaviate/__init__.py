"""Weaviate: an index over a server of it."""

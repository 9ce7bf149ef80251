"""Vectors in Elasticsearch."""

"""Qdrant: one index, over a server of it or over its engine inside this one."""

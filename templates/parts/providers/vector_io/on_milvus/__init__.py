"""Milvus: one index, over a server of it or over Milvus Lite inside this one."""

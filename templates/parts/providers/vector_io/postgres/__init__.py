"""Vectors in a PostgreSQL database that has the extension pgvector."""

"""Evaluations that this server runs itself."""

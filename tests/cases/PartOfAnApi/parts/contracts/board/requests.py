"""Stands for its requests."""

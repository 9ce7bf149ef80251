"""Stands for the routes of files (downloads)."""

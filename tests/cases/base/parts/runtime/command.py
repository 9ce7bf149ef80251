"""Stands for the part of this name, which every server has; the cases do not run it."""

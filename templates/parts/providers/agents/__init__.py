"""Agents: what the model is asked, what it said, and what is done about it."""

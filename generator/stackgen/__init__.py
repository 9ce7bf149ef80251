"""stackgen: a compiler for AI API servers."""

__version__ = "0.1.0"

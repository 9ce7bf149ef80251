"""stackgen: a compiler for AI API servers."""

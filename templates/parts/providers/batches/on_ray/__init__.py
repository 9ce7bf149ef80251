"""Lines of batches as tasks of a Ray cluster."""

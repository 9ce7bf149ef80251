"""What runs batches: jobs as rows of a database, each worked on by one process at a time."""

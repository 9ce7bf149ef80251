"""What the backends in a SQLite file share."""

"""What the backends in a PostgreSQL server share."""

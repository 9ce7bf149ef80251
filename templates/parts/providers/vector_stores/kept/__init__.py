"""Vector stores as rows of a SQL database, beside whatever keeps their vectors."""

"""What the SQL backends are made of."""

"""What the key-value backends are made of."""

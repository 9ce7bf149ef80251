"""sqlite-vec over a SQLite that comes as a package: many of Python's own cannot load extensions."""

"""The store: one schema and one set of statements on PostgreSQL and on SQLite."""

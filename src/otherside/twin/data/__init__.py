"""The databases: PostgreSQL, and the endpoints that lead to it."""

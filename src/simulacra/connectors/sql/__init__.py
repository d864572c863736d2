"""Databases: PostgreSQL, MySQL and MariaDB, SQLite, DuckDB, and what else SQLAlchemy can reach."""

"""Where the hub's state lives: SQLAlchemy Core on SQLite or PostgreSQL. SQL stays in this package."""

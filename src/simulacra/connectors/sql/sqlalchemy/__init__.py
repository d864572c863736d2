"""What any database with an SQLAlchemy dialect offers."""

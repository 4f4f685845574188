"""The system of record: SQLAlchemy Core tables on PostgreSQL, the ledger, and the embedded server."""

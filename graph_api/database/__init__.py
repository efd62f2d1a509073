"""The database: connections, the embedded server, and the tenant of a connection."""

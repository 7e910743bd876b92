"""The embedded PostgreSQL: binaries from a wheel under our own supervision, for machines without a server."""

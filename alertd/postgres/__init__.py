"""The embedded PostgreSQL: binaries from a wheel under our own supervision, for machines without a server."""

from alertd.postgres.embedded import open_embedded

__all__ = ["open_embedded"]

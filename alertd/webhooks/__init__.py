"""Get every message to every endpoint at least once."""

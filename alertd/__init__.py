"""alertd: watches exchange API keys and trading performance, and tells the right people once."""

__version__ = "0.1.0"

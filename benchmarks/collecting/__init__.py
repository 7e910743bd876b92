"""Runs the scripts, and keeps what they found."""

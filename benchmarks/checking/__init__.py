"""What `benchmarks/checks.py` is made of."""

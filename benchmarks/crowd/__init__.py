"""What `benchmarks/daemons.py` is made of."""

"""What `benchmarks/performance.py` is made of."""

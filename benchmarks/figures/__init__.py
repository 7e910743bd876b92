"""What the benchmarks found, as the tables of the documentation."""

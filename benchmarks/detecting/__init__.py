"""Parts of the benchmark of detection: who is simulated, which rules watch, and how the outcome is shown."""

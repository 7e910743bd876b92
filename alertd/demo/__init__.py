"""The product in one terminal: simulated exchanges, a cast of tenants, and a receiver that verifies."""

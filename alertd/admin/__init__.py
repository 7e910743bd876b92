"""Let the right people see and steer: the HTTP side of the daemon."""

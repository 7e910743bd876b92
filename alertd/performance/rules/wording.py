"""How numbers read in a finding's sentence."""

import math


def percent(log_return: float) -> str:
    """A log return as people know returns: +1.2%."""
    return f"{math.expm1(log_return):+.1%}"

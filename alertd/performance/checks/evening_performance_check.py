"""The threshold check's second time of the day: the same question, and alerts with the same identity.

A drawdown found at noon that is over in the evening is resolved in the evening.
"""

from typing import Final

from alertd.performance.checks.performance_threshold_check import judge

__all__ = ["NAME", "judge"]

NAME: Final = "evening_performance_check"

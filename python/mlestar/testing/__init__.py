"""What people who build on mlestar test with: call counts and contract suites."""

from mlestar._calls import core_calls

__all__ = ["core_calls"]

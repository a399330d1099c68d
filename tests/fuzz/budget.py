"""How long the campaigns run: a few seconds each in `make test`, as long as wanted with FUZZ_FACTOR."""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

FACTOR: Final = max(1, int(os.environ.get("FUZZ_FACTOR", "1")))
"""Every campaign tries this many times its usual number of cases."""


def tries(count: int) -> settings:
    """Settings of a campaign of `count` cases; no clock decides about a test."""
    unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=count * FACTOR, deadline=None, suppress_health_check=unhurried)

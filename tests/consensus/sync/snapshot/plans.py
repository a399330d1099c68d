"""Runs by seed: every kind of trouble comes up among a few of them."""

from __future__ import annotations

from tests.consensus.sync.snapshot.world import Plan


def plan_of(seed: int) -> Plan:
    """The run of a seed."""
    return Plan(
        seed,
        liars=seed % 5 * 3,
        newer_at_ms=0 if seed % 3 else 6_000 + 500 * (seed % 7),
        kills=seed % 4,
        failures=0 if seed % 2 else 40,
        has_helper=seed % 5 == 1,
    )

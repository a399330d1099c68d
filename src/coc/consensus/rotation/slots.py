"""Slots: how time names the proposer of a rotation chain (ROT-1, ROT-2)."""

from __future__ import annotations

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Millis
from coc.primitives.validators import Validator, ValidatorSet


@frozen
class RotationRules:
    """What genesis says about a rotation chain. Times in whole seconds."""

    genesis_hash: Hash32
    genesis_time_s: int
    interval_s: int
    validators: ValidatorSet

    def slot_at(self, timestamp_s: int) -> int:
        """The slot that a block with this timestamp takes."""
        return (timestamp_s - self.genesis_time_s) // self.interval_s

    def slot_now(self, now_ms: Millis) -> int:
        """The slot that the clock is in."""
        return self.slot_at(now_ms // 1000)

    def begins_s(self, slot: int) -> int:
        """The first second of a slot."""
        return self.genesis_time_s + slot * self.interval_s

    def begins_ms(self, slot: int) -> Millis:
        """The same in milliseconds."""
        return Millis(self.begins_s(slot) * 1000)

    def proposer(self, slot: int) -> Validator:
        """Who may propose in a slot."""
        entries = self.validators.validators
        return entries[slot % len(entries)]

    def earliest(self, parent_timestamp_s: int) -> int:
        """The first timestamp after the parent's that lies in a later slot, so that slots rise strictly."""
        next_slot = self.slot_at(parent_timestamp_s) + 1
        return max(parent_timestamp_s + 1, self.begins_s(next_slot))

"""The rotation engine with one validator: when a block is made, signed and decided.

At each height, in this order: build, sign, decide (the log record is durable), then the next. Three ways to
seal: by interval, at once when a transaction is ready, or on demand. One block is in the making at a time;
demands queue behind it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from coc.consensus.rotation.slots import RotationRules
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.limits import SEAL_DEMANDS_MAX
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.types import Hash32, Height, Millis, Signature


class Sealing(enum.Enum):
    """When blocks are made."""

    INTERVAL = "interval"
    INSTANT = "instant"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Schedule:
    """How this node makes blocks; an interval below a second lets time run ahead of the clock."""

    sealing: Sealing
    interval_ms: int


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """The block to build on. `seal` is empty for block 0."""

    hash: Hash32
    height: Height
    timestamp_s: int
    seal: bytes


@dataclass(frozen=True, slots=True)
class Started:
    """The node runs; the head is known."""


@dataclass(frozen=True, slots=True)
class Due:
    """The timer that was asked for has gone off."""


@dataclass(frozen=True, slots=True)
class TransactionsReady:
    """The pool holds something that can run now."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """Somebody wants a block now, at `timestamp_s` if given; `ticket` names the demand in `Fulfilled`."""

    ticket: int
    timestamp_s: int | None = None


@dataclass(frozen=True, slots=True)
class BlockBuilt:
    """The block asked for is a candidate."""

    hash: Hash32
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature asked for."""

    signature: Signature


@dataclass(frozen=True, slots=True)
class Decided:
    """The block is durable and the head."""

    head: HeadFacts


@dataclass(frozen=True, slots=True)
class Failed:
    """The block in the making could not be built or written; `retry_ms` says when to try again."""

    reason: str
    retry_ms: int


Input: TypeAlias = Started | Due | TransactionsReady | Demanded | BlockBuilt | Signed | Decided | Failed


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Hand in `Due` at this time, instead of any earlier such wish."""

    at_ms: Millis


@dataclass(frozen=True, slots=True)
class Build:
    """Build a block on `parent` from what the pool has ready."""

    parent: Hash32
    timestamp_s: int
    consensus_data: bytes


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign this with the consensus key."""

    request: SignRequest


@dataclass(frozen=True, slots=True)
class Decide:
    """Write the block with its seal into the log and make it the head."""

    hash: Hash32
    seal: bytes


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """A demand is met, or cannot be: then `reason` says why."""

    ticket: int
    reason: str = ""


Effect: TypeAlias = SetTimer | Build | Sign | Decide | Fulfilled


@dataclass(slots=True)
class _Making:
    """The block in the making."""

    slot: int
    ticket: int | None
    hash: Hash32 | None = None
    seal: bytes = b""


class RotationEngine:
    """Makes the blocks of a chain whose one validator we are."""

    def __init__(self, rules: RotationRules, schedule: Schedule, head: HeadFacts) -> None:
        """Nothing happens before `Started`."""
        self._rules = rules
        self._schedule = schedule
        self._head = head
        self._making: _Making | None = None
        self._demands: list[Demanded] = []
        self._wanted = False
        self._last_due_ms: int | None = None

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        match event:
            case Started():
                return self._wait(now_ms)
            case Due() | TransactionsReady():
                self._wanted = True
                return self._begin(now_ms)
            case Demanded():
                return self._on_demand(now_ms, event)
            case BlockBuilt():
                return self._on_built(event)
            case Signed():
                return self._on_signed(event)
            case Decided():
                return self._on_decided(now_ms, event)
            case Failed():
                return self._on_failed(now_ms, event)
            case _:
                assert_never(event)

    def _on_demand(self, now_ms: Millis, event: Demanded) -> list[Effect]:
        if len(self._demands) >= SEAL_DEMANDS_MAX:
            return [Fulfilled(event.ticket, f"{SEAL_DEMANDS_MAX} blocks are already asked for")]
        self._demands.append(event)
        return self._begin(now_ms)

    def _begin(self, now_ms: Millis) -> list[Effect]:
        """Start the next block unless one is in the making."""
        if self._making is not None or not (self._demands or self._wanted):
            return []
        demand = self._demands.pop(0) if self._demands else None
        if demand is None:
            self._wanted = False
        timestamp = max(self._rules.earliest(self._head.timestamp_s), now_ms // 1000)
        if demand is not None and demand.timestamp_s is not None:
            if demand.timestamp_s < self._rules.earliest(self._head.timestamp_s):
                reason = (
                    f"the timestamp {demand.timestamp_s} is not after the head's {self._head.timestamp_s}"
                )
                return [Fulfilled(demand.ticket, reason), *self._begin(now_ms)]
            timestamp = demand.timestamp_s
        slot = self._rules.slot_at(timestamp)
        proposer = self._rules.proposer(slot)
        validators = self._rules.validators
        data = ConsensusData(self._head.seal, proposer.id, slot, validators, validators)
        self._making = _Making(slot, demand.ticket if demand else None)
        return [Build(self._head.hash, timestamp, data.encode())]

    def _on_built(self, event: BlockBuilt) -> list[Effect]:
        making = self._making
        if making is None:
            return []
        making.hash = event.hash
        height = Height(self._head.height + 1)
        return [Sign(SignRequest(self._rules.genesis_hash, height, making.slot, Step.PROPOSAL, event.hash))]

    def _on_signed(self, event: Signed) -> list[Effect]:
        making = self._making
        if making is None or making.hash is None:
            return []
        making.seal = Seal(making.slot, event.signature).encode()
        return [Decide(making.hash, making.seal)]

    def _on_decided(self, now_ms: Millis, event: Decided) -> list[Effect]:
        making, self._making = self._making, None
        self._head = event.head
        effects: list[Effect] = []
        if making is not None and making.ticket is not None:
            effects.append(Fulfilled(making.ticket))
        following = self._begin(now_ms)
        return [*effects, *(following or self._wait(now_ms))]

    def _on_failed(self, now_ms: Millis, event: Failed) -> list[Effect]:
        making, self._making = self._making, None
        effects: list[Effect] = []
        if making is not None and making.ticket is not None:
            effects.append(Fulfilled(making.ticket, event.reason))
        if self._schedule.sealing is not Sealing.MANUAL:
            effects.append(SetTimer(Millis(now_ms + event.retry_ms)))
        return effects

    def _wait(self, now_ms: Millis) -> list[Effect]:
        """Ask for the next timer of an interval chain.

        An interval after the last was due, but never in the past.
        """
        if self._schedule.sealing is not Sealing.INTERVAL:
            return []
        interval_ms = self._schedule.interval_ms
        if self._last_due_ms is None or self._last_due_ms + interval_ms < now_ms:
            # On whole seconds, so that timestamps and the clock agree; below a second, from now.
            past_second_ms = int(now_ms) % 1000 if interval_ms >= 1000 else 0
            self._last_due_ms = int(now_ms) - past_second_ms
        self._last_due_ms += interval_ms
        return [SetTimer(Millis(max(self._last_due_ms, int(now_ms))))]

"""The rotation engine with one validator: when a block is made, signed and decided.

At each height, in this order: build, sign, decide (the log record is durable), then the next. Three ways to
seal: by interval, at once when a transaction is ready, or on demand. One block is in the making at a time;
demands queue behind it.

A sealed block that could not be written is kept and tried again, never replaced: whether its bytes reached
the disk is not known, and a second block at its height would be a fork.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from coc.consensus.rotation.slots import RotationRules
from coc.primitives.consensus_data import ConsensusData
from coc.primitives.frozen import frozen
from coc.primitives.limits import SEAL_DEMANDS_MAX, SEAL_TIMESTAMP_SECONDS_MAX
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.types import Hash32, Height, Millis, Signature


class Sealing(enum.Enum):
    """When blocks are made."""

    INTERVAL = "interval"
    INSTANT = "instant"
    MANUAL = "manual"


@frozen
class Schedule:
    """How this node makes blocks; an interval below a second lets time run ahead of the clock."""

    sealing: Sealing
    interval_ms: int


@frozen
class HeadFacts:
    """The block to build on. `seal` is empty for block 0."""

    hash: Hash32
    height: Height
    timestamp_s: int
    seal: bytes


@frozen
class Started:
    """The node runs; the head is known."""


@frozen
class Due:
    """The timer that was asked for has gone off."""


@frozen
class TransactionsReady:
    """The pool holds something that can run now."""


@frozen
class Demanded:
    """Somebody wants a block now, at `timestamp_s` if given; `ticket` names the demand in `Fulfilled`."""

    ticket: int
    timestamp_s: int | None = None


@frozen
class BlockBuilt:
    """The block asked for is a candidate."""

    hash: Hash32
    is_empty: bool


@frozen
class Signed:
    """The signature asked for."""

    signature: Signature


@frozen
class Decided:
    """The block is durable and the head."""

    head: HeadFacts


@frozen
class Failed:
    """The block in the making could not be built or written; `retry_ms` says after how long to try again.

    `keeps_block`: the same sealed block may still be decided.
    """

    reason: str
    retry_ms: int
    keeps_block: bool = False


Input: TypeAlias = Started | Due | TransactionsReady | Demanded | BlockBuilt | Signed | Decided | Failed


@frozen
class SetTimer:
    """Hand in `Due` at this time, instead of any earlier such wish."""

    at_ms: Millis


@frozen
class Build:
    """Build a block on `parent` from what the pool has ready."""

    parent: Hash32
    timestamp_s: int
    consensus_data: bytes


@frozen
class Sign:
    """Sign this with the consensus key."""

    request: SignRequest


@frozen
class Decide:
    """Write the block with its seal into the log and make it the head."""

    hash: Hash32
    seal: bytes


@frozen
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
    is_stuck: bool = False
    """Sealed, and the last try to write it failed."""


class RotationEngine:
    """Makes the blocks of a chain whose one validator we are."""

    def __init__(self, rules: RotationRules, schedule: Schedule, head: HeadFacts) -> None:
        """Nothing happens before `Started`."""
        self._rules = rules
        self._schedule = schedule
        self._head = head
        self._making: _Making | None = None
        self._demands: deque[Demanded] = deque()
        self._wanted = False
        self._due_ms: int | None = None

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        match event:
            case Started():
                return self._wait(now_ms)
            case Due():
                self._wanted = self._schedule.sealing is Sealing.INTERVAL
                return self._begin(now_ms)
            case TransactionsReady():
                # While a block is in the making it may take them; after it the caller looks again.
                self._wanted = self._making is None
                return self._begin(now_ms)
            case Demanded():
                return self._on_demand(now_ms, event)
            case BlockBuilt():
                return self._on_built(now_ms, event)
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
        """Start the next block, or try to write the one that is stuck, unless one is under way."""
        if self._making is not None and self._making.is_stuck:
            return self._write_again(self._making)
        effects: list[Effect] = []
        earliest = self._rules.earliest(self._head.timestamp_s)
        soonest = max(earliest, now_ms // 1000)
        while self._making is None and (self._demands or self._wanted):
            if not self._demands:
                self._wanted = False
                effects.append(self._make(soonest, None))
                break
            demand = self._demands.popleft()
            timestamp = soonest if demand.timestamp_s is None else demand.timestamp_s
            is_wished = demand.timestamp_s is not None
            if not is_wished or earliest <= timestamp <= SEAL_TIMESTAMP_SECONDS_MAX:
                effects.append(self._make(timestamp, demand.ticket))
            else:
                allowed = f"{earliest} to {SEAL_TIMESTAMP_SECONDS_MAX}"
                reason = f"the timestamp {timestamp} is not possible; after the head it is {allowed}"
                effects.append(Fulfilled(demand.ticket, reason))
        return effects

    def _make(self, timestamp_s: int, ticket: int | None) -> Build:
        slot = self._rules.slot_at(timestamp_s)
        proposer = self._rules.proposer(slot)
        validators = self._rules.validators
        data = ConsensusData(self._head.seal, proposer.id, slot, validators, validators)
        self._making = _Making(slot, ticket)
        return Build(self._head.hash, timestamp_s, data.encode())

    def _write_again(self, making: _Making) -> list[Effect]:
        if making.hash is None:
            return []
        making.is_stuck = False
        return [Decide(making.hash, making.seal)]

    def _on_built(self, now_ms: Millis, event: BlockBuilt) -> list[Effect]:
        making = self._making
        if making is None:
            return []
        if event.is_empty and making.ticket is None and self._schedule.sealing is Sealing.INSTANT:
            # Nothing that was ready fitted after all. Sealing the empty block would only lead to the next.
            self._making = None
            return self._begin(now_ms)
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
        """Tell all who wait for a block: what stopped this one would stop theirs."""
        making = self._making
        effects: list[Effect] = []
        if making is not None:
            if making.ticket is not None:
                effects.append(Fulfilled(making.ticket, event.reason))
            making.ticket = None
            making.is_stuck = event.keeps_block and making.seal != b""
            if not making.is_stuck:
                self._making = None
        while self._demands:
            effects.append(Fulfilled(self._demands.popleft().ticket, event.reason))
        if self._schedule.sealing is not Sealing.MANUAL:
            effects.append(SetTimer(Millis(now_ms + event.retry_ms)))
        return effects

    def _wait(self, now_ms: Millis) -> list[Effect]:
        """Ask for the next timer of an interval chain: an interval after the last, and never in the past.

        A wish that still lies ahead is kept, so blocks on demand do not push it away.
        """
        if self._schedule.sealing is not Sealing.INTERVAL:
            return []
        interval_ms, now = self._schedule.interval_ms, int(now_ms)
        due = self._due_ms
        if due is None or not now - interval_ms < due <= now + interval_ms:
            # The start, a long stop, or a clock that was set. On whole seconds, so that timestamps and the
            # clock agree; below a second, from now.
            due = now - (now % 1000 if interval_ms >= 1000 else 0)
        if due <= now:
            due += interval_ms
        self._due_ms = due
        return [SetTimer(Millis(max(due, now)))]

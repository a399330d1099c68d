"""The life of a simulated node, whatever its engine: its disks, its clock, its links, its threads.

Native work is done in place; its answer comes a little later on virtual time, as from a thread, and a thread
answers in the order in which it was asked. A crash ends this life: answers on their way to it are dropped,
its disks keep what they must and perhaps more, and the next life opens everything from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Self, TypeVar

from coc._native import SimDisk
from coc.node.validator.inputs import MessageReceived, PeerDown, PeerUp
from coc.primitives.types import Millis, PeerId
from coc.sim.full.plan import Forgets
from coc.sim.full.world import BASE_MS, World
from coc.wire import kinds

FOLDER = "/node"
"""Where a node's records lie on their disks."""
CHAIN_OPTIONS = b'{"log_salt": 7, "reserve_bytes": 0}'
DISKS_MAX = 1_024
"""Disks that one node can have had in a run, so that each has its own dice."""
STREAM_KINDS = frozenset(
    number for number, kind in kinds.KINDS.items() if kind.message_class is kinds.MessageClass.TRANSACTIONS
)
"""Messages of a protocol that relies on its stream."""
FSYNC_MS_MAX = 4
"""What an fsync usually takes."""
SLOW_FSYNC_MS_MAX = 250
"""What it takes on a slow disk."""

Input = TypeVar("Input")


@dataclass(slots=True)
class Thread:
    """Who does one thing after the other."""

    busy_until_ms: int = 0


class NodeLife(ABC, Generic[Input]):
    """A node of a run, whatever it does with its inputs."""

    def __init__(self, position: int, peer: PeerId, world: World) -> None:
        """Down until `start`."""
        self.position = position
        self.peer = peer
        self.world = world
        self.life = 0
        self.is_up = False
        self.is_honest = True
        self.disk, self.records_disk, self.mark_disk = (self._new_disk(use) for use in range(3))
        """One each for what can be lost alone: the chain, the write-ahead log, the signer's mark."""
        self.keeper = Thread()
        """The thread of write-ahead log and signer."""
        self.others: list[Self] = []
        self._by_peer: dict[PeerId, Self] = {}
        self._ahead_ms = BASE_MS + world.plan.skew_of(position)

    def meet(self, others: list[Self]) -> None:
        """All others of the run; before the first start."""
        self.others = others
        self._by_peer = {other.peer: other for other in others}

    @property
    def disks(self) -> tuple[SimDisk, SimDisk, SimDisk]:
        """All that hold something of this node."""
        return self.disk, self.records_disk, self.mark_disk

    @property
    def now_ms(self) -> Millis:
        """What this node's clock shows."""
        return Millis(self._ahead_ms + self.world.now_ms)

    # ── What each engine's node does in its own way ─────────────────────────────────────────────────────────

    @abstractmethod
    def wake(self) -> None:
        """Make the node from what its disks hold, and let it begin."""

    @abstractmethod
    def feed(self, event: Input | PeerUp | PeerDown | MessageReceived) -> None:
        """Hand in an input, if there is somebody to take it, and carry out what comes of it."""

    @abstractmethod
    def on_end(self, forgets: Forgets, *, is_power_cut: bool) -> None:
        """This life ends now; the disks still answer."""

    @abstractmethod
    def on_wiped(self) -> None:
        """The chain is gone, and whatever else lay beside it."""

    # ── Beginning and end ───────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Open everything on the disks as they are, and go on."""
        if self.is_up:
            return
        self.life += 1
        self.is_up = True
        self.wake()
        for other in self.others:
            if other.is_up:
                self.feed(PeerUp(other.peer))
                other.feed(PeerUp(self.peer))

    def crash(self, *, is_power_cut: bool, forgets: Forgets = Forgets.NOTHING) -> None:
        """End this life."""
        if not self.is_up:
            return
        self.is_up = False
        self.life += 1
        self.world.tell(self.position, "loses power" if is_power_cut else "is killed")
        self.on_end(forgets, is_power_cut=is_power_cut)
        for disk in self.disks:
            if is_power_cut:
                disk.crash()
            else:
                disk.kill()
        if forgets is not Forgets.NOTHING:
            self._forget(forgets)
        for other in self.others:
            other.feed(PeerDown(self.peer))

    def _forget(self, what: Forgets) -> None:
        self.world.tell(self.position, f"loses {what.value}")
        self.records_disk = self._new_disk(3 * self.life)
        if what is Forgets.RECORDS:
            self.mark_disk = self._new_disk(3 * self.life + 1)
        else:
            self.disk = self._new_disk(3 * self.life + 2)
            self.on_wiped()

    def _new_disk(self, number: int) -> SimDisk:
        return SimDisk((self.world.plan.seed * 64 + self.position) * DISKS_MAX + number)

    # ── Work that takes its time ────────────────────────────────────────────────────────────────────────────

    def later(self, delay_ms: int, work: Callable[[], Input | None]) -> None:
        """Do native work and hand in its answer, as long as this life lasts."""
        self.world.after(delay_ms, partial(self._answer, self.life, work))

    def in_turn(self, thread: Thread, work: Callable[[], Input | None]) -> None:
        """The same by a thread that does one thing after the other."""
        begins_ms = max(thread.busy_until_ms, self.world.now_ms)
        thread.busy_until_ms = begins_ms + self.fsync_ms()
        self.later(thread.busy_until_ms - self.world.now_ms, work)

    def feed_at(self, at_ms: int, event: Input) -> None:
        """Hand in an input when this node's clock shows a time, as long as this life lasts."""
        self.world.after(at_ms - self.now_ms, partial(self._feed_in, self.life, event))

    def fsync_ms(self) -> int:
        """What one takes now on this node's disks."""
        is_slow = self.position in self.world.plan.slow_disks and not self.world.is_healed
        return self.world.dice.between(0, SLOW_FSYNC_MS_MAX if is_slow else FSYNC_MS_MAX)

    def _answer(self, life: int, work: Callable[[], Input | None]) -> None:
        if self.is_up and self.life == life:
            answer = work()
            if answer is not None:
                self.feed(answer)

    def _feed_in(self, life: int, event: Input) -> None:
        if self.life == life:
            self.feed(event)

    # ── Links ───────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, peer: PeerId, kind: int, payload: bytes) -> None:
        """Send a peer a message, if there is such a peer."""
        receiver = self._by_peer.get(peer)
        if receiver is not None:
            self.carry(receiver, kind, payload)

    def carry(self, receiver: Self, kind: int, payload: bytes) -> None:
        """Put a message on the link to a node."""
        message = MessageReceived(self.peer, kind, payload)
        deliver = partial(self._deliver, self.life, receiver, receiver.life, message)
        carry = self.world.carry_in_stream if kind in STREAM_KINDS else self.world.carry
        carry((self.position, receiver.position), len(payload), deliver)

    def _deliver(self, life: int, receiver: Self, life_there: int, message: MessageReceived) -> None:
        if self.life == life and receiver.life == life_there:  # a connection ends with either process
            receiver.feed(message)

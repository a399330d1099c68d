"""The life of a simulated node: its disks, its clock, its links, and the order in which its threads answer.

Native work is done in place; its answer comes a little later on virtual time, as from a thread. One thread
writes the chain and its tags, another write-ahead log and signer: what each is asked for is answered in that
order. A crash ends this life: answers on their way to it are dropped, the disk keeps what it must.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Self

from coc._native import SimDisk
from coc.node.rotation import inputs as ev
from coc.node.validator.inputs import MessageReceived, PeerDown, PeerUp
from coc.primitives.types import Millis, PeerId
from coc.sim.full.plan import Forgets
from coc.sim.full.world import BASE_MS, World
from coc.sim.rotation_full.birth import Birth
from coc.sim.rotation_full.journal import SimJournal
from coc.wire import kinds

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


class Thread(enum.Enum):
    """Who does one thing after the other."""

    WRITER = "block log and tags"
    KEEPER = "write-ahead log and signer"


class NodeLife(ABC):
    """A node of a run, whatever it does with its inputs."""

    def __init__(self, birth: Birth, world: World) -> None:
        """Down until `start`."""
        self.birth = birth
        self.position = birth.position
        self.peer = birth.peer
        self.world = world
        self.life = 0
        self.is_up = False
        self.is_honest = True
        self.disk, self.records_disk, self.mark_disk = (self._new_disk(use) for use in range(3))
        """One each for what can be lost alone: chain and tags, the write-ahead log, the signer's mark."""
        self.journal = SimJournal()
        self.others: list[Self] = []
        self._by_peer: dict[PeerId, Self] = {}
        self._busy_until_ms = dict.fromkeys(Thread, 0)
        self._ahead_ms = BASE_MS + world.plan.skew_of(birth.position)

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

    @property
    def is_disk_full(self) -> bool:
        """Whether nothing more can be written now."""
        now_ms, plan = self.world.now_ms, self.world.plan
        return not self.world.is_healed and any(
            full.node == self.position and full.begin_ms <= now_ms < full.end_ms for full in plan.full_disks
        )

    # ── Beginning and end ───────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def wake(self) -> None:
        """Make the node from what its disks hold, and let it begin."""

    @abstractmethod
    def take(self, event: ev.Input) -> None:
        """Let the node take an input, and carry out what comes of it."""

    @abstractmethod
    def on_end(self, forgets: Forgets) -> None:
        """This life ends now; the journal is cut already, and the disks still answer."""

    def start(self) -> None:
        """Begin with the disks as they are."""
        if self.is_up:
            return
        self.life += 1
        self._busy_until_ms = dict.fromkeys(Thread, 0)
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
        if is_power_cut:
            self.journal.cut_power(self.world.now_ms, self.world.dice)
        self.on_end(forgets)
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
            self.journal = SimJournal()

    def _new_disk(self, number: int) -> SimDisk:
        return SimDisk((self.world.plan.seed * 64 + self.position) * DISKS_MAX + number)

    # ── Inputs ──────────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: ev.Input) -> None:
        """Hand in an input, if there is somebody to take it."""
        if self.is_up:
            self.take(event)

    def later(self, delay_ms: int, work: Callable[[], ev.Input | None]) -> None:
        """Do native work and hand in its answer, as long as this life lasts."""
        self.world.after(delay_ms, partial(self._answer, self.life, work))

    def feed_at(self, at_ms: int, event: ev.Input) -> None:
        """Hand in an input when this node's clock shows a time, as long as this life lasts."""
        self.world.after(at_ms - self.now_ms, partial(self._answer, self.life, lambda: event))

    def in_turn(self, thread: Thread, work: Callable[[], ev.Input | None]) -> None:
        """The same by a thread that does one thing after the other."""
        begins_ms = max(self._busy_until_ms[thread], self.world.now_ms)
        is_slow = self.position in self.world.plan.slow_disks and not self.world.is_healed
        takes_ms = self.world.dice.between(0, SLOW_FSYNC_MS_MAX if is_slow else FSYNC_MS_MAX)
        self._busy_until_ms[thread] = begins_ms + takes_ms
        self.later(begins_ms + takes_ms - self.world.now_ms, work)

    def _answer(self, life: int, work: Callable[[], ev.Input | None]) -> None:
        if self.is_up and self.life == life:
            answer = work()
            if answer is not None:
                self.feed(answer)

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

    def _deliver(self, life: int, receiver: Self, life_there: int, message: ev.Input) -> None:
        if self.life == life and receiver.life == life_there:  # a connection ends with either process
            receiver.feed(message)

"""The life of a node that is a real machine with fakes around it: starts, crashes, its clock, its inputs.

A crash may come between any two effects; a restart builds a new machine from what the disk holds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from coc.consensus.engine import ConsensusEngine, Fetch, Persisted, Started
from coc.primitives.types import Hash32, Millis, PeerId
from coc.sim.bft_crypto import Key

if TYPE_CHECKING:
    from coc.sim.machines.network import MachineNetwork

Input = TypeVar("Input")
Effect = TypeVar("Effect")


class CrashingDisk(Protocol):
    """What survives a crash, and what does not."""

    def sync(self) -> None:
        """Make everything appended durable."""
        ...

    def crash(self, dice: Random, /) -> None:
        """Lose what was not fsynced, from a point drawn by lot."""
        ...


class MachineNode(ABC, Generic[Input, Effect]):
    """A node of a run; `position` is its validator's place in the set."""

    is_honest = True
    machine: ConsensusEngine[Input | Started | Persisted, Effect]
    disk: CrashingDisk

    def __init__(
        self, network: MachineNetwork[Any], position: int, skew_ms: int, names: tuple[Key, PeerId]
    ) -> None:
        """A node that was never started, with its consensus key and its name on the network."""
        self.network = network
        self.position = position
        self.skew_ms = skew_ms
        self.key, self.peer = names
        self.life = 0
        self.is_up = False

    # ── What each engine's node does in its own way ─────────────────────────────────────────────────────────

    @abstractmethod
    def wake(self) -> None:
        """Make memory and machine from what the disk holds."""

    @abstractmethod
    def carry_out(self, effect: Effect) -> None:
        """Do what an effect asks for."""

    @abstractmethod
    def give_block(self, block: Hash32, asker: Self) -> None:
        """Send the bytes of a block to a peer that asks, if they are here."""

    def lose(self) -> None:
        """Lose what a crash takes."""
        self.disk.crash(self.network.dice)

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Start, or start again, from what the disk holds."""
        self.life += 1
        self.is_up = True
        self.wake()
        self.take(Started())

    def crash(self) -> None:
        """Lose memory and what was not fsynced; come back after a while."""
        self.is_up = False
        self.lose()
        self.life += 1
        self.network.story(self, "crash")
        self.network.after(self.network.faults.downtime_ms(self.network.dice), self.start)

    @property
    def now_ms(self) -> Millis:
        """The node's own clock."""
        return Millis(self.network.now_ms + self.skew_ms)

    def later(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Do something after a while, if this life lasts that long."""
        life = self.life
        self.network.after(delay_ms, lambda: action() if self.life == life and self.is_up else None)

    def take(self, event: Input | Started | Persisted) -> None:
        """Let the machine take an input, and carry out what it asks for."""
        if not self.is_up:
            return
        life = self.life
        for effect in self.machine.step(self.now_ms, event):
            if self.is_honest and self.network.crashes_now():
                self.crash()
            if self.life != life:
                return
            self.carry_out(effect)

    # ── Effects that every engine has ───────────────────────────────────────────────────────────────────────

    def wake_at(self, at_ms: int, event: Input) -> None:
        """Hand in an input when the node's clock shows a time."""
        self.later(max(0, at_ms - self.now_ms), lambda: self.take(event))

    def fetch(self, effect: Fetch) -> None:
        """Ask the holders of a block for it, everybody if none is known."""
        for peer in self.network.others(self):
            if not effect.holders or peer.peer in effect.holders:
                self.network.send(self, peer, partial(peer.give_block, effect.block, self))

    def sync(self, sequence: int) -> None:
        """Make what was appended durable, and say so."""
        self.disk.sync()
        self.take(Persisted(sequence))

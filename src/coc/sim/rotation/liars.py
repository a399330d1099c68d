"""Validators that break a rule, each in one way; beside it they follow the protocol."""

from __future__ import annotations

from coc.consensus.rotation import effects as fx
from coc.primitives.seals import Seal
from coc.primitives.types import Height
from coc.sim.bft_crypto import Key
from coc.sim.rotation.disk import SimBlock
from coc.sim.rotation.node import SimNode


class Liar(SimNode):
    """A node whose seals nobody must trust."""

    is_honest = False

    def spread(self, block: SimBlock, author: Key | None = None) -> None:
        """Announce a sealed block to everybody, past the machine."""
        for peer in self.network.others(self):
            self.send(peer, self.sealed(block, author))

    def parent_seal(self) -> Seal | None:
        """The seal of our head."""
        logged = self.disk.log.get(self.disk.head)
        return None if logged is None else logged[1]


class Twin(Liar):
    """One of two nodes with one key, which know nothing of each other."""


class Backdating(Liar):
    """Builds a block of an earlier slot of its own on a later one."""

    def build(self, wish: fx.Build) -> None:
        """The honest block, and one that goes back in time."""
        super().build(wish)
        earlier = wish.slot - self.network.plan.size
        if wish.height > 1 and earlier > 0:
            self.spread(self.make(wish.parent, wish.height, earlier, wish.parent_seal))


class Stealing(Liar):
    """Seals blocks in the name of the validator whose slot comes next."""

    def build(self, wish: fx.Build) -> None:
        """The honest block, and one in the slot before, whose proposer may be late."""
        super().build(wish)
        slots = self.network.rules.slots
        slot = wish.slot - 1
        if slot > self.network.watch.slot_of(wish.parent):
            block = self.make(wish.parent, wish.height, slot, wish.parent_seal)
            self.spread(block, Key(slots.proposer(slot).id))


class Invalid(Liar):
    """Makes blocks that do not execute, now and then."""

    def build(self, wish: fx.Build) -> None:
        """A block that is not valid, in its own slot."""
        if self.network.dice.random() < 0.5:
            super().build(wish)
        else:
            height = Height(wish.height)
            self.spread(self.make(wish.parent, height, wish.slot, wish.parent_seal, is_valid=False))


CLASSES: dict[str, type[Liar]] = {
    "twin": Twin,
    "backdate": Backdating,
    "steal": Stealing,
    "invalid": Invalid,
}

"""Validators that lie, each about one thing; apart from it they follow the protocol.

`equivocate` says different things to different peers; `withhold` says nothing to some; `invalid` proposes
blocks that do not execute; `stale` claims proofs of lock that nobody has; `origin` proposes blocks of another
round; `tamper` changes what it passes on; `forge` makes certificates up; `relabel` changes their set; `nay`
votes for nothing, ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.messages import Message, Status
from coc.consensus.bft.proposers import proposer_of
from coc.primitives.frozen import replace
from coc.primitives.seals import NO_VALID_ROUND, Step
from coc.primitives.types import Address, Hash32, Height
from coc.primitives.votes import CommitCertificate, Proposal, Signed, Vote
from coc.sim.bft_crypto import Key
from coc.sim.bft_node import SimNode
from coc.sim.bft_plan import Plan

if TYPE_CHECKING:
    from coc.sim.bft_network import Network


class Liar(SimNode):
    """A node whose own messages, and those it passes on, may be changed for each peer."""

    is_honest = False

    def send(self, peer: SimNode, message: Message) -> None:
        """Send what the lie makes of a message."""
        for changed in self.change(peer, message):
            super().send(peer, changed)

    def change(self, _peer: SimNode, message: Message) -> list[Message]:
        """What the peer gets instead."""
        return [message]

    def is_own(self, message: Message) -> bool:
        """Whether we signed it."""
        return isinstance(message, Vote | Proposal) and message.validator == self.key.address

    def sign_again(self, message: Signed) -> Signed:
        """Sign a changed message."""
        digest = message.request(self.network.rules.genesis_hash).digest()
        return replace(message, signature=self.key.sign(digest))

    def other_block(self, message: Signed) -> Hash32:
        """A block that competes with the one of a message, made once for each."""
        key = (message.height, message.round)
        rivals: dict[tuple[Height, int], Hash32] = self.__dict__.setdefault("rivals", {})
        if key not in rivals:
            parent = self._head()
            rivals[key] = self.make_block(message.height, parent, message.round).hash
            self.memory.add(rivals[key])
        return rivals[key]


class Equivocator(Liar):
    """Proposes two blocks, votes for two values, to different halves or to the same peer."""

    def change(self, _peer: SimNode, message: Message) -> list[Message]:
        """The other value for some, both for a few."""
        if not isinstance(message, Vote | Proposal) or not self.is_own(message):
            return [message]
        dice = self.network.dice
        if isinstance(message, Proposal):
            if message.valid_round != NO_VALID_ROUND:
                return [message]
            other: Signed = self.sign_again(replace(message, block=self.other_block(message)))
        else:
            blocks = [block.hash for block in self.network.blocks.values() if block.height == message.height]
            choices = [block for block in [*blocks, None] if block != message.block]
            other = self.sign_again(replace(message, block=dice.choice(choices or [None])))
        draw = dice.random()
        return [message] if draw < 0.45 else [other] if draw < 0.9 else [message, other]


class Withholder(Liar):
    """Keeps its messages and blocks from some peers."""

    def change(self, peer: SimNode, message: Message) -> list[Message]:
        """Nothing for every second peer."""
        return [] if (peer.position + self.height) % 2 else [message]

    def give_block(self, block: Hash32, asker: SimNode) -> None:
        """Blocks for some only."""
        if asker.position % 2:
            super().give_block(block, asker)


class Invalid(Liar):
    """Proposes blocks that do not execute."""

    def build(self, wish: fx.Build) -> None:
        """Make an invalid block and say it is fine."""
        block = self.make_block(wish.height, wish.parent, wish.round, is_valid=False)
        self.memory.add(block.hash)
        self.take(ev.Built(wish.height, wish.round, block.hash, block.facts))


class Stale(Liar):
    """Proposes a block of an earlier round again with a proof of lock that is made up, or long overtaken.

    It votes for that block too, whatever its own machine thinks; where it has not lied, only its neighbour
    learns of its votes, so that one decides alone.
    """

    def __init__(self, network: Network, position: int, skew_ms: int) -> None:
        """Nothing to tell yet."""
        super().__init__(network, position, skew_ms)
        self._lies: dict[tuple[Height, int], Proposal] = {}

    def change(self, peer: SimNode, message: Message) -> list[Message]:
        """The same lie for everybody, in proposal and votes."""
        if not isinstance(message, Vote | Proposal) or not self.is_own(message):
            return [message]
        place = (message.height, message.round)
        if isinstance(message, Proposal) and place not in self._lies:
            self._lies[place] = self._lie_about(message)
        lie = self._lies.get(place)
        if lie is None:
            is_near = (self.position + 1) % len(self.network.nodes) == peer.position
            return [message] if is_near or isinstance(message, Proposal) else []
        if isinstance(message, Proposal):
            return [self.sign_again(lie)]
        return [self.sign_again(replace(message, block=lie.block))]

    def _lie_about(self, proposal: Proposal) -> Proposal:
        """Another block of the height, oldest proof first; the truth where there is none."""
        proven = sorted(
            (entry.round, entry.block)
            for entry in self.machine.status.votes
            if entry.block is not None
            and entry.block != proposal.block
            and entry.step is Step.PREVOTE
            and 3 * entry.voters.bit_count() > 2 * len(self.network.nodes)
            and entry.round < proposal.round
        )
        if proven:
            return replace(proposal, block=proven[0][1], valid_round=proven[0][0])
        old = [
            block.hash
            for block in self.network.blocks.values()
            if (block.height, block.parent) == (proposal.height, self._head())
            and block.facts.original_round < proposal.round
            and block.hash != proposal.block
        ]
        if not old:
            return proposal
        block = self.network.dice.choice(old)
        self.memory.add(block)
        return replace(proposal, block=block, valid_round=proposal.round - 1)


class Origin(Liar):
    """Proposes new blocks under the number of a later round of its own."""

    def build(self, wish: fx.Build) -> None:
        """Make a block with another original round."""
        round_ = next(
            (
                later
                for later in range(wish.round + 1, wish.round + 100)
                if self._proposes(wish.height, later)
            ),
            wish.round,
        )
        block = self.make_block(wish.height, wish.parent, round_)
        self.memory.add(block.hash)
        self.take(ev.Built(wish.height, wish.round, block.hash, block.facts))

    def _proposes(self, height: Height, round_: int) -> bool:
        return proposer_of(self.network.validators, frozenset(), height, round_).id == self.key.address


class Tamperer(Liar):
    """Passes on the proposals of others with another valid round, to everybody at once."""

    def receive(self, sender: ev.PeerId, message: Message | bytes) -> None:
        """Pass on a changed copy of each proposal."""
        super().receive(sender, message)
        if isinstance(message, Proposal) and message.round > 0 and not self.is_own(message):
            valid_round = message.round - 1 if message.valid_round == NO_VALID_ROUND else NO_VALID_ROUND
            for peer in self.network.others(self):
                super().send(peer, replace(message, valid_round=valid_round))


class Forger(Liar):
    """Answers statuses with certificates signed by keys it made up."""

    def receive(self, sender: ev.PeerId, message: Message | bytes) -> None:
        """A forged certificate for each peer in a height of ours."""
        super().receive(sender, message)
        if not isinstance(message, Status) or message.height != self.height or not self.is_up:
            return
        block = self.make_block(self.height, self._head(), message.round)
        self.memory.add(block.hash)
        validators = self.network.validators
        count = len(validators.validators)
        certificate = CommitCertificate(
            self.height, message.round, block.hash, validators.hash(), (1 << count) - 1, ()
        )
        digest = certificate.request(self.network.rules.genesis_hash).digest()
        fakes = tuple(Key(Address(bytes([index]) * 20)).sign(digest) for index in range(count))
        super().send(self.network.node_of(sender), replace(certificate, signatures=fakes))


class Relabeller(Liar):
    """Sends true certificates under the hash of another set."""

    def change(self, _peer: SimNode, message: Message) -> list[Message]:
        """Another set hash."""
        if isinstance(message, CommitCertificate):
            return [replace(message, set_hash=Hash32(bytes(32)))]
        return [message]


class Naysayer(Liar):
    """Votes nil whatever is proposed."""

    def change(self, _peer: SimNode, message: Message) -> list[Message]:
        """Nil."""
        if isinstance(message, Vote) and self.is_own(message):
            return [self.sign_again(replace(message, block=None))]
        return [message]


_CLASSES: dict[str, type[SimNode]] = {
    "": SimNode,
    "equivocate": Equivocator,
    "withhold": Withholder,
    "invalid": Invalid,
    "stale": Stale,
    "origin": Origin,
    "tamper": Tamperer,
    "forge": Forger,
    "relabel": Relabeller,
    "nay": Naysayer,
}


def node_class(plan: Plan, position: int) -> type[SimNode]:
    """Who stands at a position."""
    return _CLASSES[plan.lie_of(position)]

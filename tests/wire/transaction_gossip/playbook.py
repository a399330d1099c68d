"""Transaction gossip on a stage: the test speaks for peers and pool, and moves the clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.kinds import ANNOUNCE_TRANSACTIONS, GET_TRANSACTIONS
from coc.wire.transaction_gossip import effects as fx
from coc.wire.transaction_gossip import inputs as ev
from coc.wire.transaction_gossip.codec import decode_announcement, decode_request
from coc.wire.transaction_gossip.machine import TransactionGossip

E = TypeVar("E", bound=fx.Effect)

ANNA = PeerId(b"a" * 32)
BERT = PeerId(b"b" * 32)
CARL = PeerId(b"c" * 32)


def raw(number: int, size: int = 100) -> bytes:
    return number.to_bytes(8, "big").ljust(size, b"\0")


def hash_of(number: int, size: int = 100) -> Hash32:
    return keccak256(raw(number, size))


def hashes(*numbers: int) -> tuple[Hash32, ...]:
    return tuple(hash_of(number) for number in numbers)


def of_kind(effects: Sequence[fx.Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def asked(effects: Sequence[fx.Effect]) -> dict[PeerId, tuple[Hash32, ...]]:
    """What each peer is asked for."""
    return {
        effect.peer: decode_request(effect.payload)
        for effect in of_kind(effects, fx.Send)
        if effect.kind is GET_TRANSACTIONS
    }


def announced(effects: Sequence[fx.Effect]) -> dict[PeerId, list[Hash32]]:
    """What each peer is told, over all frames."""
    told: dict[PeerId, list[Hash32]] = {}
    for effect in of_kind(effects, fx.Send):
        if effect.kind is ANNOUNCE_TRANSACTIONS:
            told.setdefault(effect.peer, []).extend(decode_announcement(effect.payload))
    return told


class Playbook:
    """Gossip with some peers; timers fire as the clock passes them."""

    def __init__(self, *peers: PeerId) -> None:
        self.now_ms = 1_000
        self.gossip = TransactionGossip()
        self.timers: list[int] = []
        for peer in peers:
            self.feed(ev.PeerCame(peer))

    def feed(self, event: ev.Input) -> list[fx.Effect]:
        effects = self.gossip.step(Millis(self.now_ms), event)
        self.timers += [effect.at_ms for effect in of_kind(effects, fx.SetTimer)]
        return [effect for effect in effects if not isinstance(effect, fx.SetTimer)]

    def run(self, for_ms: int) -> list[fx.Effect]:
        """Let time pass; what the timers led to."""
        end_ms = self.now_ms + for_ms
        effects: list[fx.Effect] = []
        while due := [at_ms for at_ms in self.timers if at_ms <= end_ms]:
            self.now_ms = max(self.now_ms, min(due))
            self.timers.remove(min(due))
            effects += self.feed(ev.TimerFired())
        self.now_ms = end_ms
        return effects

    def announce(self, peer: PeerId, *numbers: int) -> list[fx.Effect]:
        return self.feed(ev.Announced(peer, hashes(*numbers)))

    def deliver(self, peer: PeerId, *numbers: int) -> list[fx.Effect]:
        return self.feed(ev.Delivered(peer, tuple(raw(number) for number in numbers)))

    def add(self, *numbers: int) -> list[fx.Effect]:
        return self.feed(ev.Added(hashes(*numbers)))

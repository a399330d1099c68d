"""Everything that can happen to transaction gossip."""

from __future__ import annotations

from typing import TypeAlias

from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, PeerId


@frozen
class PeerCame:
    """A peer is connected; `waiting` are transactions of our pool that it may lack, newest last."""

    peer: PeerId
    waiting: tuple[Hash32, ...] = ()


@frozen
class PeerGone:
    """The connection to a peer has ended."""

    peer: PeerId


@frozen
class Announced:
    """A peer has these transactions."""

    peer: PeerId
    hashes: tuple[Hash32, ...]


@frozen
class Requested:
    """A peer wants these transactions."""

    peer: PeerId
    hashes: tuple[Hash32, ...]


@frozen
class LookedUp:
    """The answer to `Lookup`: the transactions that the pool has, in the order they were asked for."""

    peer: PeerId
    raws: tuple[bytes, ...]


@frozen
class Delivered:
    """A peer sent these transactions."""

    peer: PeerId
    raws: tuple[bytes, ...]


@frozen
class Added:
    """The pool has taken transactions, wherever they came from."""

    hashes: tuple[Hash32, ...]


@frozen
class Refused:
    """The pool has not taken a transaction of a peer."""

    hash: Hash32
    is_fault: bool = False
    """Whether no honest peer passes it on: it is no transaction, or not signed."""


@frozen
class TimerFired:
    """The time of a `SetTimer` has come."""


Input: TypeAlias = (
    PeerCame | PeerGone | Announced | Requested | LookedUp | Delivered | Added | Refused | TimerFired
)

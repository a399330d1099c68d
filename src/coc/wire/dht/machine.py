"""The table's machine: `step(now_ms, input) -> list[effect]`. The dispatch; what happens is in `handle/`.

One machine lives as long as its node. It is built with the node's own endpoint record, which it announces
once it has joined.
"""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Millis
from coc.wire.dht.effects import Effect
from coc.wire.dht.handle.message import on_message
from coc.wire.dht.handle.peer import on_dial_failed, on_peer_gone, on_peer_up
from coc.wire.dht.handle.started import on_started
from coc.wire.dht.handle.timer import on_timer
from coc.wire.dht.handle.wish import on_find_value, on_look_up, on_publish, on_withdraw
from coc.wire.dht.hosts import Contact
from coc.wire.dht.inputs import (
    DialFailed,
    FindValue,
    Input,
    LookUp,
    MessageReceived,
    PeerGone,
    PeerUp,
    Publish,
    Started,
    TimerFired,
    Withdraw,
)
from coc.wire.dht.records import Record, RecordInvalid, RecordKind
from coc.wire.dht.rules import Setup
from coc.wire.dht.state import Core, Publication


class Dht:
    """Knows nodes by their distance, finds others, holds and finds records."""

    def __init__(self, setup: Setup, own_record: Record) -> None:
        """Nothing is asked for before `Started`.

        Raises:
            RecordInvalid: `own_record` is not this node's endpoint record.
        """
        claim = own_record.claim
        if claim.kind is not RecordKind.ENDPOINT or claim.publisher != setup.public_key:
            raise RecordInvalid("not this node's endpoint record", cure="sign one with the network key")
        own_record.verify(setup.genesis_hash)
        self._core = Core.of(setup)
        self._core.publications[claim.key] = Publication(own_record, self._core.number())

    def step(self, now_ms: Millis, event: Input) -> list[Effect]:
        """Apply one input and return what must now be done, in order."""
        core = self._core
        match event:
            case Started():
                return on_started(core, now_ms)
            case PeerUp():
                return on_peer_up(core, now_ms, event)
            case PeerGone():
                return on_peer_gone(core, now_ms, event)
            case MessageReceived():
                return on_message(core, now_ms, event)
            case DialFailed():
                return on_dial_failed(core, now_ms, event)
            case TimerFired():
                return on_timer(core, now_ms, event)
            case LookUp():
                return on_look_up(core, now_ms, event)
            case FindValue():
                return on_find_value(core, now_ms, event)
            case Publish():
                return on_publish(core, now_ms, event)
            case Withdraw():
                return on_withdraw(core, event)
            case _:
                assert_never(event)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The nodes in the table, nearest buckets first."""
        return tuple(self._core.table)

    @property
    def records(self) -> int:
        """How many records are held for others."""
        return len(self._core.store)

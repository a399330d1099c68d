"""What follows when a request brings no answer, and when a peer shows that it lies (DHT-8, DHT-21)."""

from __future__ import annotations

from typing import assert_never

from coc.primitives.types import Millis, PeerId
from coc.wire.dht.announcing import stored
from coc.wire.dht.asking import close_all
from coc.wire.dht.effects import Effect, Misbehaved, PeersDiscovered
from coc.wire.dht.hosts import Contact
from coc.wire.dht.searching import query_failed
from coc.wire.dht.state import Core, Errand, Failure, Purpose


def errand_failed(core: Core, now_ms: Millis, peer: PeerId, errand: Errand, failure: Failure) -> list[Effect]:
    """Tell whoever waited for the answer; a node that was asked whether it lives and is silent leaves."""
    match errand.purpose:
        case Purpose.CHECK:
            core.checking.discard(errand.number)
            return [] if failure is Failure.GONE else discovered(core.table.remove(peer, now_ms))
        case Purpose.QUERY:
            return query_failed(core, now_ms, errand.number, peer, failure)
        case Purpose.STORE:
            return stored(core, now_ms, errand.number, is_held=False)
        case _:
            assert_never(errand.purpose)


def misbehaved(core: Core, now_ms: Millis, peer: PeerId, reason: str) -> list[Effect]:
    """A peer sent what no honest peer sends: report it, and have nothing to do with it for a while."""
    core.calls.bar(peer, now_ms)
    effects: list[Effect] = [Misbehaved(peer, reason), *discovered(core.table.remove(peer, now_ms))]
    for request in close_all(core, peer):
        effects += errand_failed(core, now_ms, peer, request.errand, Failure.SILENT)
    return effects


def discovered(contact: Contact | None) -> list[Effect]:
    """A node has entered the table, perhaps."""
    return [] if contact is None else [PeersDiscovered((contact,))]

"""A peer is connected, is gone, or could not be reached."""

from __future__ import annotations

from coc.primitives.limits_dht import CONNECTED_PEERS_MAX
from coc.primitives.types import Millis
from coc.wire.dht.asking import ask_again, close_all, connected, give_up_dial
from coc.wire.dht.budget import Budget
from coc.wire.dht.effects import Effect
from coc.wire.dht.hosts import Contact, Host, parse_host
from coc.wire.dht.inputs import DialFailed, PeerGone, PeerUp
from coc.wire.dht.outcomes import discovered, errand_failed
from coc.wire.dht.state import Core, Failure, Peer
from coc.wire.dht.table import Place
from coc.wire.dht.upkeep import check_oldest, join_if_new


def on_peer_up(core: Core, now_ms: Millis, event: PeerUp) -> list[Effect]:
    """Serve a peer from now on; enter it if it can be dialled (DHT-4)."""
    if event.peer == core.setup.own:
        return []
    if event.peer not in core.peers and len(core.peers) >= CONNECTED_PEERS_MAX:
        return []
    host = parse_host(event.host)
    known = core.peers.get(event.peer)
    if known is None:
        core.peers[event.peer] = Peer(event.public_key, host, Budget(now_ms))
    else:
        known.host = host
    effects = connected(core, now_ms, event.peer)
    if not core.calls.is_barred(event.peer, now_ms):
        effects += _enter(core, now_ms, event, host)
    return effects


def on_peer_gone(core: Core, now_ms: Millis, event: PeerGone) -> list[Effect]:
    """A connection ended; the node may well be alive, so what was asked over it is asked again (DHT-13)."""
    requests = close_all(core, event.peer)
    core.peers.pop(event.peer, None)
    effects: list[Effect] = []
    for request in requests:
        asked = ask_again(core, now_ms, request)
        if asked is None:
            asked = errand_failed(core, now_ms, event.peer, request.errand, Failure.GONE)
        effects += asked
    return effects


def on_dial_failed(core: Core, now_ms: Millis, event: DialFailed) -> list[Effect]:
    """Nobody was at an address, or somebody else."""
    number = core.calls.dialled.get(event.peer) if event.peer is not None else None
    if number is None:
        return []
    contact = core.calls.dials[number].contact
    is_this_dial = (contact.host_text, contact.port) == (event.host, event.port)
    return end_dial(core, now_ms, number) if is_this_dial else []


def end_dial(core: Core, now_ms: Millis, number: int) -> list[Effect]:
    """A dial came to nothing: what waited for it fails, and the table counts it (DHT-8)."""
    dialling = give_up_dial(core, now_ms, number)
    if dialling is None:
        return []
    contact, effects = dialling.contact, list[Effect]()
    entry = core.table.find(contact.id)
    if entry is not None and entry.contact == contact:
        effects += discovered(core.table.failed(contact.id, now_ms))
    for errand in dialling.errands:
        effects += errand_failed(core, now_ms, contact.id, errand, Failure.UNREACHABLE)
    return effects


def _enter(core: Core, now_ms: Millis, event: PeerUp, host: Host) -> list[Effect]:
    if event.port == 0:
        core.table.heard(event.peer, now_ms)
        return []
    contact = Contact(event.peer, host, event.port)
    core.calls.unreachable.pop(contact, None)
    place = core.table.admit(contact, now_ms)
    if place is Place.SPARE:
        return check_oldest(core, now_ms, core.table.bucket(event.peer))
    effects = discovered(contact if place is Place.ENTERED else None)
    return [*effects, *join_if_new(core, now_ms)]

"""One table on a stage: the test speaks for its peers and for the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.distance import bucket_of, distance
from coc.wire.dht.hosts import Contact, Host, HostPolicy, parse_host
from coc.wire.dht.machine import Dht
from coc.wire.dht.messages import Body, Pong, Stored, Verdict, decode_message, encode_message
from coc.wire.dht.rules import peer_id_of
from coc.wire.dht.state import Core
from tests.wire.dht.network import START_MS, Identity, setup_of

E = TypeVar("E", bound=fx.Effect)

OWN = Identity.of(1, "8.8.8.8")


def host(number: int) -> str:
    """A host of its own for each number."""
    return f"9.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def signer(number: int) -> Identity:
    """A peer that can sign."""
    return Identity.of(1_000 + number, host(number))


@dataclass(frozen=True)
class Stranger:
    """A peer whose key nobody needs: it signs nothing."""

    public_key: bytes
    contact: Contact

    @classmethod
    def of(cls, number: int, at: str = "", port: int = 30_303) -> Stranger:
        public_key = keccak256(b"key" + number.to_bytes(8, "big")) * 2
        return cls(public_key, Contact(peer_id_of(public_key), parse_host(at or host(number)), port))

    @property
    def id(self) -> PeerId:
        return self.contact.id

    def up(self) -> ev.PeerUp:
        return ev.PeerUp(self.id, self.public_key, self.contact.host_text, self.contact.port)


Anyone = Identity | Stranger


def strangers(*, bucket: int, own: PeerId = OWN.id) -> Iterator[Stranger]:
    """Strangers that belong in one bucket, without end."""
    number = 0
    while True:
        number += 1
        one = Stranger.of(number)
        if bucket_of(own, one.id) == bucket:
            yield one


def contact_at(offset: int, at: str = "", own: bytes = OWN.id) -> Contact:
    """A contact at exactly this distance from an id."""
    peer = (int.from_bytes(own, "big") ^ offset).to_bytes(32, "big")
    return Contact(PeerId(peer), parse_host(at) if at else Host(b"\x09" + keccak256(peer)[:3]), 30_303)


def nearest_first(target: bytes, contacts: Sequence[Contact]) -> tuple[Contact, ...]:
    return tuple(sorted(contacts, key=lambda one: distance(target, one.id)))


def of_kind(effects: Sequence[fx.Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


@dataclass(frozen=True)
class Said:
    """A message that left."""

    peer: PeerId
    request: int
    body: Body


def said(effects: Sequence[fx.Effect]) -> list[Said]:
    return [Said(one.peer, *decode_message(one.data)) for one in of_kind(effects, fx.Send)]


def bodies(effects: Sequence[fx.Effect]) -> list[Body]:
    return [one.body for one in said(effects)]


def timers(effects: Sequence[fx.Effect], kind: ev.TimerKind) -> list[fx.SetTimer]:
    return [one for one in of_kind(effects, fx.SetTimer) if one.timer.kind is kind]


def reasons(effects: Sequence[fx.Effect]) -> list[str]:
    return [one.reason for one in of_kind(effects, fx.Misbehaved)]


class Stage:
    """One machine and the time. It has not been told `Started`, so it asks nothing by itself."""

    def __init__(self, policy: HostPolicy | None = None, *bootstraps: Contact) -> None:
        self.now_ms = START_MS
        self.dht = Dht(setup_of(OWN, *bootstraps, policy=policy), OWN.endpoint())

    @property
    def core(self) -> Core:
        return self.dht._core

    def feed(self, event: ev.Input, after_ms: int = 0) -> list[fx.Effect]:
        self.now_ms += after_ms
        return self.dht.step(Millis(self.now_ms), event)

    def up(self, *peers: Anyone) -> list[fx.Effect]:
        return [effect for peer in peers for effect in self.feed(peer.up())]

    def hear(self, peer: Anyone, request: int, body: Body) -> list[fx.Effect]:
        return self.feed(ev.MessageReceived(peer.id, encode_message(request, body)))

    def fire(self, timer: fx.SetTimer) -> list[fx.Effect]:
        """Let a timer go off at its time."""
        self.now_ms = max(self.now_ms, timer.at_ms)
        return self.feed(ev.TimerFired(timer.timer))

    def fire_all(self, effects: Sequence[fx.Effect], kind: ev.TimerKind) -> list[fx.Effect]:
        return [effect for timer in timers(effects, kind) for effect in self.fire(timer)]

    def reply(self, to: Said, body: Body) -> list[fx.Effect]:
        return self.feed(ev.MessageReceived(to.peer, encode_message(to.request, body)))

    def reply_all(self, effects: Sequence[fx.Effect], body: Body) -> list[fx.Effect]:
        """Answer every question that left with the same words."""
        return [effect for one in said(effects) for effect in self.reply(one, body)]

    def look_up(self, target: bytes, ticket: int = 7) -> list[fx.Effect]:
        return self.feed(ev.LookUp(ticket, Hash32(target)))

    def ids(self) -> list[PeerId]:
        return [contact.id for contact in self.dht.contacts]


PONG = Pong()
HELD = Stored(Verdict.HELD)

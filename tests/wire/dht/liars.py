"""Nodes that lie: each fills the place of a machine in the network and answers as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from coc.primitives.frozen import replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits_dht import BUCKET_ENTRIES_MAX, DHT_MESSAGE_BYTES_MAX
from coc.primitives.types import Hash32, Millis, PeerId
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.distance import bucket_of
from coc.wire.dht.hosts import Contact, Host
from coc.wire.dht.messages import (
    FindNode,
    FindValue,
    MessageInvalid,
    Nodes,
    Ping,
    Pong,
    Question,
    Store,
    Stored,
    Values,
    Verdict,
    decode_message,
    encode_message,
)
from coc.wire.dht.rules import peer_id_of
from tests.wire.dht.network import PORT, Identity, Network, Node
from tests.wire.dht.playbook import nearest_first

Lie = Callable[["Liar", int, Question], bytes]


@dataclass
class Liar:
    """Answers every question with a lie; asks nothing."""

    identity: Identity
    lie: Lie
    friends: list[Contact] = field(default_factory=list)
    asked: int = 0

    def step(self, now_ms: Millis, event: ev.Input) -> list[fx.Effect]:
        if not isinstance(event, ev.MessageReceived):
            return []
        try:
            request, body = decode_message(event.data)
        except MessageInvalid:
            return []
        if not isinstance(body, Ping | FindNode | FindValue | Store):
            return []
        self.asked += 1
        data = self.lie(self, request, body)
        return [fx.Send(event.peer, data)] if data else []

    def told(self, request: int, question: Question, contacts: list[Contact]) -> bytes:
        """A well-formed answer that names these."""
        match question:
            case Ping():
                return encode_message(request, Pong())
            case Store():
                return encode_message(request, Stored(Verdict.HELD))
            case FindNode(target):
                return encode_message(request, Nodes(nearest_first(target, contacts)[:BUCKET_ENTRIES_MAX]))
            case FindValue(key):
                return encode_message(request, Values((), nearest_first(key, contacts)[:BUCKET_ENTRIES_MAX]))


def target_of(question: Question) -> Hash32:
    match question:
        case FindNode(target) | FindValue(target):
            return target
        case _:
            return Hash32(bytes(32))


def names_friends(liar: Liar, request: int, question: Question) -> bytes:
    """Names the other attackers and nobody else."""
    return liar.told(request, question, liar.friends)


def invents_nodes(liar: Liar, request: int, question: Question) -> bytes:
    """Names ever nearer nodes that do not exist."""
    target = int.from_bytes(target_of(question), "big")
    invented = []
    for number in range(BUCKET_ENTRIES_MAX):
        offset = int.from_bytes(keccak256(b"%d %d" % (liar.asked, number)), "big") >> (8 + liar.asked)
        peer = PeerId((target ^ offset).to_bytes(32, "big"))
        invented.append(Contact(peer, Host(b"\x07" + keccak256(peer)[:3]), PORT))
    return liar.told(request, question, invented)


def misplaces_nodes(liar: Liar, request: int, question: Question) -> bytes:
    """Names honest nodes at addresses where others live."""
    places = [friend.host for friend in liar.friends]
    moved = [replace(one, host=places[number - 1]) for number, one in enumerate(liar.friends)]
    return liar.told(request, question, moved)


def forges_records(liar: Liar, request: int, question: Question) -> bytes:
    """Answers with a record under the key asked for, which nobody signed."""
    if not isinstance(question, FindValue):
        return names_friends(liar, request, question)
    record = liar.identity.endpoint()
    forged = replace(record, claim=replace(record.claim, key=question.key, sequence=2**63))
    return encode_message(request, Values((forged,), ()))


def talks_too_long(liar: Liar, request: int, question: Question) -> bytes:
    """Answers with more bytes than a message may have."""
    return names_friends(liar, request, question) + bytes(DHT_MESSAGE_BYTES_MAX)


def says_nothing(liar: Liar, request: int, question: Question) -> bytes:
    """Takes every question and answers none."""
    return b""


def near(victim: PeerId, bits: int, number: int, host: str) -> Identity:
    """An identity that shares its first bits with a victim's; ground, as an attacker would."""
    tried = 0
    while True:
        tried += 1
        public_key = keccak256(b"sybil %d %d" % (number, tried)) * 2
        peer = peer_id_of(public_key)
        if bucket_of(victim, peer) < 256 - bits:
            spare = Identity.of(number, host, PORT)
            return replace(spare, public_key=public_key, contact=replace(spare.contact, id=peer))


def surround(network: Network, victim: Node, identities: list[Identity]) -> list[Node]:
    """Attackers that know only each other and all connect to a victim."""
    friends = [identity.contact for identity in identities]
    attackers = []
    for identity in identities:
        attacker = network.place(Node(identity, Liar(identity, names_friends, friends)))
        network.link(attacker, victim)
        attackers.append(attacker)
    return attackers

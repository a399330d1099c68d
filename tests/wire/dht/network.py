"""A network of tables in memory, on virtual time, driven by one seed: latency, loss, hosts that die.

Every node is whatever has `step`: the real machine, or a liar that fills the same place. A connection needs a
dial that finds the right identity; both ends then get `PeerUp`. Each node keeps a limited number of
connections and drops the one used least recently, so lookups must dial. Messages and dials are lost at
random, without a word.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, public_key_of, secret_of, sign
from coc.primitives.types import Hash32, Millis, PeerId, Seconds
from coc.wire.dht import effects as fx
from coc.wire.dht import inputs as ev
from coc.wire.dht.distance import distance
from coc.wire.dht.endpoints import Endpoint, Role, endpoint_claim
from coc.wire.dht.hosts import Contact, HostPolicy, parse_host
from coc.wire.dht.machine import Dht
from coc.wire.dht.records import Claim, Record
from coc.wire.dht.rules import Bootstrap, Setup, peer_id_of

GENESIS = Hash32(b"g" * 32)
START_MS = 1_700_000_000_000
DAY_SECONDS = 86_400
PORT = 30_303


class Machine(Protocol):
    """What a node runs: honest or not."""

    def step(self, now_ms: Millis, event: ev.Input) -> list[fx.Effect]: ...


@dataclass(frozen=True)
class Identity:
    """A node's key, id and address."""

    secret: Secret
    public_key: bytes
    contact: Contact

    @classmethod
    def of(cls, number: int, host: str, port: int = PORT) -> Identity:
        secret = secret_of(keccak256(b"node" + number.to_bytes(8, "big")))
        public_key = public_key_of(secret)
        return cls(secret, public_key, Contact(peer_id_of(public_key), parse_host(host), port))

    @property
    def id(self) -> PeerId:
        return self.contact.id

    def sign(self, claim: Claim) -> Record:
        return Record(claim, sign(self.secret, claim.digest(GENESIS)))

    def endpoint(self, sequence: int = 1, expiry: int = START_MS // 1_000 + DAY_SECONDS) -> Record:
        endpoint = Endpoint(self.contact.host, self.contact.port, Role.FULL)
        return self.sign(endpoint_claim(self.public_key, endpoint, sequence, Seconds(expiry)))

    def up(self) -> ev.PeerUp:
        return ev.PeerUp(self.id, self.public_key, self.contact.host_text, self.contact.port)


def setup_of(identity: Identity, *bootstraps: Contact, policy: HostPolicy | None = None) -> Setup:
    return Setup(
        GENESIS,
        identity.public_key,
        b"randomness of " + identity.id,
        tuple(Bootstrap(one.host_text, one.port) for one in bootstraps),
        policy or HostPolicy(),
    )


@dataclass
class Node:
    """A machine, its connections in the order of their last use, and what it told the node around it."""

    identity: Identity
    machine: Machine
    is_up: bool = True
    links: dict[PeerId, None] = field(default_factory=dict)
    told: list[fx.Effect] = field(default_factory=list)
    dials: int = 0

    @property
    def id(self) -> PeerId:
        return self.identity.id

    @property
    def dht(self) -> Dht:
        assert isinstance(self.machine, Dht)
        return self.machine

    def reports(self) -> list[tuple[PeerId, str]]:
        return [(one.peer, one.reason) for one in self.told if isinstance(one, fx.Misbehaved)]


@dataclass
class Network:
    """All nodes, the time, and what will happen."""

    seed: int
    loss: float = 0.0
    links_max: int = 48
    now_ms: int = START_MS
    nodes: dict[PeerId, Node] = field(default_factory=dict)
    is_recorded: bool = False
    digest: str = ""
    """What the whole run comes to, if it is recorded."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._places: dict[tuple[str, int], PeerId] = {}
        self._agenda: list[tuple[int, int, PeerId, ev.Input]] = []
        self._count = 0

    # ── who is there ────────────────────────────────────────────────────────────────────────────────────

    def add(
        self,
        *bootstraps: Contact,
        host: str = "",
        machine: Callable[[Identity], Machine] | None = None,
        starts: bool = True,
    ) -> Node:
        """One more node, at a host of its own unless told otherwise."""
        number = len(self.nodes)
        identity = Identity.of(
            self.seed * 100_000 + number, host or f"8.{number >> 8}.{number & 255}.1", PORT + number
        )
        made = machine(identity) if machine else Dht(setup_of(identity, *bootstraps), identity.endpoint())
        return self.place(Node(identity, made), starts=starts)

    def place(self, node: Node, *, starts: bool = True) -> Node:
        """Put a node where its contact says."""
        self.nodes[node.id] = node
        contact = node.identity.contact
        self._places[contact.host_text, contact.port] = node.id
        if starts:
            self._plan(0, node.id, ev.Started())
        return node

    def meet(self, node: Node, nearest: int, random: int) -> None:
        """Connect a node to some of its neighbours and to some at random."""
        ids = self.nearest(node.id, nearest, node.id)
        ids += self.dice.sample(list(self.nodes), min(random, len(self.nodes)))
        for peer in ids:
            self.link(node, self.nodes[peer])

    def leave(self, node: Node) -> None:
        """A host dies: its connections break, and nobody answers there any more."""
        node.is_up = False
        for peer in node.links:
            del self.nodes[peer].links[node.id]
            self._plan(0, peer, ev.PeerGone(node.id))
        node.links.clear()

    def link(self, one: Node, other: Node) -> None:
        """Connect two nodes: both ends are up before either's first message arrives."""
        if other.id in one.links or one is other:
            return
        latency_ms = self._latency()
        for here, there in ((one, other), (other, one)):
            here.links[there.id] = None
            self._plan(latency_ms, here.id, there.identity.up())
            if len(here.links) > self.links_max:
                self.unlink(here, self.nodes[next(iter(here.links))])

    def unlink(self, one: Node, other: Node) -> None:
        for here, there in ((one, other), (other, one)):
            del here.links[there.id]
            self._plan(0, here.id, ev.PeerGone(there.id))

    def honest(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.is_up and isinstance(node.machine, Dht)]

    def nearest(self, target: bytes, count: int, without: PeerId | None = None) -> list[PeerId]:
        """What a perfect lookup finds."""
        ids = [node.id for node in self.nodes.values() if node.is_up and node.id != without]
        return sorted(ids, key=lambda peer: distance(target, peer))[:count]

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, duration_ms: int) -> None:
        """Let time pass."""
        end_ms = self.now_ms + duration_ms
        while self._agenda and self._agenda[0][0] <= end_ms:
            self.now_ms, _, peer, event = heapq.heappop(self._agenda)
            self.feed(self.nodes[peer], event)
        self.now_ms = end_ms

    def feed(self, node: Node, event: ev.Input) -> None:
        """Hand one input to a node, and carry out what it asks for."""
        if not node.is_up:
            return
        if isinstance(event, ev.MessageReceived | ev.PeerUp) and event.peer not in node.links:
            return
        effects = node.machine.step(Millis(self.now_ms), event)
        if self.is_recorded:
            self.digest = hashlib.sha256(f"{self.digest}{self.now_ms}{effects}".encode()).hexdigest()
        for effect in effects:
            self._perform(node, effect)

    def look_up(self, node: Node, target: bytes, patience_ms: int = 60_000) -> list[PeerId]:
        """The ids that a lookup finds."""
        ticket = len(node.told)
        self.feed(node, ev.LookUp(ticket, Hash32(target)))
        self.run(patience_ms)
        found = [e for e in node.told if isinstance(e, fx.LookedUp) and e.ticket == ticket]
        return [contact.id for one in found for contact in one.contacts]

    def find(self, node: Node, key: Hash32, patience_ms: int = 60_000) -> list[Record]:
        """The records that a search finds."""
        ticket = len(node.told)
        self.feed(node, ev.FindValue(ticket, key))
        self.run(patience_ms)
        return [
            record
            for effect in node.told
            if isinstance(effect, fx.Found) and effect.ticket == ticket
            for record in effect.records
        ]

    def _perform(self, node: Node, effect: fx.Effect) -> None:
        match effect:
            case fx.Send(peer, data):
                if peer in node.links and not self._is_lost():
                    self._use(node, peer)
                    self._plan(self._latency(), peer, ev.MessageReceived(node.id, data))
            case fx.Dial(host, port, peer):
                node.dials += 1
                self._dial(node, host, port, peer)
            case fx.SetTimer(timer, at_ms):
                self._plan(max(0, at_ms - self.now_ms), node.id, ev.TimerFired(timer))
            case _:
                node.told.append(effect)

    def _dial(self, node: Node, host: str, port: int, peer: PeerId | None) -> None:
        if self._is_lost():
            return
        there = self.nodes.get(self._places.get((host, port), PeerId(b"")))
        if there is None or not there.is_up or peer not in {None, there.id}:
            self._plan(self._latency(), node.id, ev.DialFailed(host, port, peer))
        else:
            self.link(node, there)

    def _use(self, node: Node, peer: PeerId) -> None:
        del node.links[peer]
        node.links[peer] = None

    def _plan(self, in_ms: int, peer: PeerId, event: ev.Input) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (self.now_ms + in_ms, self._count, peer, event))

    def _latency(self) -> int:
        return self.dice.randrange(5, 60)

    def _is_lost(self) -> bool:
        return self.loss > 0 and self.dice.random() < self.loss


def grown(seed: int, count: int, *, loss: float = 0.0, is_recorded: bool = False) -> Network:
    """Nodes that joined one after the other, each by the address of one that was there before."""
    network = Network(seed, loss=loss, is_recorded=is_recorded)
    network.add()
    while len(network.nodes) < count:
        one = network.dice.choice(list(network.nodes.values()))
        network.add(one.identity.contact)
        network.run(500)
    network.run(60_000)
    return network


def seasoned(seed: int, count: int, *, loss: float = 0.0, links_max: int = 48) -> Network:
    """Nodes that have met long ago: each knows its neighbours and some others, and only answers."""
    network = Network(seed, loss=loss, links_max=links_max)
    for _ in range(count):
        network.add(starts=False)
    for node in list(network.nodes.values()):
        network.meet(node, nearest=12, random=12)
        network.run(60)
    return network

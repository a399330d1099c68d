"""The network as a node holds it: peers that are up, messages to and from them, and a clock for it all.

It performs what the peer book asks for, and passes on what sessions tell. Everything runs on the loop's
thread; the router is called there too and must not wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import assert_never

from coc.adapters.http_gossip.gossip import HttpGossip
from coc.adapters.log_lines import LOGGER
from coc.adapters.wire.dialer import Dialer
from coc.adapters.wire.link import Link
from coc.adapters.wire.listening import place_of
from coc.adapters.wire.names import Names
from coc.adapters.wire.network_setup import NetworkSetup, Router, bound_at
from coc.adapters.wire.noise import fresh_noise
from coc.adapters.wire.peer_log import log_connected, log_ended
from coc.adapters.wire.peer_store import PeerStore
from coc.adapters.wire.traffic import Traffic
from coc.adapters.wire.wishes import Wishes
from coc.primitives.limits_wire import REPUTATION_BAN_POINTS_MIN, WIRE_LINGER_MS, WIRE_TICK_MS
from coc.primitives.types import Millis, PeerId
from coc.wire.addresses import PeerAddress, is_loopback
from coc.wire.control import decode_addresses, encode_addresses
from coc.wire.errors import Reason, RemoteError
from coc.wire.events import Closed, Event, Opened, Proven, Received
from coc.wire.handshake import HandshakeSetup
from coc.wire.identity import Identity, Offer, PeerFacts
from coc.wire.kinds import ADDRESSES, GET_ADDRESSES, Kind
from coc.wire.peer_book import effects as fx
from coc.wire.peer_book import inputs as ev
from coc.wire.peer_book.machine import PeerBook
from coc.wire.peer_book.rules import BookSetup
from coc.wire.session import Session

MISBEHAVIOUR_POINTS = 60
"""What a report costs where the layer names no points: two within minutes are a ban."""


class Network:
    """Keeps the connections of a node."""

    def __init__(self, loop: asyncio.AbstractEventLoop, setup: NetworkSetup, router: Router) -> None:
        """Bind the address; nobody is accepted or dialled before `start`.

        Raises:
            ListenFailed: the address is in use or not ours.
        """
        self._loop = loop
        self._router = router
        self._epoch_ms = time.time_ns() // 1_000_000 - int(loop.time() * 1000)
        self._socket = bound_at(setup.listen)
        host, self.port = place_of(self._socket)
        identity = Identity(setup.identity)
        self.peer, self.public_key = identity.peer, identity.public_key
        offer = Offer(setup.advertised_port or self.port, setup.roles)
        self._handshakes = HandshakeSetup(identity, setup.chain, fresh_noise(), offer)
        self._store = PeerStore(setup.folder)
        is_development = setup.is_development or is_loopback(host)
        book = BookSetup(identity.peer, setup.persistent, setup.seeds, is_development)
        self._book = PeerBook(book, self._store.load(self._now()), self._now())
        listening = None if setup.http is None else bound_at(setup.http)
        whose = (setup.identity, setup.chain.genesis_hash)
        self._http = HttpGossip(loop, self, whose, (listening, setup.http_proxy))
        self.http_port = self._http.port
        self._dialer = Dialer(loop, self._http, lambda number: Link(self, number), self._on_dial_failed)
        self._names = Names(loop, setup.persistent, lambda address: self.found(address, None))
        self._traffic = Traffic()
        self._links: dict[int, Link] = {}
        self._dials: dict[int, fx.Dial] = {}
        self._peers: dict[PeerId, tuple[Link, PeerFacts]] = {}
        self._wishes = Wishes()
        self._inputs: deque[ev.Input] = deque()
        self._is_stepping = False
        self._to_flush: set[Link] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None
        self._saving: asyncio.Future[None] | None = None
        self._is_closing = False
        self._all_gone = asyncio.Event()

    # ── Life ────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> int:
        """Accept connections and begin to dial; the port that peers reach us at."""
        self._server = await self._loop.create_server(lambda: Link(self), sock=self._socket)
        await self._http.start()
        self._tick()
        return self.port

    async def close(self) -> None:
        """Say goodbye to everybody, give them a moment to read it, and save what is known."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._server is None:
            self._socket.close()
        else:
            self._server.close()
        self._http.stop()
        await self._dialer.close()
        await self._names.close()
        for link in tuple(self._links.values()):
            link.leave(Reason.SHUTTING_DOWN)
        await self._until_gone()
        await self._http.close()
        if self._saving is not None:
            await self._saving
        data = self._book.encode(self._now())
        await self._loop.run_in_executor(None, self._store.save, data)

    async def _until_gone(self) -> None:
        if not self._links:
            return
        try:
            async with asyncio.timeout(WIRE_LINGER_MS / 1000):
                await self._all_gone.wait()
        except TimeoutError:
            for link in tuple(self._links.values()):
                link.drop()
            await self._all_gone.wait()

    # ── What the node asks for ──────────────────────────────────────────────────────────────────────────────

    def send(self, peer: PeerId, kind: Kind, payload: bytes) -> bool:
        """Send a peer a message; False where it is gone, or there is no room and it should be sent later."""
        found = self._peers.get(peer)
        return found is not None and self._send(found[0], kind, payload)

    def broadcast(self, kind: Kind, payload: bytes) -> int:
        """Send every peer a message; how many it is on its way to."""
        links = [link for link, _ in self._peers.values()]
        return sum(self._send(link, kind, payload) for link in links)

    def peers(self) -> tuple[PeerFacts, ...]:
        """Everybody who is connected."""
        return tuple(facts for _, facts in self._peers.values())

    def misbehaved(self, peer: PeerId, reason: str, points: int = MISBEHAVIOUR_POINTS) -> None:
        """A layer saw a peer do what no honest peer does; 100 points are a ban."""
        LOGGER.info("peer misbehaved", extra={"fields": {"peer": peer.hex(), "why": reason}})
        self._step(ev.PeerReported(peer, points))

    def dial(self, address: PeerAddress, peer: PeerId | None, on_failed: Callable[[], None]) -> None:
        """Connect to a node for a question; the router hears that it is up, or `on_failed` is called.

        Neither happens for a peer that is connected already.
        """
        if peer in self._peers:
            return
        self._wishes.add(address, peer, on_failed)
        self._step(ev.DialWanted(address, peer))

    def found(self, address: PeerAddress, peer: PeerId | None) -> None:
        """A node has been seen at an address: worth a dial when there is room."""
        self._step(ev.AddressFound(address, peer))

    def set_validators(self, peers: frozenset[PeerId]) -> None:
        """These identities are let in beyond the inbound share."""
        self._step(ev.PrivilegedChanged(peers))

    def administer(self, event: ev.Administered) -> None:
        """An operator wants something of the peer book."""
        self._step(event)

    @property
    def book(self) -> PeerBook:
        """What is known of peers, to be looked at."""
        return self._book

    def connected(self) -> tuple[tuple[PeerFacts, bool], ...]:
        """Everybody who is connected, and whether over HTTP."""
        return tuple((facts, link.is_over_http) for link, facts in self._peers.values())

    def _send(self, link: Link, kind: Kind, payload: bytes) -> bool:
        if not self._traffic.has_room_for(kind, payload):
            return False
        is_taken = link.send(kind, payload)
        self._traffic.count(link)
        if not self._to_flush:
            self._loop.call_soon(self._flush)
        self._to_flush.add(link)
        return is_taken

    def _flush(self) -> None:
        links, self._to_flush = self._to_flush, set()
        for link in links:
            link.flush()
            self._traffic.count(link)

    # ── What links tell ─────────────────────────────────────────────────────────────────────────────────────

    def begin(self, link: Link) -> Session | None:
        """A socket is connected: its session, or None where there is no room for strangers."""
        if self._is_closing:
            return None
        dial = self._dials.pop(link.number, None)
        if dial is None and link.is_dialled:
            return None
        if dial is None:
            for effect in self._book.step(self._now(), ev.ConnectionOffered(link.host)):
                if isinstance(effect, fx.Admit):
                    link.number = effect.connection
            if not link.number:
                return None
        else:
            link.address = dial.address
        self._links[link.number] = link
        return Session(
            self._handshakes,
            self.now_ms(),
            is_initiator=dial is not None,
            expected=link.claimed if dial is None or dial.expected is None else dial.expected,
        )

    def new_link(self) -> Link:
        """A link for somebody who comes over HTTP."""
        return Link(self)

    def is_host_banned(self, host: str) -> bool:
        """Whether an address stays out."""
        return self._book.is_host_banned(self._now(), host)

    def blame_address(self, host: str, points: int) -> None:
        """Somebody at this address sent what no honest node sends, and proved nothing."""
        if points:
            self._step(ev.AddressReported(host, points))

    def on_events(self, link: Link, events: list[Event]) -> None:
        """A session has something to tell."""
        for event in events:
            match event:
                case Proven(peer, channel_hash):
                    link.proven = peer
                    self._step(ev.PeerProven(link.number, link.host, peer, channel_hash))
                case Opened():
                    self._on_opened(link)
                case Received(kind, payload):
                    self._on_received(link, kind, payload)
                case Closed():
                    self._on_closed(link, event)
                case _:
                    assert_never(event)
        self._traffic.count(link)
        greediest = self._traffic.greediest()
        if greediest is not None:
            greediest.leave(Reason.TOO_SLOW)

    def on_gone(self, link: Link) -> None:
        """A socket is closed."""
        if self._links.get(link.number) is link:
            del self._links[link.number]
        self._traffic.forget(link)
        if self._is_closing and not self._links:
            self._all_gone.set()

    def now_ms(self) -> int:
        """Unix time as it was at the start, moved on by a clock that does not jump."""
        return self._epoch_ms + int(self._loop.time() * 1000)

    def _on_opened(self, link: Link) -> None:
        facts = link.facts()
        if facts is None:
            return
        self._peers[facts.peer] = (link, facts)
        self._wishes.fulfil(facts.peer, link.address)
        self._step(ev.ConnectionOpened(link.number))
        log_connected(facts)
        self._tell(lambda: self._router.on_peer_up(facts.peer, facts))

    def _on_received(self, link: Link, kind: Kind, payload: bytes) -> None:
        facts = link.facts()
        if facts is None or self._peers.get(facts.peer, (None,))[0] is not link:
            return  # parted from while the rest of what it sent was being read
        if kind is GET_ADDRESSES:
            self._step(ev.AddressesAsked(link.number))
        elif kind is ADDRESSES:
            self._on_addresses(link, facts.peer, payload)
        else:
            self._tell(lambda: self._router.on_message(facts.peer, kind, payload))

    def _on_addresses(self, link: Link, peer: PeerId, payload: bytes) -> None:
        try:
            addresses = decode_addresses(payload)
        except RemoteError as error:
            self.misbehaved(peer, str(error), REPUTATION_BAN_POINTS_MIN)
        else:
            self._step(ev.AddressesTold(link.number, tuple(addresses)))

    def _on_closed(self, link: Link, event: Closed) -> None:
        facts = link.facts()
        is_peers_fault = event.error is not None and not event.is_peers_word
        log_ended(link, event)
        if facts is not None and self._peers.get(facts.peer, (None,))[0] is link:
            del self._peers[facts.peer]
            self._tell(lambda: self._router.on_peer_down(facts.peer))
        self._step(ev.ConnectionEnded(link.number, event.reason, is_peers_fault))

    def _on_dial_failed(self, number: int, why: str) -> None:
        dial = self._dials.pop(number, None)
        if dial is not None:
            LOGGER.debug("dial failed", extra={"fields": {"address": str(dial.address), "why": why}})
        self._step(ev.ConnectionEnded(number, Reason.LOST))

    def _tell(self, call: Callable[[], None]) -> None:
        """Call the router: a defect there must not cost a peer its connection, or us the loop."""
        try:
            call()
        except Exception:  # noqa: BLE001 - the edge: what a layer raises ends here, with its traceback
            LOGGER.exception("a message could not be handled")

    # ── Book and clock ──────────────────────────────────────────────────────────────────────────────────────

    def _tick(self) -> None:
        self._timer = self._loop.call_later(WIRE_TICK_MS / 1000, self._tick)
        now_ms = self.now_ms()
        for link in tuple(self._links.values()):
            link.tick(now_ms)
        self._http.tick(now_ms)
        self._names.tick(now_ms)
        self._step(ev.Ticked())

    def _step(self, event: ev.Input) -> None:
        """Hand the book an input; one that comes of an effect waits for the rest of them."""
        self._inputs.append(event)
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while self._inputs:
                for effect in self._book.step(self._now(), self._inputs.popleft()):
                    self._perform(effect)
        finally:
            self._is_stepping = False

    def _perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Dial():
                self._dials[effect.connection] = effect
                self._dialer.dial(effect.connection, effect.address)
            case fx.Welcome() | fx.Leave() | fx.Probe() | fx.AskAddresses() | fx.TellAddresses():
                link = self._links.get(effect.connection)
                if link is not None:
                    self._perform_on(link, effect)
            case fx.DialGivenUp(address, peer):
                for on_failed in self._wishes.give_up(address, peer):
                    self._tell(on_failed)
            case fx.Banned(subject, until_ms):
                LOGGER.warning("banned", extra={"fields": {"who": subject, "until_ms": until_ms}})
            case fx.Save(data):
                self._save(data)
            case fx.Admit():
                raise AssertionError("admission is asked where a socket connects, and nowhere else")
            case _:
                assert_never(effect)

    def _perform_on(
        self, link: Link, effect: fx.Welcome | fx.Leave | fx.Probe | fx.AskAddresses | fx.TellAddresses
    ) -> None:
        match effect:
            case fx.Welcome():
                link.accept()
            case fx.Leave(_, reason):
                link.leave(reason)
            case fx.Probe():
                link.ping()
            case fx.AskAddresses():
                self._send(link, GET_ADDRESSES, b"")
            case fx.TellAddresses(_, addresses):
                self._send(link, ADDRESSES, encode_addresses(addresses))
            case _:
                assert_never(effect)

    def _save(self, data: bytes) -> None:
        if self._saving is None or self._saving.done():
            self._saving = self._loop.run_in_executor(None, self._store.save, data)

    def _now(self) -> Millis:
        return Millis(self.now_ms())

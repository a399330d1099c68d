"""Asking a node for the genesis of its chain, by somebody who knows nothing of it but the hash.

One connection for one question (WIRE-37). The caller shakes hands as a node of the chain, which the hash is
enough for, under an identity that is forgotten afterwards, and says that it accepts no connections. What
comes back is believed only if it has that hash.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final, assert_never

from coc import _native
from coc.adapters.http_gossip.client import HttpDialer
from coc.adapters.http_gossip.gossip import wall_ms
from coc.adapters.node_keys import new_secret
from coc.adapters.validator.service import chain_facts
from coc.adapters.wire.link import Link
from coc.adapters.wire.noise import fresh_noise
from coc.execution.genesis import Genesis, read_genesis
from coc.primitives.errors import AdapterError, CocError
from coc.primitives.limits_wire import DIAL_MS_MAX, GENESIS_FETCH_MS_MAX
from coc.primitives.types import Hash32
from coc.wire.addresses import Scheme
from coc.wire.errors import Reason
from coc.wire.events import Closed, Event, Opened, Proven, Received
from coc.wire.handshake import HandshakeSetup
from coc.wire.http_gossip.envelope import Pen
from coc.wire.identity import Identity, Offer
from coc.wire.kinds import GENESIS, GET_GENESIS
from coc.wire.peer_book.rules import PersistentPeer
from coc.wire.session import Session

DIALLED: Final = 1
"""The number of the one link: any but 0 means that we dialled."""


class GenesisNotFetched(AdapterError):
    """A chain could not be joined by this node."""

    id: ClassVar[str] = "COC-JOIN"


async def fetch_genesis(
    node: PersistentPeer, genesis_hash: Hash32, http_proxy: tuple[str, int] | None = None
) -> Genesis:
    """The genesis with this hash, from a node of its chain; one over HTTP perhaps through a forward proxy.

    Raises:
        GenesisNotFetched: nobody answers, or a node of another chain, or what it gives has another hash.
    """
    text = await _ask(node, genesis_hash, http_proxy)
    if not text:
        raise GenesisNotFetched(
            f"the genesis of this chain is too long for {node.address} to send",
            why=f"a message has at most {GENESIS.bytes_max >> 20} MiB",
            cure="get the genesis file in another way, and run `coc init`",
        )
    return _verified(node, text, genesis_hash)


def genesis_hash_of(genesis: Genesis) -> Hash32:
    """The hash of a genesis, computed in memory.

    Raises:
        GenesisNotFetched: the Rust core makes no chain of it.
    """
    try:
        return Hash32(_native.Chain.open(genesis.text, None, b"").genesis_hash)
    except _native.GenesisInvalid as error:
        raise GenesisNotFetched("this genesis describes no chain", why=str(error.args[0])) from error


def _verified(node: PersistentPeer, text: bytes, genesis_hash: Hash32) -> Genesis:
    try:
        genesis = read_genesis(text)
        found = genesis_hash_of(genesis)
    except CocError as error:
        raise _lied(node, f"{error.what}: {error.why}" if error.why else error.what) from error
    if found != genesis_hash:
        raise _lied(node, f"its hash is 0x{found.hex()}, asked for was 0x{genesis_hash.hex()}")
    if genesis.coc is None or genesis.coc.engine != "bft":
        # The hash covers the rules of our chains only: without their section they could be any.
        raise _lied(node, "it lacks the rules of a network of validators")
    return genesis


def _lied(node: PersistentPeer, why: str) -> GenesisNotFetched:
    return GenesisNotFetched(
        f"the node at {node.address} gave another genesis than it was asked for",
        why=why,
        cure="join by another node; nothing was written",
    )


async def _ask(node: PersistentPeer, genesis_hash: Hash32, http_proxy: tuple[str, int] | None) -> bytes:
    question = _Question(node, genesis_hash)
    loop = asyncio.get_running_loop()
    address = node.address
    http = HttpDialer(loop, Pen(question.secret, genesis_hash), wall_ms, http_proxy)
    try:
        async with asyncio.timeout(DIAL_MS_MAX / 1000):
            if address.scheme is Scheme.TCP:
                await loop.create_connection(lambda: question.link, address.host, address.port)
            else:
                await http.connect(address, lambda: question.link)
    except (OSError, UnicodeError) as error:  # a host name that is none is a UnicodeError
        raise GenesisNotFetched(
            f"no node answers at {address}",
            why=str(error) or f"not within {DIAL_MS_MAX // 1000} s",
            cure="check the address given with --join, and that its node runs and can be reached from here",
        ) from error
    try:
        async with asyncio.timeout(GENESIS_FETCH_MS_MAX / 1000):
            return await question.answer
    except TimeoutError as error:
        raise GenesisNotFetched(
            f"the node at {address} did not give the genesis of its chain",
            why=f"nothing came within {GENESIS_FETCH_MS_MAX // 1000} s",
            cure="join by another node, or try again",
        ) from error
    finally:
        question.link.drop()
        await http.close()


class _Question:
    """Owns the one link: shakes hands, asks, and takes the answer."""

    def __init__(self, node: PersistentPeer, genesis_hash: Hash32) -> None:
        """Nothing is said before the link is connected."""
        self._loop = asyncio.get_running_loop()
        self._node = node
        self.secret = new_secret()
        self._setup = HandshakeSetup(
            Identity(self.secret), chain_facts(genesis_hash), fresh_noise(), Offer(listen_port=0)
        )
        self.link = Link(self, DIALLED)
        self.answer: asyncio.Future[bytes] = self._loop.create_future()

    def begin(self, link: Link) -> Session:
        """Connected: shake hands."""
        expected = self._node.peer or link.claimed
        return Session(self._setup, self.now_ms(), is_initiator=True, expected=expected)

    def on_events(self, link: Link, events: list[Event]) -> None:
        """Ask once both sides have welcomed each other; whatever else the node tells is not for us."""
        for event in events:
            match event:
                case Proven():
                    link.accept()
                case Opened():
                    link.send(GET_GENESIS, b"")
                    link.flush()
                case Received(kind, payload):
                    if kind is GENESIS and not self.answer.done():
                        self.answer.set_result(payload)
                        link.leave(Reason.NOT_NEEDED)
                case Closed():
                    if not self.answer.done():
                        self.answer.set_exception(_refused(self._node, event))
                case _:
                    assert_never(event)

    def on_gone(self, link: Link) -> None:
        """The session has told of it."""

    def now_ms(self) -> int:
        """Only differences count."""
        return int(self._loop.time() * 1000)


def _refused(node: PersistentPeer, event: Closed) -> GenesisNotFetched:
    """Why the connection ended before the answer, whoever ended it."""
    address, reason = node.address, event.reason
    why = "" if event.error is None else event.error.why
    if reason is Reason.OTHER_GENESIS:
        return GenesisNotFetched(
            f"the node at {address} is on another chain than --genesis-hash names",
            why=why,
            cure="compare the hash with somebody you trust, or join by a node of that chain",
        )
    if reason is Reason.UNEXPECTED_IDENTITY:
        return GenesisNotFetched(
            f"another node answers at {address}", why=why, cure="correct the id before the @ in --join"
        )
    if reason in (Reason.OTHER_VERSION, Reason.OTHER_FORKS):
        return GenesisNotFetched(
            f"the node at {address} runs another release", why=why, cure="run the same release as it"
        )
    if reason is Reason.TOO_MANY_PEERS:
        return GenesisNotFetched(
            f"the node at {address} has no room for another peer", cure="join by another node, or try again"
        )
    return GenesisNotFetched(
        f"the node at {address} ended the connection before it gave the genesis of its chain",
        why=why or reason.name.lower().replace("_", " "),
        cure="check that a node of the chain listens for peers there, or join by another node",
    )

"""What a node does with its peers: sends, dials and reports at once, and serves blocks from a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, assert_never

from coc.adapters.flushing import sentence_of
from coc.adapters.telemetry import Telemetry
from coc.adapters.wire.network import Network
from coc.adapters.workers import Workers
from coc.node.validator.effects import (
    AddressesFound,
    DialNode,
    Misbehaved,
    Send,
    SendAll,
    SendCertificate,
    ServeBlock,
    ServeBlocks,
    ServeGenesis,
)
from coc.node.validator.inputs import DialFailed
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret, sign
from coc.primitives.types import Hash32, PeerId
from coc.wire.addresses import PeerAddress
from coc.wire.dht.records import Claim, Record
from coc.wire.kinds import GENESIS, KINDS

Answer = tuple[int, bytes]
"""The number of a message's kind, and its payload."""
Talk = Send | SendAll | Misbehaved | ServeGenesis | DialNode | AddressesFound


@frozen
class Introduction:
    """What a node can show to strangers: the genesis of its chain, and claims under its own name."""

    genesis: bytes
    genesis_hash: Hash32
    identity: Secret

    def sign(self, claim: Claim) -> Record:
        """Make a record of a claim, void on other chains (DHT-16)."""
        return Record(claim, sign(self.identity, claim.digest(self.genesis_hash)))

    @property
    def genesis_message(self) -> bytes:
        """The genesis text; empty if it is too long for a message (WIRE-37)."""
        return self.genesis if len(self.genesis) <= GENESIS.bytes_max else b""


class Answers(Protocol):
    """Who reads from the chain what peers ask for."""

    def answer(self, effect: SendCertificate | ServeBlock | ServeBlocks) -> Answer | None:
        """Number and payload of a message, None where there is nothing; to be called on a thread."""
        ...


class PeerErrands:
    """Performs the effects that concern peers."""

    def __init__(
        self,
        answers: Answers,
        introduction: Introduction,
        telemetry: Telemetry,
        feed: Callable[[DialFailed], None],
    ) -> None:
        """What comes of a dial is fed."""
        self._answers = answers
        self._introduction = introduction
        self._telemetry = telemetry
        self._feed = feed

    def talk(self, network: Network, effect: Talk) -> None:
        """Say or do it now."""
        match effect:
            case Send():
                network.send(effect.peer, KINDS[effect.kind], effect.payload)
            case SendAll():
                network.broadcast(KINDS[effect.kind], effect.payload)
            case Misbehaved():
                network.misbehaved(effect.peer, effect.reason)
            case ServeGenesis():
                network.send(effect.peer, GENESIS, self._introduction.genesis_message)
            case DialNode(host, port, peer):
                network.dial(PeerAddress(host, port), peer, lambda: self._feed(DialFailed(host, port, peer)))
            case AddressesFound():
                for contact in effect.contacts:
                    network.found(PeerAddress(contact.host_text, contact.port), contact.id)
            case _:
                assert_never(effect)

    def serve(
        self, network: Network, workers: Workers, effect: SendCertificate | ServeBlock | ServeBlocks
    ) -> None:
        """Read it from the chain, then send it."""
        workers.run(
            lambda: self._answers.answer(effect), lambda answer: self._answered(network, effect.peer, answer)
        )

    def _answered(self, network: Network, peer: PeerId, answer: tuple[int, bytes] | Exception | None) -> None:
        if isinstance(answer, Exception):
            self._telemetry.problem("serving", f"a block cannot be read: {sentence_of(answer)}")
        elif answer is not None:
            network.send(peer, KINDS[answer[0]], answer[1])

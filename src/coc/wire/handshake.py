"""One side of the handshake: Noise XX with a hello in the second and third message.

    dialler                                 acceptor
       ── e ──────────────────────────────────▶       nothing said yet
       ◀───────────────── e, ee, s, es, hello ──       the acceptor is proven
       ── s, se, hello ────────────────────────▶       the dialler is proven

A hello that is refused does not stop the exchange: it is carried to its end, because only then can the peer
be told why. What does not decrypt stops it at once; there is nobody to tell.
"""

from __future__ import annotations

from coc.primitives.frozen import frozen
from coc.primitives.types import PeerId
from coc.wire.errors import Reason, RemoteError
from coc.wire.identity import ChainFacts, HandshakeRole, Identity, Offer, ProvenPeer, verify_hello
from coc.wire.noise import Noise, NoiseChannel


class HandshakeSetup:
    """Who we are, for every connection of a node."""

    __slots__ = ("chain", "hellos", "noise", "peer")

    def __init__(self, identity: Identity, chain: ChainFacts, noise: Noise, offer: Offer) -> None:
        """Sign both hellos once: strangers who connect must not cost a signature each."""
        self.peer = identity.peer
        self.chain = chain
        self.noise = noise
        self.hellos = {role: identity.hello(chain, noise.static_key, role, offer) for role in HandshakeRole}


@frozen
class Outcome:
    """A finished handshake: the channel, its name, and who is behind it, or why we refuse it."""

    channel: NoiseChannel
    hash: bytes
    verdict: ProvenPeer | RemoteError


class Handshake:
    """A handshake under way."""

    def __init__(self, setup: HandshakeSetup, *, is_initiator: bool, expected: PeerId | None) -> None:
        """Begin as the one who dialled, or as the other; `expected` is who must answer, if that is known."""
        self._setup = setup
        self._is_initiator = is_initiator
        self._expected = expected
        self._noise = setup.noise.begin(is_initiator=is_initiator)
        self._is_greeted = False
        self.outcome: Outcome | None = None

    def open(self) -> bytes | None:
        """The message that begins it, if that is ours to send."""
        return self._noise.write(b"") if self._is_initiator else None

    def on_message(self, message: bytes) -> bytes | None:
        """Take the peer's next message; the answer to send, if one is due.

        Raises:
            RemoteError: it does not decrypt, or says something where nothing may be said.
        """
        try:
            payload = self._noise.read(message)
        except ValueError as error:
            raise RemoteError("a handshake that does not decrypt", why=str(error)) from error
        if self._is_initiator:
            verdict = self._verdict(payload, HandshakeRole.RESPONDER)
            answer = self._noise.write(self._setup.hellos[HandshakeRole.INITIATOR])
            self.outcome = self._finish(verdict)
            return answer
        if not self._is_greeted:
            if payload:
                raise RemoteError("a first handshake message with a payload", why=f"{len(payload)} bytes")
            self._is_greeted = True
            return self._noise.write(self._setup.hellos[HandshakeRole.RESPONDER])
        verdict = self._verdict(payload, HandshakeRole.INITIATOR)
        self.outcome = self._finish(verdict)
        return None

    def _finish(self, verdict: ProvenPeer | RemoteError) -> Outcome:
        channel_hash = self._noise.hash  # read before the end, which uses the handshake up
        return Outcome(self._noise.finish(), channel_hash, verdict)

    def _verdict(self, payload: bytes, role: HandshakeRole) -> ProvenPeer | RemoteError:
        try:
            proven = verify_hello(payload, self._setup.chain, self._noise.remote_static or b"", role)
        except RemoteError as error:
            return error
        if proven.peer == self._setup.peer:
            return RemoteError(
                "the node has dialled itself",
                cure="take its own address out of the peers; two nodes must not share one network key",
                reason=Reason.OWN_IDENTITY,
            )
        if self._expected is not None and proven.peer != self._expected:
            return RemoteError(
                "somebody else answers at this address",
                why=f"{proven.peer.hex()} where {self._expected.hex()} was expected",
                cure="correct the peer's address or id",
                reason=Reason.UNEXPECTED_IDENTITY,
            )
        return proven

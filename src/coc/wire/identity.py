"""Who a node is, and the hello that proves it inside a Noise handshake.

A node's identity is a secp256k1 key; its peer id is keccak256 of the public key. The channel itself is keyed
by a static X25519 key, which means nothing to anybody; the hello ties both together. It travels in the second
and third handshake message, as RLP:

    (version, public key 64, genesis hash 32, fork id 32, listening port or 0, roles, signature 65)

The signature is the identity key's over domain ‖ genesis hash ‖ fork id ‖ version ‖ own static key ‖ role in
the handshake. Noise proves that the sender holds the static key of this channel, so a hello that is copied
into another channel, or sent back to where it came from, is not proven there. WIRE-4, WIRE-5.
"""

from __future__ import annotations

import enum
from typing import Final

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits_wire import WIRE_HANDSHAKE_MESSAGE_BYTES_MAX
from coc.primitives.secp256k1 import (
    Secret,
    SignatureInvalid,
    public_key_of,
    recover_public_key,
    sign,
)
from coc.primitives.types import Hash32, PeerId, Signature
from coc.wire.errors import Reason, RemoteError

PROTOCOL_VERSION: Final = 1
HELLO_DOMAIN: Final = b"COC/wire/hello/1\0"

_VERSION_BITS: Final = 16
_PORT_BITS: Final = 16
_ROLE_BITS: Final = 32


class HandshakeRole(enum.IntEnum):
    """Which side of the handshake a hello was made for."""

    INITIATOR = 0
    RESPONDER = 1


class Roles(enum.IntFlag):
    """What a node says it does: a hint whom to ask, believed for nothing else."""

    NONE = 0
    VALIDATOR = 1
    FULL = 2
    STORAGE = 4
    RELAY = 8


@frozen
class ChainFacts:
    """The chain a node is on; nodes with different ones have nothing to say to each other."""

    genesis_hash: Hash32
    fork_id: Hash32
    """Stands for the whole fork schedule, so that a node that lacks a coming fork is told in time."""


@frozen
class Offer:
    """What a node tells about itself that nobody can check at once."""

    listen_port: int = 0
    """Where it accepts connections, on the address it is seen from; 0 where it does not."""
    roles: Roles = Roles.NONE


@frozen
class ProvenPeer:
    """A peer whose identity was proven over this channel."""

    peer: PeerId
    public_key: bytes
    offer: Offer


@frozen
class PeerFacts:
    """What is known of a connected peer."""

    peer: PeerId
    public_key: bytes
    roles: Roles
    host: str
    """The IP of the connection."""
    listen_port: int
    """Where it says it accepts connections on that IP; 0 where it does not."""
    is_dialled: bool
    """Whether we dialled it."""


class Identity:
    """Our own network identity."""

    __slots__ = ("_secret", "peer", "public_key")

    def __init__(self, secret: Secret) -> None:
        """Derive public key and peer id."""
        self._secret = secret
        self.public_key = public_key_of(secret)
        self.peer = peer_id_of(self.public_key)

    def hello(self, chain: ChainFacts, static_key: bytes, role: HandshakeRole, offer: Offer) -> bytes:
        """Our hello for channels with this static key."""
        return rlp.encode(
            [
                PROTOCOL_VERSION,
                self.public_key,
                chain.genesis_hash,
                chain.fork_id,
                offer.listen_port,
                int(offer.roles),
                sign(self._secret, hello_digest(chain, static_key, role)),
            ]
        )


def peer_id_of(public_key: bytes) -> PeerId:
    """keccak256 of the 64-byte public key."""
    return PeerId(keccak256(public_key))


def hello_digest(
    chain: ChainFacts, static_key: bytes, role: HandshakeRole, version: int = PROTOCOL_VERSION
) -> Hash32:
    """What the identity key signs."""
    return keccak256(
        HELLO_DOMAIN
        + chain.genesis_hash
        + chain.fork_id
        + version.to_bytes(2, "big")
        + static_key
        + bytes((role,))
    )


def verify_hello(payload: bytes, chain: ChainFacts, static_key: bytes, role: HandshakeRole) -> ProvenPeer:
    """Who the peer is, proven by its hello: made for `role` on a channel with its `static_key`.

    Raises:
        RemoteError: another version, genesis or fork schedule, a signature that is not the named key's over
        this channel, or no hello at all; the reason says which.
    """
    try:
        fields = rlp.decode_list(payload, bytes_max=WIRE_HANDSHAKE_MESSAGE_BYTES_MAX)
        _verify_version(fields)
        return _verify_fields(fields, chain, static_key, role)
    except SignatureInvalid as error:
        raise _not_proven(str(error)) from error
    except PrimitivesError as error:
        raise RemoteError("a hello that does not read", why=str(error)) from error


def _verify_version(fields: list[rlp.Item]) -> None:
    """The version comes first, because all that follows it may be different in another one."""
    version = rlp.uint(fields[0], bits=_VERSION_BITS) if fields else 0
    if version != PROTOCOL_VERSION:
        raise RemoteError(
            "the peer speaks another version of the wire protocol",
            why=f"version {version} where ours is {PROTOCOL_VERSION}",
            cure="run the same release on both",
            reason=Reason.OTHER_VERSION,
        )


def _verify_fields(
    fields: list[rlp.Item], chain: ChainFacts, static_key: bytes, role: HandshakeRole
) -> ProvenPeer:
    match fields:
        case [
            _,
            bytes(public_key),
            bytes(genesis_hash),
            bytes(fork_id),
            bytes(port),
            bytes(roles),
            bytes(signature),
        ] if len(public_key) == 64 and len(genesis_hash) == len(fork_id) == 32 and len(signature) == 65:
            _verify_chain(ChainFacts(Hash32(genesis_hash), Hash32(fork_id)), chain)
            signer = recover_public_key(hello_digest(chain, static_key, role), Signature(signature))
            if signer != public_key:
                raise _not_proven("another key made it, or it was made for another channel")
            offer = Offer(rlp.uint(port, bits=_PORT_BITS), Roles(rlp.uint(roles, bits=_ROLE_BITS)))
            return ProvenPeer(peer_id_of(public_key), public_key, offer)
    raise RemoteError("a hello that does not read", why=f"version {PROTOCOL_VERSION} has seven fields")


def _verify_chain(theirs: ChainFacts, ours: ChainFacts) -> None:
    if theirs.genesis_hash != ours.genesis_hash:
        raise RemoteError(
            "the peer is on another chain",
            why=f"its genesis is {theirs.genesis_hash.hex()}, ours {ours.genesis_hash.hex()}",
            cure="take it out of the peers, or use the genesis file of its chain",
            reason=Reason.OTHER_GENESIS,
        )
    if theirs.fork_id != ours.fork_id:
        raise RemoteError(
            "the peer has other forks ahead or behind",
            why=f"its fork id is {theirs.fork_id.hex()}, ours {ours.fork_id.hex()}",
            cure="run the release that knows the chain's forks on both",
            reason=Reason.OTHER_FORKS,
        )


def _not_proven(why: str) -> RemoteError:
    return RemoteError(
        "the peer's identity is not proven",
        why=f"the signature of its hello does not fit: {why}",
        reason=Reason.IDENTITY_NOT_PROVEN,
    )

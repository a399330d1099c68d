"""The envelope of a request or an answer: who sent it, for which chain and path, when, and what is inside.

A letter is the whole body, in RLP:

    (version, public key 64, genesis hash 32, session 16 or empty, sequence, time, nonce, is last,
     hash of the stream's bytes 32, signature 65, bytes of the stream)

The signature is the identity key's over a domain ‖ direction ‖ path ‖ all fields before it, each of fixed
length. What was signed for one path, session, body or direction is forged on another. HTTP-2, HTTP-3.
"""

from __future__ import annotations

import enum
from typing import Final

from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.limits_http_gossip import HTTP_GOSSIP_LETTER_BYTES_MAX, HTTP_GOSSIP_STREAM_BYTES_MAX
from coc.primitives.secp256k1 import Secret, SignatureInvalid, public_key_of, recover_public_key, sign
from coc.primitives.types import Hash32, PeerId, Signature
from coc.wire.http_gossip.faults import Fault, LetterRefused
from coc.wire.identity import peer_id_of

VERSION: Final = 1
DOMAIN: Final = b"COC/http-gossip/1\0"
SESSION_BYTES: Final = 16
_NUMBER_BITS: Final = 64
_NUMBER_BYTES: Final = _NUMBER_BITS // 8


class Path(enum.Enum):
    """Where requests go."""

    OPEN = b"/p2p/open"
    SEND = b"/p2p/send"
    RECEIVE = b"/p2p/receive"


class Direction(enum.IntEnum):
    """Which way a letter goes: an answer must not be taken for a request."""

    REQUEST = 0
    ANSWER = 1


@frozen
class Note:
    """What the sender of a letter decides; `session` is empty until there is one."""

    session: bytes
    sequence: int
    time_ms: int
    nonce: int
    """In a request a number that rises; in an answer that of the request."""
    is_last: bool = False
    """Whether nothing follows in the stream."""
    stream: bytes = b""


@frozen
class Letter:
    """A letter whose signature is its sender's."""

    sender: PeerId
    note: Note


class Pen:
    """Signs letters of one node on one chain."""

    __slots__ = ("_secret", "genesis_hash", "public_key")

    def __init__(self, secret: Secret, genesis_hash: Hash32) -> None:
        """Derive the public key once."""
        self._secret = secret
        self.public_key = public_key_of(secret)
        self.genesis_hash = genesis_hash

    def write(self, direction: Direction, path: Path, note: Note) -> bytes:
        """The bytes of a letter."""
        stream_hash = keccak256(note.stream)
        digest = letter_digest(direction, path, self.genesis_hash, note, stream_hash)
        return rlp.encode(
            [
                VERSION,
                self.public_key,
                self.genesis_hash,
                note.session,
                note.sequence,
                note.time_ms,
                note.nonce,
                int(note.is_last),
                stream_hash,
                sign(self._secret, digest),
                note.stream,
            ]
        )


def letter_digest(
    direction: Direction, path: Path, genesis_hash: Hash32, note: Note, stream_hash: Hash32
) -> Hash32:
    """What the sender signs."""
    return keccak256(
        DOMAIN
        + bytes((direction,))
        + keccak256(path.value)
        + genesis_hash
        + note.session.rjust(SESSION_BYTES, b"\0")
        + b"".join(each.to_bytes(_NUMBER_BYTES, "big") for each in (note.sequence, note.time_ms, note.nonce))
        + bytes((note.is_last,))
        + stream_hash
    )


def read_letter(data: bytes, direction: Direction, path: Path, genesis_hash: Hash32) -> Letter:
    """Read a letter that came on a path.

    Raises:
        LetterRefused: malformed, of another chain, or not signed by whom it names for just this.
    """
    try:
        fields = rlp.decode_list(data, bytes_max=HTTP_GOSSIP_LETTER_BYTES_MAX)
        version = rlp.uint(fields[0], bits=16) if fields else 0
        if version != VERSION:
            raise LetterRefused(
                Fault.MALFORMED,
                "a letter of another version",
                why=f"version {version} where ours is {VERSION}",
                cure="run the same release on both",
            )
        return _read_fields(fields, direction, path, genesis_hash)
    except SignatureInvalid as error:
        raise _forged(str(error)) from error
    except PrimitivesError as error:
        raise LetterRefused(Fault.MALFORMED, "a letter that does not read", why=str(error)) from error


def _read_fields(fields: list[rlp.Item], direction: Direction, path: Path, genesis_hash: Hash32) -> Letter:
    match fields:
        case [
            _,
            bytes(public_key),
            bytes(genesis),
            bytes(session),
            bytes(sequence),
            bytes(time_ms),
            bytes(nonce),
            bytes(is_last),
            bytes(stream_hash),
            bytes(signature),
            bytes(stream),
        ] if (
            len(public_key) == 64
            and len(genesis) == len(stream_hash) == 32
            and len(session) in (0, SESSION_BYTES)
            and is_last in (b"", b"\x01")
            and len(signature) == 65
            and len(stream) <= HTTP_GOSSIP_STREAM_BYTES_MAX
        ):
            if genesis != genesis_hash:
                raise LetterRefused(
                    Fault.FOREIGN,
                    "a letter of another chain",
                    why=f"its genesis is {genesis.hex()}, ours {genesis_hash.hex()}",
                    cure="take the peer out of the peers, or use the genesis file of its chain",
                )
            if keccak256(stream) != stream_hash:
                raise _forged("the bytes inside are others than those that were signed")
            count, time, number = (rlp.uint(item, bits=_NUMBER_BITS) for item in (sequence, time_ms, nonce))
            note = Note(session, count, time, number, bool(is_last), stream)
            digest = letter_digest(direction, path, genesis_hash, note, Hash32(stream_hash))
            if recover_public_key(digest, Signature(signature)) != public_key:
                raise _forged("another key made it, or it was made for another path or session")
            return Letter(peer_id_of(public_key), note)
    raise LetterRefused(
        Fault.MALFORMED, "a letter that does not read", why=f"version {VERSION} has eleven fields"
    )


def _forged(why: str) -> LetterRefused:
    return LetterRefused(Fault.FORGED, "a letter that is not signed by its sender", why=why)

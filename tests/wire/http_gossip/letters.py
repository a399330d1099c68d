"""Letters of two nodes on a chain, to be spoilt one field at a time."""

from __future__ import annotations

from coc.primitives import rlp
from coc.primitives.secp256k1 import secret_of
from coc.primitives.types import Hash32, PeerId
from coc.wire.http_gossip.envelope import Direction, Note, Path, Pen
from coc.wire.identity import peer_id_of

GENESIS = Hash32(b"g" * 32)
NOW_MS = 1_790_000_000_000
SESSION = b"s" * 16
ANNA = Pen(secret_of(b"a" * 32), GENESIS)
BERT = Pen(secret_of(b"b" * 32), GENESIS)


def peer_of(pen: Pen) -> PeerId:
    return peer_id_of(pen.public_key)


def request(path: Path, note: Note, pen: Pen = ANNA) -> bytes:
    return pen.write(Direction.REQUEST, path, note)


def opening(nonce: int = 1, time_ms: int = NOW_MS, pen: Pen = ANNA) -> bytes:
    return request(Path.OPEN, Note(b"", 0, time_ms, nonce), pen)


def note(sequence: int, nonce: int, stream: bytes = b"", session: bytes = SESSION) -> Note:
    return Note(session, sequence, NOW_MS, nonce, stream=stream)


def changed(letter: bytes, place: int, item: rlp.Encodable) -> bytes:
    """The letter with one of its fields replaced, and nothing signed anew."""
    fields: list[rlp.Encodable] = list(rlp.decode_list(letter))
    fields[place] = item
    return rlp.encode(fields)

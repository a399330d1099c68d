"""Head, safe and final block as they are kept beside a chain, so that a start finds what was final (ROT-23).

The block log holds every block that was found valid, of all branches, and does not say which of them are
final. This small value does. It is replaced as a whole, before anybody is told of a new final block.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from coc.primitives import rlp
from coc.primitives.errors import NodeError
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32


class TagsInvalid(NodeError):
    """What lies beside a chain says nothing of its final block, or another chain's."""

    id: ClassVar[str] = "COC-CHAIN-TAGS"


@frozen
class Tags:
    """Three blocks of one branch, the newest first."""

    head: Hash32
    safe: Hash32
    final: Hash32


class TagFile(Protocol):
    """Where tags are kept."""

    def save(self, payload: bytes) -> None:
        """Make a new value durable.

        Raises:
            OSError, RuntimeError: it could not be written.
        """
        ...


def encode_tags(tags: Tags) -> bytes:
    """RLP of (head, safe, final)."""
    return rlp.encode([tags.head, tags.safe, tags.final])


def decode_tags(payload: bytes) -> Tags:
    """Read tags back.

    Raises:
        TagsInvalid, RlpInvalid: they have another shape.
    """
    match rlp.decode(payload):
        case [bytes(head), bytes(safe), bytes(final)] if {len(head), len(safe), len(final)} == {32}:
            return Tags(Hash32(head), Hash32(safe), Hash32(final))
    raise TagsInvalid("the tags of a chain are three hashes")

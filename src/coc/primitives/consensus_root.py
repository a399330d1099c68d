"""The root over the eight fields of consensus data, and the path that proves one field under it.

It is a Merkle tree by position: a leaf is keccak(0x00 ‖ index ‖ RLP of the field), an inner node keccak(0x01
‖ left ‖ right). Three levels, so a path has three siblings, from the leaf upwards. The root stands in a
header's `parentBeaconBlockRoot`, where the EVM can read it; the native core computes it by the same rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coc.primitives import rlp
from coc.primitives.consensus_data import ConsensusDataInvalid
from coc.primitives.keccak import keccak256
from coc.primitives.types import Hash32

FIELD_COUNT: Final = 8
VALIDATORS_FIELD: Final = 6
"""Where set(h) stands."""
NEXT_VALIDATORS_FIELD: Final = 7
"""Where set(h + 1) stands."""

_LEAF: Final = b"\x00"
_INNER: Final = b"\x01"


def leaf_of(index: int, field: rlp.Encodable) -> Hash32:
    """The leaf of the field at a position."""
    return keccak256(_LEAF + bytes([index]) + rlp.encode(field))


def root_of(data: bytes) -> Hash32:
    """The root over the fields of consensus data.

    Raises:
        ConsensusDataInvalid, RlpInvalid: `data` is no list of eight fields.
    """
    return _levels_of(data)[-1][0]


def siblings_of(data: bytes, index: int) -> tuple[Hash32, ...]:
    """The path of the field at a position.

    Raises:
        ConsensusDataInvalid, RlpInvalid: `data` is no list of eight fields.
    """
    return tuple(level[index >> height ^ 1] for height, level in enumerate(_levels_of(data)[:-1]))


def root_from(index: int, field: rlp.Encodable, siblings: Sequence[Hash32]) -> Hash32:
    """The root that a field has under a path: the true one only if both are."""
    node = leaf_of(index, field)
    for height, sibling in enumerate(siblings):
        node = _inner(sibling, node) if index >> height & 1 else _inner(node, sibling)
    return node


def _levels_of(data: bytes) -> list[list[Hash32]]:
    """All nodes, leaves first; the last level is the root alone."""
    fields = rlp.decode_list(data)
    if len(fields) != FIELD_COUNT:
        raise ConsensusDataInvalid(f"consensus data has {FIELD_COUNT} fields", why=f"found {len(fields)}")
    levels = [[leaf_of(index, field) for index, field in enumerate(fields)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_inner(left, right) for left, right in zip(below[::2], below[1::2], strict=True)])
    return levels


def _inner(left: Hash32, right: Hash32) -> Hash32:
    return keccak256(_INNER + left + right)

"""The metric of Kademlia: the distance of two ids is their exclusive or, read as a number (DHT-1).

Ids of nodes and keys of records lie in one space of 256 bits. Bucket `i` of a node holds those whose distance
from it is in [2^i, 2^(i+1)): half of all ids in bucket 255, a quarter in bucket 254, and so on.
"""

from __future__ import annotations

from coc.primitives.types import Hash32
from coc.wire.dht.dice import Dice

BUCKETS = 256


def distance(one: bytes, other: bytes) -> int:
    """How far two ids are from each other; zero only for the same one."""
    return int.from_bytes(one, "big") ^ int.from_bytes(other, "big")


def bucket_of(own: bytes, other: bytes) -> int:
    """The bucket of `own` in which `other` belongs; -1 for `own` itself."""
    return distance(own, other).bit_length() - 1


def id_in_bucket(own: bytes, bucket: int, dice: Dice) -> Hash32:
    """A random id that belongs in this bucket of `own`."""
    offset = (1 << bucket) | (dice.below(1 << 256) & ((1 << bucket) - 1))
    return Hash32((int.from_bytes(own, "big") ^ offset).to_bytes(32, "big"))

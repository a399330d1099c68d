"""What a finality proof holds: an anchor, a link for every set period it crosses, and the block it is about.

Each record has one RLP form, a list that begins with its kind. Headers, consensus data and certificates are
carried as the bytes that a chain keeps; nothing is believed of them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from coc.consensus.finality.faults import ProofFileInvalid
from coc.primitives import rlp
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.limits_finality import FINALITY_RECORD_BYTES_MAX
from coc.primitives.types import Hash32
from coc.primitives.validators import ValidatorSet, decode_validator_set

_GENESIS: Final = 1
_CHECKPOINT: Final = 2
_LINK: Final = 3
_TARGET: Final = 4

ANCHOR_SIBLINGS: Final = 3
"""The whole path of set(h + 1)."""
LINK_SIBLINGS: Final = 2
"""The path of set(h) and set(h + 1) together: the verifier knows the first, so its leaf is not carried."""


@frozen
class ChainOrigin:
    """Which chain: the header of block 0 and the genesis file's `config`, whose hash is in it (FIN-2)."""

    genesis_header: bytes
    config: bytes


@frozen
class GenesisAnchor:
    """The proof begins at genesis."""

    origin: ChainOrigin

    def encode(self) -> bytes:
        """The record."""
        return rlp.encode([_GENESIS, self.origin.genesis_header, self.origin.config])


@frozen
class CheckpointAnchor:
    """The proof begins at a block that the verifier trusts: its header, the set after it, and its path."""

    origin: ChainOrigin
    header: bytes
    next_validators: ValidatorSet
    siblings: tuple[Hash32, ...]

    def encode(self) -> bytes:
        """The record."""
        origin = [self.origin.genesis_header, self.origin.config]
        return rlp.encode(
            [_CHECKPOINT, *origin, self.header, self.next_validators.encode(), list(self.siblings)]
        )


@frozen
class Link:
    """The last block of a set period: it names the next set. `next_validators` is None for the same again."""

    header: bytes
    next_validators: ValidatorSet | None
    siblings: tuple[Hash32, ...]
    certificate: bytes

    def encode(self) -> bytes:
        """The record."""
        set_item = [] if self.next_validators is None else self.next_validators.encode()
        return rlp.encode([_LINK, self.header, set_item, list(self.siblings), self.certificate])


@frozen
class Target:
    """The block that the proof is about, with all of its consensus data."""

    header: bytes
    consensus_data: bytes
    certificate: bytes

    def encode(self) -> bytes:
        """The record."""
        return rlp.encode([_TARGET, self.header, self.consensus_data, self.certificate])


Anchor: TypeAlias = GenesisAnchor | CheckpointAnchor
"""How a proof begins."""

Record: TypeAlias = Anchor | Link | Target
"""What a proof holds."""


def decode_record(payload: bytes) -> Record:
    """Read a record.

    Raises:
        ProofFileInvalid: it has no record's form.
    """
    try:
        return _read(rlp.decode(payload, bytes_max=FINALITY_RECORD_BYTES_MAX))
    except PrimitivesError as error:
        why = f"{error.what}: {error.why}" if error.why else error.what
        raise ProofFileInvalid("a record of the proof cannot be read", why=why) from error


def _read(item: rlp.Item) -> Record:
    match item:
        case [b"\x01", bytes(genesis_header), bytes(config)]:
            return GenesisAnchor(ChainOrigin(genesis_header, config))
        case [
            b"\x02",
            bytes(genesis_header),
            bytes(config),
            bytes(header),
            list(next_set),
            list(siblings),
        ]:
            origin = ChainOrigin(genesis_header, config)
            path = _siblings(siblings, ANCHOR_SIBLINGS)
            return CheckpointAnchor(origin, header, decode_validator_set(next_set), path)
        case [b"\x03", bytes(header), list(next_set), list(siblings), bytes(certificate)]:
            validators = decode_validator_set(next_set) if next_set else None
            return Link(header, validators, _siblings(siblings, LINK_SIBLINGS), certificate)
        case [b"\x04", bytes(header), bytes(consensus_data), bytes(certificate)]:
            return Target(header, consensus_data, certificate)
        case _:
            raise ProofFileInvalid("a record of the proof is none of the four kinds")


def _siblings(items: Sequence[rlp.Item], count: int) -> tuple[Hash32, ...]:
    siblings = tuple(Hash32(item) for item in items if isinstance(item, bytes) and len(item) == 32)
    if not len(siblings) == len(items) == count:
        raise ProofFileInvalid(f"a path of the proof is not {count} hashes")
    return siblings

"""The write-ahead log's content as bytes: the engine's records, and the blocks they speak of.

A block's bytes stand before the record that promises them, so that four validators killed after their
precommits still hold what they are locked on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from coc.consensus.bft.wal import BlockKept, Record, decode_record, encode_record
from coc.consensus.sync.messages import BlockBody
from coc.node.validator.effects import WriteAhead
from coc.primitives import rlp
from coc.primitives.errors import NodeError
from coc.primitives.frozen import frozen
from coc.primitives.types import Hash32, Height

_BLOCK = 0x10
"""The kind byte of a block's bytes, beyond those of the engine's records."""
LOSS_ACCEPTED = bytes([0x11])
"""The only entry of a log for which a person took the loss of the last one upon himself."""


class WalInvalid(NodeError):
    """A record of the write-ahead log that this release cannot read."""

    id = "COC-WAL"


@frozen
class WalContent:
    """What a log held: records in order, the bytes of blocks, and whether it stands for one that was lost."""

    records: tuple[Record, ...] = ()
    blocks: dict[Hash32, tuple[Height, BlockBody]] = field(default_factory=dict)
    is_loss_accepted: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it held nothing: it was made just now, or nothing was signed with it since."""
        return not (self.records or self.blocks or self.is_loss_accepted)


def encode_entries(effect: WriteAhead) -> list[bytes]:
    """The entries to append, in order: each block's bytes before the record that promises them."""
    entries: list[bytes] = []
    for record in effect.records:
        if isinstance(record, BlockKept) and (body := effect.blocks.get(record.block)) is not None:
            item: list[rlp.Encodable] = [record.height, record.block, body.block, body.consensus_data]
            entries.append(bytes([_BLOCK]) + rlp.encode(item))
        entries.append(encode_record(record))
    return entries


def decode_entries(entries: Iterable[bytes]) -> WalContent:
    """Read a log back.

    Raises:
        WalInvalid, ConsensusError, PrimitivesError: an entry is none of ours.
    """
    records: list[Record] = []
    blocks: dict[Hash32, tuple[Height, BlockBody]] = {}
    is_loss_accepted = False
    for entry in entries:
        if entry == LOSS_ACCEPTED:
            is_loss_accepted = True
            continue
        if entry[:1] != bytes([_BLOCK]):
            records.append(decode_record(entry))
            continue
        match rlp.decode(entry[1:]):
            case [bytes(height), bytes(block), bytes(body), bytes(data)] if len(block) == 32:
                blocks[Hash32(block)] = (Height(rlp.uint(height, bits=64)), BlockBody(body, data))
            case _:
                raise WalInvalid("a block in the write-ahead log is height, hash, bytes and consensus data")
    return WalContent(tuple(records), blocks, is_loss_accepted)

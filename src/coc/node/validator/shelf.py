"""What an open chain has to give, whichever engine it has: bytes for peers, a head for the pool."""

from __future__ import annotations

from coc.consensus.sync.messages import BlockBody, BlockRange, CertifiedBlock
from coc.execution.mempool.inputs import Head
from coc.node.validator.ports import ChainHandle
from coc.primitives.limits_consensus import BLOCK_REPLY_BLOCKS_MAX
from coc.primitives.types import Hash32, Height


class Shelf:
    """Reads of the chain that decide nothing."""

    def __init__(self, chain: ChainHandle) -> None:
        """The chain is open as long as this is used."""
        self._chain = chain

    def pool_head(self) -> Head:
        """The head as the pool needs it: prices are those of the next block."""
        head = self._chain.head
        return Head(
            Hash32(head.hash),
            Height(head.number),
            self._chain.next_base_fee(head.hash),
            self._chain.next_blob_base_fee(head.hash),
            head.gas_limit,
        )

    def body(self, block: Hash32) -> BlockBody | None:
        """A known block with its consensus data."""
        header, encoded = self._chain.header(block), self._chain.block_rlp(block)
        return None if header is None or encoded is None else BlockBody(encoded, header.consensus_data)

    def blocks(self, wish: BlockRange) -> list[CertifiedBlock]:
        """Blocks of the chain from a height on, at least one if there is one, as many as fit."""
        found: list[CertifiedBlock] = []
        size = 0
        for number in range(max(1, wish.first), wish.first + BLOCK_REPLY_BLOCKS_MAX):
            block = self._chain.canonical_hash(number)
            header = None if block is None else self._chain.header(block)
            encoded = None if block is None else self._chain.block_rlp(block)
            if header is None or encoded is None:
                break
            size += len(encoded) + len(header.consensus_data) + len(header.seal)
            if found and size > wish.bytes_max:
                break
            found.append(CertifiedBlock(encoded, header.consensus_data, header.seal))
        return found

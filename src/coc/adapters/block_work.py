"""Building, deciding and flushing blocks on threads, with what came of it as an input for the node.

A failure is an input too: the machine decides what to do about it. Deciding is safe to repeat: the native
core does nothing for a block that it has decided, so after a failure half-way the same one is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from coc._native import Built, Chain, StorageFailed
from coc.adapters import chain_port
from coc.adapters.flushing import Flusher, sentence_of
from coc.adapters.telemetry import Telemetry
from coc.adapters.workers import Workers
from coc.consensus.rotation.engine import Decide
from coc.node.effects import BuildBlock
from coc.node.inputs import BlockBuilt, BlockDecided, Input, SealingFailed
from coc.primitives.frozen import frozen
from coc.primitives.secp256k1 import Secret
from coc.primitives.types import Address, Hash32

SEALING = "sealing"
"""The part that telemetry names when it fails."""


@frozen
class Proposer:
    """Who makes the blocks of this node: the key that signs, and where the tips go."""

    secret: Secret
    fee_recipient: Address
    gas_limit_target: int


class BlockWork:
    """The native side of making blocks."""

    def __init__(
        self, chain: Chain, workers: Workers, telemetry: Telemetry, feed: Callable[[Input], None]
    ) -> None:
        """`feed` hands an input to the node."""
        self._chain = chain
        self._workers = workers
        self._telemetry = telemetry
        self._feed = feed
        self._flusher = Flusher(chain, workers, telemetry)

    def build(self, effect: BuildBlock, proposer: Proposer) -> None:
        """Build a block; answered by `BlockBuilt` or `SealingFailed`."""
        attributes = msgspec.json.encode(
            {
                "timestamp": effect.timestamp_s,
                "coinbase": f"0x{proposer.fee_recipient.hex()}",
                "gas_limit_target": proposer.gas_limit_target,
                "consensus_data": f"0x{effect.consensus_data.hex()}",
            }
        )
        transactions: list[Any] = list(effect.transactions)
        flush_first = self._flusher.has_failed

        def work() -> Built:
            if flush_first:
                # What is decided and not flushed is held in memory: no more of it until the store has room.
                self._chain.flush()
            return self._chain.build(effect.parent, attributes, transactions, None)

        self._workers.run(work, lambda result: self._built(result, flushed=flush_first))

    def decide(self, effect: Decide, known: Sequence[Address]) -> None:
        """Make a block durable and the head; answered by `BlockDecided` or `SealingFailed`.

        `known` are the accounts of whose changes the pool must hear.
        """
        gas_limit_before = self._chain.head.gas_limit

        def work() -> BlockDecided:
            self._chain.decide(effect.hash, effect.seal)
            self._chain.set_finalized(effect.hash, effect.hash)
            return BlockDecided(
                chain_port.engine_head(self._chain),
                chain_port.pool_head(self._chain),
                chain_port.changed_accounts(self._chain, effect.hash, known),
                [Hash32(hash_) for hash_ in self._chain.transaction_hashes(effect.hash)],
                rules_changed=self._chain.head.gas_limit != gas_limit_before,
            )

        self._workers.run(work, self._decided)

    def _built(self, result: Built | Exception, *, flushed: bool) -> None:
        if isinstance(result, Exception):
            self._failed("a block cannot be built", result, keeps_block=False)
            return
        if flushed:
            self._flusher.tell(None)
        refused = [Hash32(hash_) for hash_, _, _ in result.refused]
        self._feed(BlockBuilt(Hash32(result.hash), not result.transaction_hashes, refused))

    def _decided(self, result: BlockDecided | Exception) -> None:
        if isinstance(result, Exception):
            keeps_block = isinstance(result, StorageFailed)
            self._failed("a block cannot be written", result, keeps_block=keeps_block)
            return
        head = self._chain.head
        self._feed(result)
        self._flusher.flush_if_due()
        self._telemetry.recovered(SEALING)
        self._telemetry.block(head)

    def _failed(self, what: str, error: Exception, *, keeps_block: bool) -> None:
        reason = sentence_of(error)
        self._telemetry.problem(SEALING, f"{what}: {reason}")
        self._feed(SealingFailed(reason, keeps_block))

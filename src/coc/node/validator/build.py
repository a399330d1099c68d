"""Composing a node of a BFT chain: the one function that the live program and simulated runs both call."""

from __future__ import annotations

from coc.consensus.bft.inputs import HeightOpened
from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.rules import BftRules, Timeout, Verifier
from coc.consensus.bft.rules import Setup as EngineSetup
from coc.execution.genesis import CocRules
from coc.execution.genesis_bft import BftParameters
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.pool import Mempool
from coc.node.validator.chain_door import ChainDoor
from coc.node.validator.core import Discovery, Setup
from coc.node.validator.machine import ValidatorNode
from coc.node.validator.validator_search import ValidatorSearch
from coc.node.validator.wal_codec import WalContent
from coc.primitives.frozen import frozen
from coc.primitives.seals import SignRequest
from coc.primitives.types import Address, Hash32, Height, Millis
from coc.wire.dht.machine import Dht
from coc.wire.dht.records import Record
from coc.wire.dht.rules import Setup as TableSetup
from coc.wire.transaction_gossip.machine import TransactionGossip


@frozen
class TableConfig:
    """How a node finds others, and its own signed endpoint record."""

    setup: TableSetup
    record: Record

    def build(self) -> Discovery:
        """A table that knows nobody yet."""
        search = ValidatorSearch(self.setup.hosts)
        return Discovery(Dht(self.setup, self.record), self.record.claim, search)


@frozen
class NodeConfig:
    """What a node is built with; `own` is its validator id, None for one that only follows."""

    rules: BftRules
    own: Address | None
    verify: Verifier
    has_journal: bool
    table: TableConfig | None = None
    """None for a node that is told whom to meet."""


@frozen
class Remembered:
    """What an earlier life left: the write-ahead log's content and the signer's mark.

    `log_was_lost`: the log holds nothing on a chain past its genesis, so what it forbade is forgotten.
    """

    content: WalContent
    mark: SignRequest | None
    log_was_lost: bool

    @classmethod
    def of(cls, content: WalContent, mark: SignRequest | None, head: int) -> Remembered:
        """What was found on disk, beside a chain whose head has the height `head` (BFT-41).

        An empty log is one that was lost, unless nothing was signed and nothing decided yet: whoever signs
        leaves records, and whoever only watches none, however often it starts.
        """
        return cls(content, mark, log_was_lost=content.is_empty and (mark is not None or head > 0))


def build_node(config: NodeConfig, door: ChainDoor, remembered: Remembered, now_ms: Millis) -> ValidatorNode:
    """A node on the head of a chain, with what its earlier lives must not forget."""
    facts = door.next_height()
    is_alone = len(facts.validators.validators) == 1
    silent_above = None
    if remembered.log_was_lost and not is_alone:
        silent_above = Height(0) if remembered.mark is None else remembered.mark.height
    mark = remembered.mark if remembered.content.is_loss_accepted else None
    marked = None if mark is None else (mark.height, mark.round)
    setup = EngineSetup(config.rules, config.own, config.verify, silent_above, marked)
    opening = HeightOpened(facts, remembered.content.records)
    pool = Mempool(door.pool_head(), PoolLimits(), has_journal=config.has_journal)
    discovery = None if config.table is None else config.table.build()
    node = ValidatorNode(
        Setup(config.own, facts, TransactionGossip(), discovery),
        lambda: BftMachine(setup, opening, now_ms),
        pool,
    )
    for block, (height, body) in remembered.content.blocks.items():
        if height >= facts.height:
            node.hold_block(block, height, body)
    return node


def bft_rules(genesis_hash: Hash32, rules: CocRules, parameters: BftParameters) -> BftRules:
    """What genesis says about rounds and timeouts, as the engine takes it."""
    vote = Timeout(parameters.vote_ms, parameters.delta_ms, parameters.cap_ms)
    return BftRules(
        genesis_hash,
        rules.block_interval_s * 1000,
        Timeout(parameters.propose_ms, parameters.delta_ms, parameters.cap_ms),
        vote,
        vote,
        parameters.resend_ms,
        parameters.clock_tolerance_s * 1000,
    )

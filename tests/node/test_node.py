"""What passes between engine and pool: the block moves the pool first, and no failure leaves either stuck."""

from __future__ import annotations

from collections.abc import Sequence

from coc.consensus.rotation.engine import (
    Decide,
    Fulfilled,
    HeadFacts,
    RotationEngine,
    Schedule,
    Sealing,
    SetTimer,
    Sign,
)
from coc.consensus.rotation.slots import RotationRules
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.effects import Acknowledge, Added, Included, JournalAppend, JudgeAgain, Refuse
from coc.execution.mempool.inputs import (
    RUNS_NOW,
    Account,
    Candidate,
    JournalFailed,
    Judged,
    Origin,
    Standing,
    Verdict,
)
from coc.execution.mempool.pool import Mempool
from coc.node.choosing import CHOSEN_GAS_SHARES
from coc.node.effects import BuildBlock, Effect
from coc.node.inputs import (
    Arrived,
    BlockBuilt,
    BlockDecided,
    Input,
    Mine,
    SealingFailed,
    Signed,
    Start,
    TimerFired,
)
from coc.node.node import Node
from coc.primitives.limits import BUILD_TRANSACTIONS_MAX, SEAL_RETRY_MS
from coc.primitives.types import Address, Hash32, Height, Millis, Signature
from coc.primitives.validators import Validator, ValidatorSet
from tests.execution.mempool.scene import ALICE, BOB, RICH, Tx, head_at

OWN = Validator(Address(b"\x01" * 20), bytes(64), bytes(64), 1, Address(b"\x02" * 20))
GENESIS_S = 1_000
NOW = Millis(GENESIS_S * 1_000 + 500)


class Stage:
    """A node on block 0, and a shell that answers as native code would."""

    def __init__(self, sealing: Sealing = Sealing.INSTANT, *, has_journal: bool = True) -> None:
        rules = RotationRules(Hash32(b"\x11" * 32), GENESIS_S, 1, ValidatorSet((OWN,)))
        head = head_at(0)
        self.pool = Mempool(head, PoolLimits(), has_journal=has_journal)
        engine = RotationEngine(
            rules, Schedule(sealing, 1_000), HeadFacts(head.hash, Height(0), GENESIS_S, b"")
        )
        self.node = Node(engine, self.pool, sealing)
        self.nonces: dict[Address, int] = {}

    def step(self, event: Input) -> list[Effect]:
        return self.node.step(NOW, event)

    def arrive(self, *txs: Tx) -> list[Effect]:
        candidates = [Candidate(tx, RUNS_NOW, Account(self.nonces.get(tx.sender, 0), RICH)) for tx in txs]
        return self.step(Arrived(self.pool.head.hash, Origin.LOCAL, candidates))

    def building(self) -> BuildBlock:
        """What an instant node builds once its timer has fired."""
        (build,) = self.step(TimerFired())
        assert isinstance(build, BuildBlock)
        return build

    def built(self, included: Sequence[Tx], refused: Sequence[Tx] = ()) -> list[Effect]:
        block = Hash32((self.pool.head.height + 1).to_bytes(32, "big"))
        return self.step(BlockBuilt(block, not included, [tx.hash for tx in refused]))

    def decided(self, included: Sequence[Tx]) -> list[Effect]:
        height = Height(self.pool.head.height + 1)
        for tx in included:
            self.nonces[tx.sender] = max(self.nonces.get(tx.sender, 0), tx.nonce + 1)
        changed = {tx.sender: Account(self.nonces[tx.sender], RICH) for tx in included}
        head = head_at(height)
        facts = HeadFacts(head.hash, height, GENESIS_S + height, b"seal")
        hashes = [tx.hash for tx in included]
        return self.step(BlockDecided(facts, head, changed, hashes, rules_changed=False))


def kinds(effects: Sequence[Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def test_a_transaction_is_journalled_acknowledged_built_and_included_on_an_instant_chain() -> None:
    stage = Stage()
    tx = Tx(ALICE, 0)
    assert kinds(stage.arrive(tx)) == [JournalAppend, Acknowledge, Added, SetTimer]
    build = stage.building()
    assert build.transactions == [tx]
    assert kinds(stage.built([tx])) == [Sign]
    assert kinds(stage.step(Signed(Signature(bytes(65))))) == [Decide]
    assert stage.decided([tx]) == [Included([tx.hash])]


def test_a_journal_that_fails_leaves_an_instant_chain_able_to_seal() -> None:
    stage = Stage()
    lost, kept = Tx(ALICE, 0), Tx(BOB, 0)
    stage.arrive(lost)
    # The shell performs nothing after the append that failed, so no timer is set and no block begun.
    (refused,) = stage.step(JournalFailed("no space"))
    assert isinstance(refused, Refuse)
    assert refused.hash == lost.hash
    stage.arrive(kept)
    assert stage.building().transactions == [kept]


def test_an_instant_chain_whose_pool_ran_empty_makes_no_block_when_its_timer_fires() -> None:
    stage = Stage()
    tx = Tx(ALICE, 0)
    stage.arrive(tx)
    stage.building()
    stage.arrive(Tx(ALICE, 1))
    stage.built([tx])
    stage.step(Signed(Signature(bytes(65))))
    stage.decided([tx, Tx(ALICE, 1)])
    assert stage.step(TimerFired()) == []


def test_what_arrives_while_an_instant_block_is_made_is_in_the_next_one() -> None:
    stage = Stage()
    first, second = Tx(ALICE, 0), Tx(BOB, 0)
    stage.arrive(first)
    stage.building()
    stage.arrive(second)
    assert stage.step(TimerFired()) == []
    stage.built([first])
    stage.step(Signed(Signature(bytes(65))))
    (build,) = [effect for effect in stage.decided([first]) if isinstance(effect, BuildBlock)]
    assert build.transactions == [second]


def test_a_transaction_that_never_fits_does_not_make_an_instant_chain_seal_empty_blocks_for_ever() -> None:
    stage = Stage()
    tx = Tx(ALICE, 0)
    stage.arrive(tx)
    stage.building()
    (again,) = stage.built([], [tx])
    assert again == JudgeAgain([tx], None)
    verdict = Verdict(Standing.NEVER, "NO", "it never fits")
    assert len(stage.step(Judged(stage.pool.head.hash, [(tx.hash, verdict)]))) == 1
    assert stage.step(TimerFired()) == []


def test_refused_transactions_are_judged_again_after_the_block_that_refused_them() -> None:
    stage = Stage()
    good, bad = Tx(ALICE, 0), Tx(BOB, 0)
    stage.arrive(good, bad)
    stage.building()
    assert kinds(stage.built([good], [bad])) == [Sign]
    stage.step(Signed(Signature(bytes(65))))
    assert JudgeAgain([bad], None) in stage.decided([good])


def test_a_failed_block_is_tried_again_after_a_pause_and_its_transactions_still_wait() -> None:
    stage = Stage(Sealing.INTERVAL)
    tx = Tx(ALICE, 0)
    stage.step(Start())
    stage.arrive(tx)
    stage.building()
    assert stage.step(SealingFailed("no")) == [SetTimer(Millis(NOW + SEAL_RETRY_MS))]
    assert stage.building().transactions == [tx]


def test_a_sealed_block_that_was_not_written_is_decided_again_with_the_same_seal() -> None:
    stage = Stage(Sealing.INTERVAL)
    stage.building()
    stage.built([])
    (decide,) = stage.step(Signed(Signature(bytes(65))))
    stage.step(SealingFailed("disk full", keeps_block=True))
    assert stage.step(TimerFired()) == [decide]


def test_a_block_on_demand_is_made_though_the_pool_is_empty_and_the_demand_is_met() -> None:
    stage = Stage(Sealing.MANUAL)
    (build,) = stage.step(Mine(7, GENESIS_S + 90))
    assert isinstance(build, BuildBlock)
    assert (build.timestamp_s, build.transactions) == (GENESIS_S + 90, [])
    stage.built([])
    stage.step(Signed(Signature(bytes(65))))
    assert stage.decided([]) == [Fulfilled(7)]


def test_a_manual_chain_makes_no_block_by_itself() -> None:
    stage = Stage(Sealing.MANUAL)
    assert stage.step(Start()) == []
    assert SetTimer not in kinds(stage.arrive(Tx(ALICE, 0)))
    assert stage.step(TimerFired()) == []


def test_an_instant_chain_begins_with_what_the_journal_brought_back() -> None:
    stage = Stage()
    tx = Tx(ALICE, 0)
    candidates = [Candidate(tx, RUNS_NOW, Account(0, RICH))]
    stage.step(Arrived(stage.pool.head.hash, Origin.JOURNAL, candidates))
    (build,) = stage.step(Start())
    assert isinstance(build, BuildBlock)
    assert build.transactions == [tx]


def test_the_builder_is_handed_a_few_blocks_of_gas_and_at_least_one_transaction() -> None:
    stage = Stage(Sealing.MANUAL, has_journal=False)
    gas_limit = stage.pool.head.gas_limit
    stage.arrive(*(Tx(ALICE, nonce, gas_limit=gas_limit // 2) for nonce in range(20)))
    (build,) = stage.step(Mine(1, None))
    assert isinstance(build, BuildBlock)
    assert len(build.transactions) == 2 * CHOSEN_GAS_SHARES
    assert len(build.transactions) < BUILD_TRANSACTIONS_MAX

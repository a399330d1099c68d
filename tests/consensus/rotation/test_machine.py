"""The rotation machine of a network, rule by rule; whole networks are in `tests/sim/rotation`."""

from __future__ import annotations

import pytest

from coc.consensus import engine
from coc.consensus.bft.wal import BlockKept, Intent, ProposalKept
from coc.consensus.rotation import effects as fx
from coc.consensus.rotation import inputs as ev
from coc.consensus.rotation.evidence import double_seal
from coc.consensus.rotation.messages import Status
from coc.consensus.rotation.rules import BlockFacts, FinalBlock, Opening, SealedFacts
from coc.primitives.limits_rotation import (
    BLOCK_SOURCES_MAX,
    FETCHES_PER_STATUS_MAX,
    FINAL_DEPTH_BLOCKS_DEFAULT,
    HELD_SEALS_MAX,
    HELD_SLOTS_AHEAD_MAX,
    PENDING_BLOCKS_MAX,
    RANGE_BEHIND_BLOCKS_MIN,
    REFUSED_BLOCKS_MAX,
    SLOT_BLOCKS_TAKEN_MAX,
    SLOTS_REMEMBERED_MAX,
    UNFINAL_BLOCKS_MAX,
)
from coc.primitives.seals import Seal, SignRequest, Step
from coc.primitives.types import Hash32, Height, Millis, PeerId
from coc.sim.rotation.plan import GENESIS
from tests.consensus.rotation.stage import (
    KEYS,
    OTHER,
    OWN,
    PEER,
    RULES,
    Stage,
    facts,
    name,
    of,
    seal_for,
    sealed,
)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.start()
    return stage


def chain(count: int, first_number: int = 100, slots: list[int] | None = None) -> list[SealedFacts]:
    """Blocks on genesis, one a slot."""
    found = []
    parent, parent_slot = GENESIS, None
    for index in range(count):
        slot = index + 1 if slots is None else slots[index]
        block = facts(first_number + index, parent, index + 1, slot, parent_slot)
        found.append(SealedFacts(block, Seal(slot, seal_for(block).signature)))
        parent, parent_slot = block.hash, slot
    return found


def made_in(stage: Stage, slot: int) -> SignRequest:
    """Have the machine ask for the signature of a block of its own."""
    (wish,) = of(stage.slot(slot), fx.Build)
    block = facts(1_000 + slot, wish.parent, wish.height, slot)
    (persist,) = of(stage.step(ev.Built(block)), engine.Persist)
    (sign,) = of(stage.step(engine.Persisted(persist.sequence)), engine.Sign)
    return sign.request


# ── Making ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_of_ours_is_kept_signed_written_and_only_then_announced(stage: Stage) -> None:  # ROT-7, ROT-8
    (wish,) = of(stage.slot(3), fx.Build)
    assert (wish.slot, wish.height, wish.parent, wish.parent_seal) == (3, 1, GENESIS, None)
    block = facts(9, GENESIS, 1, 3)
    request = SignRequest(GENESIS, Height(1), 3, Step.PROPOSAL, block.hash)

    (persist,) = stage.step(ev.Built(block))
    assert persist == engine.Persist(1, (BlockKept(Height(1), block.hash), Intent(request, None, None)))
    assert stage.step(engine.Persisted(1)) == [engine.Sign(request)]
    made = seal_for(block)
    assert stage.step(engine.SignatureMade(request, made.signature)) == [
        engine.Append(ProposalKept(made)),
        fx.Execute(block.hash),
    ]
    assert stage.step(ev.Executed(block.hash, is_valid=True)) == [
        fx.Record(block.hash, Seal(3, made.signature))
    ]
    assert stage.step(ev.Recorded(block.hash)) == [
        fx.Broadcast(made),
        fx.MoveHead(block.hash, GENESIS, GENESIS),
    ]


def test_only_own_slots_are_built_in_and_each_once(stage: Stage) -> None:  # ROT-2, ROT-7
    stage.at_slot(2)
    assert of(stage.start(), fx.Build) == []
    made_in(stage, 3)

    assert of(stage.step(ev.TimerFired(ev.Timer(ev.TimerKind.SLOT, 3))), fx.Build) == []
    assert of(stage.start(), fx.Build) == []


def test_a_late_slot_timer_is_ignored(stage: Stage) -> None:
    stage.slot(3)

    assert stage.slot(3) == []


def test_a_block_is_given_up_when_the_head_has_moved(stage: Stage) -> None:  # ROT-7
    stage.slot(3)
    stage.bring(facts(1, GENESIS, 1, 2))

    assert stage.step(ev.Built(facts(9, GENESIS, 1, 3))) == []
    assert stage.step(engine.Persisted(0)) == []


def test_no_block_stands_on_a_head_of_the_same_slot_or_a_later_one() -> None:  # ROT-3
    stage = Stage(Opening(FinalBlock(name(1), Height(5), 7, Seal(7, KEYS[OWN].sign(name(1))))))

    assert of(stage.at_slot(7).start(), fx.Build) == []
    assert [wish.height for wish in of(stage.slot(11), fx.Build)] == [6]


def test_what_cannot_be_written_is_not_signed_and_a_person_is_told(stage: Stage) -> None:  # ROT-12
    stage.slot(3)
    (persist,) = of(stage.step(ev.Built(facts(9, GENESIS, 1, 3))), engine.Persist)

    (alarm,) = of(stage.step(engine.PersistFailed(persist.sequence, "no room")), engine.Alarm)
    assert "no room" in alarm.reason
    assert stage.step(engine.Persisted(persist.sequence)) == []
    assert made_in(stage, 7).round == 7


def test_what_the_signer_refuses_is_given_up(stage: Stage) -> None:  # ROT-12
    request = made_in(stage, 3)

    (alarm,) = of(stage.step(engine.SignatureRefused(request, "the mark")), engine.Alarm)
    assert "the mark" in alarm.reason
    assert stage.step(engine.SignatureMade(request, KEYS[OWN].sign(request.digest()))) == []
    assert made_in(stage, 7).round == 7


def test_an_intent_without_seal_is_signed_again_and_its_slot_is_used() -> None:  # ROT-10
    block = facts(9, GENESIS, 1, 3)
    request = SignRequest(GENESIS, Height(1), 3, Step.PROPOSAL, block.hash)
    records = (BlockKept(Height(1), block.hash), Intent(request, None, None))
    genesis = FinalBlock(GENESIS, Height(0), 0)
    stage = Stage(Opening(genesis, records=records, kept=(block,))).at_slot(3)

    effects = stage.start()

    assert of(effects, engine.Sign) == [engine.Sign(request)]
    assert of(effects, fx.Build) == []
    signed = stage.step(engine.SignatureMade(request, KEYS[OWN].sign(request.digest())))
    assert of(signed, fx.Execute) == [fx.Execute(block.hash)]


def test_a_sealed_block_that_is_in_no_log_is_written_after_a_restart() -> None:  # ROT-10
    block = facts(9, GENESIS, 1, 3)
    request = SignRequest(GENESIS, Height(1), 3, Step.PROPOSAL, block.hash)
    kept = ProposalKept(seal_for(block))
    records = (BlockKept(Height(1), block.hash), Intent(request, None, None), kept)
    genesis = FinalBlock(GENESIS, Height(0), 0)
    stage = Stage(Opening(genesis, records=records, kept=(block,))).at_slot(4)

    effects = stage.start()

    assert of(effects, fx.Execute) == [fx.Execute(block.hash)]
    assert of(effects, engine.Sign) == []


def test_a_lost_log_costs_the_slots_that_may_have_been_signed() -> None:  # ROT-11
    stage = Stage(silent_until_slot=4)
    stage.start()

    assert of(stage.slot(3), fx.Build) == []
    assert len(of(stage.slot(7), fx.Build)) == 1


def test_a_long_branch_is_built_on_by_those_only_who_are_missing() -> None:  # ROT-13
    slots = [slot for slot in range(1, 3 * UNFINAL_BLOCKS_MAX) if slot % 4 in (0, 1)][:UNFINAL_BLOCKS_MAX]
    opening = Opening(FinalBlock(GENESIS, Height(0), 0), tuple(chain(UNFINAL_BLOCKS_MAX, slots=slots)))
    missing, present = Stage(opening), Stage(opening, own=1)
    mine = slots[-1] // 4 * 4 + 7
    missing.at_slot(mine - 1).start()
    present.at_slot(mine + 1).start()

    assert len(of(missing.slot(mine), fx.Build)) == 1
    refused = present.slot(mine + 2)
    assert of(refused, fx.Build) == []
    assert "not final" in of(refused, engine.Alarm)[0].reason


# ── Taking ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sealed_block_goes_by_seal_bytes_execution_and_log_into_the_tree(stage: Stage) -> None:  # ROT-17
    stage.at_slot(5)
    block = facts(1, GENESIS, 1, 5)

    assert stage.announce(block) == [engine.Fetch(block.hash, (PEER,))]
    assert stage.step(ev.BlockArrived(block)) == [fx.Execute(block.hash)]
    assert stage.machine.head.hash == GENESIS
    assert stage.step(ev.Executed(block.hash, is_valid=True)) == [
        fx.Record(block.hash, Seal(5, seal_for(block).signature))
    ]
    assert stage.machine.head.hash == GENESIS
    assert stage.step(ev.Recorded(block.hash)) == [
        fx.Broadcast(seal_for(block)),
        fx.MoveHead(block.hash, GENESIS, GENESIS),
    ]


def test_a_seal_of_somebody_else_is_reported_and_changes_nothing(stage: Stage) -> None:  # ROT-14, ROT-26
    stage.at_slot(5)
    forged = sealed(name(1), 1, 5, KEYS[0])

    assert of(stage.step(ev.SealReceived(PEER, forged)), engine.Misbehaved) != []
    assert of(stage.step(ev.StatusReceived(PEER, Status(forged, Height(0)))), engine.Misbehaved) != []
    assert stage.step(ev.BlockArrived(facts(1, GENESIS, 1, 5))) == []


def test_the_future_is_held_until_it_begins(stage: Stage) -> None:  # ROT-6, ROT-15
    stage.at_slot(4)
    block = facts(1, GENESIS, 1, 6)

    (timer,) = stage.announce(block)
    assert timer == fx.SetTimer(ev.Timer(ev.TimerKind.HELD, 6), RULES.slots.begins_ms(6))
    assert stage.step(ev.BlockArrived(block)) == []
    assert stage.at_slot(6).step(ev.TimerFired(timer.timer)) == [engine.Fetch(block.hash, (PEER,))]
    assert stage.step(ev.BlockArrived(block)) == [fx.Execute(block.hash)]


def test_what_lies_too_far_ahead_or_is_too_much_is_not_held(stage: Stage) -> None:  # ROT-15
    stage.at_slot(0)
    assert stage.announce(facts(1, GENESIS, 1, HELD_SLOTS_AHEAD_MAX + 1)) == []

    for number in range(HELD_SEALS_MAX):
        slot = 1 + number % HELD_SLOTS_AHEAD_MAX
        assert of(stage.announce(facts(10 + number, GENESIS, 1, slot)), fx.SetTimer) != []
    assert of(stage.announce(facts(5_000, GENESIS, 1, HELD_SLOTS_AHEAD_MAX)), fx.SetTimer) == []


def test_an_unknown_parent_is_sought_by_the_seal_in_its_child(stage: Stage) -> None:  # ROT-16
    stage.at_slot(9)
    parent, child = facts(1, GENESIS, 1, 5), facts(2, name(1), 2, 6, parent_slot=5)
    stage.announce(child)

    assert stage.step(ev.BlockArrived(child)) == [engine.Fetch(parent.hash, (PEER,))]
    assert stage.step(ev.BlockArrived(parent)) == [fx.Execute(parent.hash)]
    stage.step(ev.Executed(parent.hash, is_valid=True))
    assert fx.Execute(child.hash) in stage.step(ev.Recorded(parent.hash))


def test_a_child_with_a_forged_seal_of_its_parent_is_refused_with_who_brought_it(
    stage: Stage,
) -> None:  # ROT-16
    stage.at_slot(9)
    forged = sealed(name(1), 1, 5, KEYS[0])
    child = BlockFacts(name(2), name(1), Height(2), 6, Seal(5, forged.signature))
    stage.announce(child)

    assert of(stage.step(ev.BlockArrived(child)), engine.Misbehaved) != []
    assert of(stage.announce(child, OTHER), engine.Misbehaved) != []


@pytest.mark.parametrize("lie", [{"height": Height(2)}, {"slot": 6}])
def test_a_block_that_is_not_what_its_seal_says_is_refused(
    stage: Stage, lie: dict[str, int]
) -> None:  # ROT-16
    stage.at_slot(9)
    block = facts(1, GENESIS, 1, 5)
    stage.announce(block)
    other = {"height": block.height, "slot": block.slot, **lie}
    arrived = BlockFacts(block.hash, GENESIS, Height(other["height"]), other["slot"], None)

    assert of(stage.step(ev.BlockArrived(arrived)), engine.Misbehaved) != []


def test_what_stands_on_an_invalid_block_is_refused_with_it(stage: Stage) -> None:  # ROT-17
    stage.at_slot(9)
    parent, child = facts(1, GENESIS, 1, 5), facts(2, name(1), 2, 6, parent_slot=5)
    stage.announce(parent)
    stage.announce(child, OTHER)
    stage.step(ev.BlockArrived(child))
    stage.step(ev.BlockArrived(parent))

    reported = of(stage.step(ev.Executed(parent.hash, is_valid=False)), engine.Misbehaved)

    assert {each.peer for each in reported} == {PEER, OTHER}
    assert stage.step(ev.Recorded(parent.hash)) == []
    assert of(stage.announce(child), engine.Misbehaved) != []


def test_what_is_sought_is_asked_for_again_with_every_status(stage: Stage) -> None:  # ROT-16, ROT-19
    stage.at_slot(5)
    stage.announce(facts(1, GENESIS, 1, 5))
    stage.announce(facts(1, GENESIS, 1, 5), OTHER)

    effects = stage.step(ev.TimerFired(ev.Timer(ev.TimerKind.RESEND, 0)))

    assert engine.Fetch(name(1), (PEER, OTHER)) in effects
    assert fx.Broadcast(Status(None, Height(0))) in effects
    stage.step(engine.PeerGone(PEER))
    again = stage.step(ev.TimerFired(ev.Timer(ev.TimerKind.RESEND, 0)))
    assert engine.Fetch(name(1), (OTHER,)) in again


def test_an_ancestor_that_had_to_make_room_is_sought_again(stage: Stage) -> None:  # ROT-16, ROT-18
    stage.at_slot(5_000)
    child = facts(2, name(1), 2, 6, parent_slot=5)
    stage.announce(child)
    stage.step(ev.BlockArrived(child))
    late = [facts(10_000 + slot, GENESIS, 1, slot) for slot in range(10, 10 + PENDING_BLOCKS_MAX)]
    for block in late[:-1]:
        stage.announce(block)
    assert stage.step(ev.BlockArrived(late[0])) == [fx.Execute(late[0].hash)]
    assert stage.machine.size <= 3 * PENDING_BLOCKS_MAX + SLOTS_REMEMBERED_MAX

    again = stage.step(ev.TimerFired(ev.Timer(ev.TimerKind.RESEND, 0)))

    fetched = [each.block for each in of(again, engine.Fetch)]
    assert len(fetched) <= FETCHES_PER_STATUS_MAX + 1
    assert name(1) in fetched


def test_of_one_slot_a_third_block_is_taken_only_if_something_stands_on_it(stage: Stage) -> None:  # ROT-18
    stage.at_slot(9)
    rivals = [facts(number, GENESIS, 1, 5) for number in range(1, SLOT_BLOCKS_TAKEN_MAX + 2)]
    for block in rivals[:-1]:
        assert of(stage.announce(block), engine.Fetch) != []
    third = rivals[-1]
    assert of(stage.announce(third), engine.Fetch) == []

    child = facts(9, third.hash, 2, 6, parent_slot=5)
    stage.announce(child)
    assert of(stage.step(ev.BlockArrived(child)), engine.Fetch) == [engine.Fetch(third.hash, (PEER,))]


def test_a_head_far_ahead_is_fetched_in_ranges_from_the_final_block_on(stage: Stage) -> None:  # ROT-20
    stage.at_slot(200)
    peers_chain = chain(100)
    near = seal_for(peers_chain[RANGE_BEHIND_BLOCKS_MIN - 1].facts)
    far = seal_for(peers_chain[-1].facts)
    assert of(stage.step(ev.StatusReceived(PEER, Status(near, Height(0)))), fx.FetchRange) == []
    assert stage.step(ev.StatusReceived(PEER, Status(far, Height(90)))) == [fx.FetchRange(PEER, Height(1))]

    effects = stage.step(ev.RangeArrived(PEER, tuple(peers_chain[:30])))

    assert of(effects, fx.Execute) == [fx.Execute(peers_chain[0].facts.hash)]
    assert stage.step(ev.StatusReceived(PEER, Status(far, Height(90)))) == [fx.FetchRange(PEER, Height(31))]
    assert stage.step(ev.StatusReceived(OTHER, Status(far, Height(90)))) == [fx.FetchRange(OTHER, Height(1))]
    stage.step(engine.PeerGone(PEER))
    assert stage.step(ev.StatusReceived(PEER, Status(far, Height(90)))) == [fx.FetchRange(PEER, Height(1))]


def test_a_range_with_a_forged_seal_is_reported_and_read_no_further(stage: Stage) -> None:  # ROT-14, ROT-20
    stage.at_slot(200)
    first, second, third = chain(3)
    forged = SealedFacts(second.facts, Seal(2, KEYS[0].sign(name(0))))

    effects = stage.step(ev.RangeArrived(PEER, (first, forged, third)))

    assert len(of(effects, engine.Misbehaved)) == 1
    assert stage.step(ev.BlockArrived(third.facts)) == []


def test_a_few_peers_are_remembered_as_holding_a_block(stage: Stage) -> None:
    stage.at_slot(5)
    for number in range(BLOCK_SOURCES_MAX + 5):
        stage.announce(facts(1, GENESIS, 1, 5), PeerId(bytes([number]) * 32))

    (fetch,) = of(stage.step(ev.TimerFired(ev.Timer(ev.TimerKind.RESEND, 0))), engine.Fetch)
    assert len(fetch.holders) == BLOCK_SOURCES_MAX


def test_names_of_refused_blocks_are_bounded(stage: Stage) -> None:
    stage.at_slot(3 * REFUSED_BLOCKS_MAX)
    for number in range(REFUSED_BLOCKS_MAX + 10):
        block = facts(number + 1, GENESIS, 1, number + 1)
        stage.announce(block)
        stage.step(ev.BlockArrived(block))
        stage.step(ev.Executed(block.hash, is_valid=False))

    assert of(
        stage.announce(facts(REFUSED_BLOCKS_MAX + 5, GENESIS, 1, REFUSED_BLOCKS_MAX + 5)), engine.Misbehaved
    )
    assert of(stage.announce(facts(1, GENESIS, 1, 1)), engine.Fetch) != []


# ── Finality ────────────────────────────────────────────────────────────────────────────────────────────────


def test_final_needs_depth_and_two_thirds_and_safe_only_the_signatures(
    stage: Stage,
) -> None:  # ROT-21, ROT-22
    tags = []
    for sealed_facts in chain(FINAL_DEPTH_BLOCKS_DEFAULT + 2):
        block = sealed_facts.facts
        (move,) = of(stage.at_slot(block.slot).bring(block), fx.MoveHead)
        tags.append((move.head, move.safe, move.final))

    heights = {GENESIS: 0, **{name(100 + index): index + 1 for index in range(20)}}
    shown = [tuple(heights[each] for each in move) for move in tags]
    assert shown == [(head, max(0, head - 3), max(0, head - 6)) for head in range(1, 9)]


def test_what_is_safe_goes_back_only_with_the_block_itself(stage: Stage) -> None:  # ROT-22
    def branch(number: int, parent: Hash32, height: int, slots: list[int]) -> Hash32:
        """Blocks on a parent, one a slot; the safe block after the last of them."""
        moves: list[fx.MoveHead] = []
        for index, slot in enumerate(slots):
            block = facts(number + index, parent, height + index, slot)
            moves = of(stage.at_slot(slot).bring(block), fx.MoveHead)
            parent = block.hash
        assert moves[-1].head == parent
        return moves[-1].safe

    assert branch(101, GENESIS, 1, [1, 2, 3, 4]) == name(101), "2, 3 and 0 have signed upon it"
    assert branch(204, name(103), 4, [7, 11]) == name(101), "0 has not, on this branch that has it too"
    assert branch(301, GENESIS, 1, [13, 17, 21, 25, 29, 33]) == GENESIS, "it is not on this one"


def test_few_signers_make_nothing_final_however_deep(stage: Stage) -> None:  # ROT-21
    slots = [slot for slot in range(1, 60) if slot % 4 in (0, 1)]
    for sealed_facts in chain(20, slots=slots):
        stage.at_slot(sealed_facts.facts.slot).bring(sealed_facts.facts)

    assert (stage.machine.head.height, stage.machine.final.height) == (20, 0)


def test_a_longer_branch_beside_the_final_block_is_not_taken(stage: Stage) -> None:  # ROT-23, FC-7
    for sealed_facts in chain(10):
        stage.at_slot(sealed_facts.facts.slot).bring(sealed_facts.facts)
    assert stage.machine.final.height == 4
    stage.at_slot(100)
    other = chain(40, first_number=500, slots=list(range(11, 51)))

    stage.step(ev.RangeArrived(PEER, tuple(other)))
    assert stage.machine.head.hash == name(109)
    beside = facts(900, other[3].facts.hash, 5, 60, parent_slot=14)
    stage.announce(beside)
    assert stage.step(ev.BlockArrived(beside)) == []


# ── Signing twice ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("height", [1, 2])
def test_two_seals_of_one_slot_are_evidence_at_whatever_heights(stage: Stage, height: int) -> None:  # ROT-25
    stage.at_slot(9)
    first, second = sealed(name(1), 1, 5), sealed(name(2), height, 5)
    evidence = double_seal(first, second)
    stage.step(ev.SealReceived(PEER, first))

    effects = stage.step(ev.SealReceived(PEER, second))

    assert effects[:2] == [fx.EvidenceFound(evidence), fx.Broadcast(evidence)]
    assert of(stage.step(ev.SealReceived(OTHER, sealed(name(3), 1, 5))), fx.EvidenceFound) == []
    assert stage.step(ev.EvidenceReceived(PEER, evidence)) == []
    assert stage.machine.evidence == (evidence,)


def test_evidence_of_a_peer_is_verified_first(stage: Stage) -> None:  # ROT-25, ROT-26
    real, forged = sealed(name(1), 1, 5), sealed(name(2), 1, 5, KEYS[0])
    lie, truth = double_seal(real, forged), double_seal(real, sealed(name(3), 1, 5))

    assert of(stage.step(ev.EvidenceReceived(PEER, lie)), engine.Misbehaved) != []
    assert of(stage.step(ev.EvidenceReceived(PEER, truth)), fx.EvidenceFound) == [fx.EvidenceFound(truth)]


def test_a_second_seal_that_comes_after_its_height_is_final_still_convicts(stage: Stage) -> None:  # ROT-25
    for sealed_facts in chain(10):
        stage.at_slot(sealed_facts.facts.slot).bring(sealed_facts.facts)

    late = stage.step(ev.SealReceived(PEER, sealed(name(7_000), 2, 2)))

    assert len(of(late, fx.EvidenceFound)) == 1
    assert of(late, engine.Fetch) == []


def test_slots_are_remembered_to_a_bound(stage: Stage) -> None:  # ROT-25
    stage.now_ms = Millis(RULES.slots.begins_ms(3 * SLOTS_REMEMBERED_MAX))
    for slot in range(1, SLOTS_REMEMBERED_MAX + 2):
        stage.announce(facts(slot, GENESIS, 1, slot))

    assert of(stage.announce(facts(90_000, GENESIS, 1, 1)), fx.EvidenceFound) == []
    newest = SLOTS_REMEMBERED_MAX + 1
    assert of(stage.announce(facts(90_001, GENESIS, 1, newest)), fx.EvidenceFound) != []

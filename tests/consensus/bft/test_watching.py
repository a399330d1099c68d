"""A validator whose write-ahead log is lost watches before it signs (BFT-41)."""

from __future__ import annotations

import pytest

from coc.consensus.bft import effects as fx
from coc.consensus.bft import inputs as ev
from coc.consensus.bft.machine import BftMachine
from coc.consensus.bft.rules import Setup
from coc.primitives.frozen import replace
from coc.primitives.types import Height, Millis
from coc.sim.bft_crypto import verify
from coc.sim.bft_plan import address_at
from tests.consensus.bft import playbook
from tests.consensus.bft.playbook import BLOCK, HEIGHT, PARENT, RULES, Playbook, certificate, height_facts

OWN = 3


class Watcher(Playbook):
    """A validator that has lost its log, with a signer's mark at a height."""

    def __init__(self, mark: int) -> None:
        super().__init__(OWN)
        setup = Setup(RULES, address_at(OWN), verify, silent_above=Height(mark))
        self.machine = BftMachine(setup, ev.HeightOpened(height_facts()), Millis(self.now_ms))


def next_height(signers: list[int], height: int = HEIGHT) -> ev.HeightOpened:
    decided = certificate(0, BLOCK, signers, Height(height))
    return ev.HeightOpened(
        replace(height_facts(Height(height + 1)), parent=BLOCK, parent_certificate=decided)
    )


def test_a_watcher_votes_for_nothing() -> None:
    watcher = Watcher(mark=0)
    effects = [*watcher.start(), *watcher.prevote_block(), *watcher.fire(ev.TimerKind.PROPOSE)]
    assert playbook.spoken(effects) == []
    assert watcher.machine.is_watching


def test_it_signs_again_after_a_height_above_its_mark_was_decided_without_it() -> None:
    watcher = Watcher(mark=HEIGHT - 1)
    watcher.start()
    watcher.play(next_height([0, 1, 2]))
    assert not watcher.machine.is_watching


def test_a_height_decided_with_its_own_signature_proves_nothing() -> None:
    watcher = Watcher(mark=HEIGHT - 1)
    watcher.start()
    watcher.play(next_height([0, 1, OWN]))
    assert watcher.machine.is_watching


def test_a_height_at_its_mark_proves_nothing() -> None:
    watcher = Watcher(mark=HEIGHT)
    watcher.start()
    watcher.play(next_height([0, 1, 2]))
    assert watcher.machine.is_watching


def test_what_was_decided_before_its_start_proves_nothing() -> None:
    facts = height_facts(parent_certificate=certificate(0, PARENT, [0, 1, 2], Height(HEIGHT - 1)))
    setup = Setup(RULES, address_at(OWN), verify, silent_above=Height(0))
    machine = BftMachine(setup, ev.HeightOpened(facts), Millis(11_000))
    machine.step(Millis(11_000), ev.Started())
    assert machine.is_watching


@pytest.mark.parametrize("position", [OWN, None])
def test_whoever_has_its_log_does_not_watch(position: int | None) -> None:
    assert not Playbook(position).machine.is_watching


def test_who_watches_writes_nothing_down_so_that_its_log_stays_empty() -> None:  # BFT-41
    watcher = Watcher(mark=0)
    watcher.start()
    one, other = playbook.prevote(0, 0, BLOCK), playbook.prevote(0, 0, None)
    effects = [*watcher.hear(one, other), *watcher.fire(ev.TimerKind.PROPOSE)]
    assert len(watcher.machine.pending_evidence) == 1
    assert not [each for each in effects if isinstance(each, fx.Persist | fx.Append)]


class Forgetful(Playbook):
    """A validator that was told to sign though its log is lost: the last signature was in some round."""

    def __init__(self, marked: tuple[int, int]) -> None:
        super().__init__(OWN)
        place = (Height(marked[0]), marked[1])
        setup = Setup(RULES, address_at(OWN), verify, marked=place)
        self.machine = BftMachine(setup, ev.HeightOpened(height_facts()), Millis(self.now_ms))


@pytest.mark.parametrize(
    ("marked", "round_"), [((HEIGHT, 0), 1), ((HEIGHT, 4), 5), ((HEIGHT - 1, 4), 0), ((HEIGHT + 1, 4), 0)]
)
def test_a_height_begins_in_the_first_round_that_the_signer_can_sign_in(
    marked: tuple[int, int], round_: int
) -> None:  # BFT-43
    forgetful = Forgetful(marked)
    forgetful.start()
    assert forgetful.machine.status.round == round_
    nil = playbook.of_kind(forgetful.fire(ev.TimerKind.PROPOSE, round_), fx.Persist)
    assert nil, "the proposal does not come, and it asks to sign a prevote for nothing"


def test_the_next_height_begins_with_round_0_again() -> None:  # BFT-43
    forgetful = Forgetful((HEIGHT, 4))
    forgetful.start()
    forgetful.play(next_height([0, 1, 2]))
    assert (forgetful.machine.status.height, forgetful.machine.status.round) == (HEIGHT + 1, 0)


def test_who_watches_follows_from_round_0() -> None:  # BFT-43
    setup = Setup(RULES, address_at(OWN), verify, Height(HEIGHT), (Height(HEIGHT), 4))
    machine = BftMachine(setup, ev.HeightOpened(height_facts()), Millis(11_000))
    machine.step(Millis(11_000), ev.Started())
    assert machine.status.round == 0


def test_settled_evidence_leaves_the_pool_and_does_not_come_back() -> None:
    stage = Playbook(OWN)
    stage.start()
    one, other = playbook.prevote(0, 0, BLOCK), playbook.prevote(0, 0, None)
    found = playbook.of_kind(stage.hear(one, other), fx.EvidenceFound)
    assert [piece.evidence.offender for piece in found] == [address_at(0)]
    evidence = found[0].evidence
    stage.play(ev.EvidenceSettled((evidence.offence(),)))
    assert stage.machine.pending_evidence == ()
    again = stage.play(ev.EvidenceReceived(playbook.PEER, evidence))
    assert again == []

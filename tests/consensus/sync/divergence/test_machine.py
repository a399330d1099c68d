"""Where a node differs is found with one honest peer, whatever others say. DIVERGE-1 … DIVERGE-9."""

from __future__ import annotations

from typing import TypeVar

import pytest

from coc.consensus.sync.divergence import effects as fx
from coc.consensus.sync.divergence import inputs as ev
from coc.consensus.sync.divergence.inputs import Subject
from coc.consensus.sync.divergence.machine import DivergenceSearch, Stage
from coc.consensus.sync.divergence.report import (
    RULES_FIELD,
    Cause,
    DifferingAccount,
    DifferingTransaction,
    DivergenceReport,
    Field,
)
from coc.consensus.sync.snapshot.messages import NOTHING, Numbered, decode_numbered, encode_numbered
from coc.primitives import rlp
from coc.primitives.limits_divergence import (
    DIVERGENCE_ACCOUNTS_MAX,
    DIVERGENCE_ANSWER_MS_MAX,
    DIVERGENCE_CODES_MAX,
    DIVERGENCE_EXAMINATIONS_MAX,
    DIVERGENCE_LOOK_MS,
    DIVERGENCE_SEARCH_MS_MAX,
)
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId

E = TypeVar("E")
HEIGHT, BLOCK, OTHER = Height(9), Hash32(b"\x09" * 32), Hash32(b"\x0a" * 32)
GAS: Field = ("gasUsed", "7", "8")
ROOT: Field = ("stateRoot", "0x07", "0x08")
TRANSACTION = DifferingTransaction(2, Hash32(b"\x02" * 32), (("status", "0", "1"),))


def peer(number: int) -> PeerId:
    return PeerId(number.to_bytes(32, "big"))


def addresses(count: int) -> tuple[Address, ...]:
    return tuple(Address(number.to_bytes(20, "big")) for number in range(1, count + 1))


ACCOUNT = DifferingAccount(addresses(1)[0], (("balance", "1", "2"),))


class Scene:
    """A search among peers 1 … n."""

    def __init__(self, peers: int = 1) -> None:
        self.search = DivergenceSearch()
        self.now_ms = 0
        self.asked: list[fx.Ask] = []
        for number in range(1, peers + 1):
            self.feed(ev.PeerCame(peer(number)))

    def feed(self, event: ev.Input) -> list[fx.Effect]:
        effects = self.search.step(Millis(self.now_ms), event)
        self.asked += [effect for effect in effects if isinstance(effect, fx.Ask)]
        return effects

    def only(self, event: ev.Input, kind: type[E]) -> list[E]:
        return [effect for effect in self.feed(event) if isinstance(effect, kind)]

    def differ(self, *fields: Field, codes: tuple[Hash32, ...] = (), accounts: int = 1) -> list[fx.Effect]:
        """The block differs, and was examined."""
        self.feed(ev.Differed(HEIGHT, BLOCK))
        return self.feed(ev.Examined(fields, None, addresses(accounts), codes))

    @property
    def number(self) -> int:
        """Of the newest question."""
        return decode_numbered(self.asked[-1].payload).number

    def answer(self, body: bytes = b"body", by: PeerId | None = None) -> list[fx.Effect]:
        ask = self.asked[-1]
        payload = encode_numbered(Numbered(self.number, body))
        return self.feed(ev.AnswerReceived(by or ask.peer, ask.subject, payload))

    def asks_for(self, subject: Subject) -> bool:
        """Whether the newest question is about this."""
        return self.asked[-1].subject is subject

    @property
    def report(self) -> DivergenceReport:
        assert self.search.report is not None
        return self.search.report

    def wait(self, ms: int = DIVERGENCE_LOOK_MS, head: int = HEIGHT - 1) -> list[fx.Effect]:
        self.now_ms += ms
        return self.feed(ev.TimerFired(Height(head)))


def test_a_difference_is_told_at_once_and_the_block_examined_beside_the_chain() -> (
    None
):  # DIVERGE-1, DIVERGE-2
    stage = Scene()
    effects = stage.feed(ev.Differed(HEIGHT, BLOCK))
    assert effects == [
        fx.Tell(DivergenceReport(HEIGHT, BLOCK)),
        fx.Examine(HEIGHT, BLOCK),
        fx.SetTimer(Millis(DIVERGENCE_LOOK_MS)),
    ]
    assert stage.feed(ev.Differed(HEIGHT, BLOCK)) == [], "it is under way"


def test_receipts_lead_to_the_transaction_and_its_accounts_to_the_account() -> None:  # DIVERGE-3, DIVERGE-4
    stage = Scene()
    stage.differ(GAS, ROOT)
    assert stage.asks_for(Subject.RECEIPTS)
    assert decode_numbered(stage.asked[-1].payload).body == BLOCK
    assert stage.answer() == [fx.CompareReceipts(stage.number, b"body")]
    stage.feed(ev.ReceiptsCompared(stage.number, TRANSACTION, addresses(3)))
    assert stage.asks_for(Subject.ACCOUNTS)
    (compare,) = stage.answer()
    assert isinstance(compare, fx.CompareAccounts)
    assert compare.addresses == addresses(3)
    effects = stage.feed(ev.AccountsCompared(stage.number, 1, ACCOUNT))
    assert effects == [fx.Tell(stage.report), fx.Uncured(stage.report)], "only another state helps: DIVERGE-9"
    assert (stage.report.transaction, stage.report.account) == (TRANSACTION, ACCOUNT)
    assert (stage.report.cause, stage.report.is_complete) == (Cause.EXECUTION, True)
    for word in ("block 9", "transaction 2 (status)", "(balance)", "certified state"):
        assert word in stage.report.sentence


def test_where_only_the_state_differs_no_receipts_are_asked_for() -> None:  # DIVERGE-4
    stage = Scene()
    stage.differ(ROOT)
    assert [ask.subject for ask in stage.asked] == [Subject.ACCOUNTS]


def test_accounts_are_asked_for_in_bounded_portions_on_from_what_an_answer_spoke_of() -> None:  # DIVERGE-4
    stage = Scene()
    stage.differ(ROOT, accounts=DIVERGENCE_ACCOUNTS_MAX + 5)
    portions = []
    for count in (DIVERGENCE_ACCOUNTS_MAX - 1, 6):
        (compare,) = stage.answer()
        assert isinstance(compare, fx.CompareAccounts)
        portions.append(len(compare.addresses))
        stage.feed(ev.AccountsCompared(stage.number, count, None))
    assert portions == [DIVERGENCE_ACCOUNTS_MAX, 6]
    assert stage.report.is_complete
    assert stage.report.account is None


def test_who_lies_is_reported_and_others_are_asked() -> None:  # DIVERGE-5
    stage = Scene(peers=3)
    stage.differ(GAS)
    stage.answer()
    assert stage.only(ev.AnswerRefused(stage.number, "another root"), fx.Misbehaved) == [
        fx.Misbehaved(peer(1), "another root")
    ]
    assert stage.asked[-1].peer == peer(2)
    garbage = ev.AnswerReceived(peer(2), Subject.RECEIPTS, b"\x80\x80")
    assert len(stage.only(garbage, fx.Misbehaved)) == 1
    assert stage.asked[-1].peer == peer(3)


def test_who_does_not_keep_it_or_says_nothing_is_passed_over_and_asked_again_later() -> None:  # DIVERGE-5
    stage = Scene(peers=2)
    stage.differ(GAS)
    assert stage.answer(NOTHING) == [stage.asked[-1]]
    assert stage.asked[-1].peer == peer(2)
    stage.wait(DIVERGENCE_ANSWER_MS_MAX - 1)
    assert stage.asked[-1].peer == peer(2), "it still has time"
    stage.wait(1)
    assert stage.asked[-1].peer == peer(1)


def test_answers_of_others_and_late_ones_are_dropped() -> None:
    stage = Scene(peers=2)
    stage.differ(GAS)
    assert stage.answer(by=peer(2)) == []
    late = encode_numbered(Numbered(77, b"body"))
    assert stage.feed(ev.AnswerReceived(peer(1), Subject.RECEIPTS, late)) == []
    assert stage.feed(ev.AnswerReceived(peer(1), Subject.CODES, stage.asked[-1].payload)) == []
    assert stage.feed(ev.ReceiptsCompared(77, TRANSACTION, ())) == []


def test_a_peer_that_goes_is_replaced_and_one_that_comes_is_asked() -> None:  # DIVERGE-5
    stage = Scene(peers=1)
    stage.differ(GAS)
    assert stage.feed(ev.PeerGone(peer(1))) == []
    assert [ask.peer for ask in stage.only(ev.PeerCame(peer(2)), fx.Ask)] == [peer(2)]


def test_an_execution_that_agrees_the_second_time_was_a_passing_fault() -> None:  # DIVERGE-6
    stage = Scene()
    stage.differ()
    assert (stage.report.cause, stage.report.is_complete, stage.asked) == (Cause.PASSING, True, [])


def test_damaged_codes_are_fetched_until_none_is_missing() -> None:  # DIVERGE-7
    codes = tuple(Hash32(number.to_bytes(32, "big")) for number in range(DIVERGENCE_CODES_MAX + 1))
    stage = Scene(peers=2)
    stage.differ(ROOT, codes=codes)
    stage.answer()
    stage.feed(ev.AccountsCompared(stage.number, 1, ACCOUNT))
    assert stage.asks_for(Subject.CODES)
    (restore,) = stage.answer()
    assert isinstance(restore, fx.RestoreCodes)
    wanted = rlp.decode(restore.request)
    assert isinstance(wanted, list)
    assert len(wanted) == DIVERGENCE_CODES_MAX
    stage.feed(ev.CodesRestored(stage.number, codes[:DIVERGENCE_CODES_MAX]))
    assert stage.asked[-1].peer == peer(2), "the first one has none of them"
    stage.answer()
    stage.feed(ev.CodesRestored(stage.number, ()))
    assert not stage.report.is_complete
    stage.answer()
    stage.feed(ev.CodesRestored(stage.number, ()))
    assert (stage.report.cause, stage.report.is_complete) == (Cause.CODE, True)
    assert stage.report.codes == codes


def test_what_cannot_be_read_here_ends_the_search_with_the_cure() -> None:  # DIVERGE-6
    stage = Scene()
    stage.feed(ev.Differed(HEIGHT, BLOCK))
    assert len(stage.only(ev.Failed("a node is damaged"), fx.Uncured)) == 1
    assert (stage.report.cause, stage.report.is_complete) == (Cause.STORE, True)
    assert "a node is damaged" in stage.report.sentence
    assert "the disk tested" in stage.report.sentence
    assert stage.feed(ev.Failed("again")) == []


def test_a_rule_that_is_broken_before_any_transaction_leaves_nothing_to_compare() -> None:
    stage = Scene()
    stage.differ((RULES_FIELD, "the time is wrong", "valid"))
    assert (stage.report.cause, stage.report.is_complete, stage.asked) == (Cause.EXECUTION, True, [])


def test_a_refused_transaction_is_named_and_its_receipts_compared() -> None:  # DIVERGE-3
    stage = Scene()
    stage.feed(ev.Differed(HEIGHT, BLOCK))
    stage.feed(ev.Examined((), (4, "the nonce is too low"), (), ()))
    assert stage.asks_for(Subject.RECEIPTS)
    assert "transaction 4 is refused: the nonce is too low" in stage.report.note


def test_the_same_block_is_examined_again_only_where_that_may_cure_and_not_for_ever() -> None:  # DIVERGE-8
    stage = Scene()
    examined = 0
    for _ in range(DIVERGENCE_EXAMINATIONS_MAX + 2):
        examined += len(stage.only(ev.Differed(HEIGHT, BLOCK), fx.Examine))
        stage.feed(ev.Examined((), None, (), ()))
    assert examined == DIVERGENCE_EXAMINATIONS_MAX
    assert stage.feed(ev.Differed(HEIGHT, BLOCK)) == [fx.Uncured(stage.report)]  # DIVERGE-9
    stuck = Scene(peers=0)
    stuck.differ((RULES_FIELD, "wrong", "valid"))
    assert stuck.feed(ev.Differed(HEIGHT, BLOCK)) == []
    assert len(stuck.only(ev.Differed(Height(10), OTHER), fx.Examine)) == 1, "another block"


@pytest.mark.parametrize("stage_before", [Stage.RECEIPTS, Stage.FOUND])
def test_once_the_chain_is_past_the_block_all_is_well_and_nothing_is_asked(stage_before: Stage) -> None:
    """DIVERGE-8."""
    stage = Scene()
    stage.differ(*([GAS] if stage_before is Stage.RECEIPTS else []))
    assert stage.search.stage is stage_before
    report = stage.report
    assert fx.SetTimer(Millis(DIVERGENCE_LOOK_MS * 2)) in stage.wait()
    assert stage.wait(head=HEIGHT) == [fx.Healed(report)]
    assert stage.search.report is None
    assert stage.wait() == []
    assert len(stage.only(ev.Differed(HEIGHT, BLOCK), fx.SetTimer)) == 1, "it may begin anew"


def test_who_keeps_nothing_of_so_old_a_block_does_not_hold_up_the_cure() -> None:  # DIVERGE-9
    stage = Scene(peers=1)
    stage.differ(GAS)
    stage.answer(NOTHING)
    stage.wait(DIVERGENCE_SEARCH_MS_MAX - 1)
    assert not stage.report.is_complete
    effects = stage.wait(1)
    assert fx.Uncured(stage.report) in effects
    assert fx.SetTimer(Millis(stage.now_ms + DIVERGENCE_LOOK_MS)) in effects
    assert (stage.report.cause, stage.report.is_complete) == (Cause.EXECUTION, True)
    assert "no peer gives what shows where the two part" in stage.report.note


def test_codes_that_nobody_gives_leave_the_certified_state() -> None:  # DIVERGE-9
    stage = Scene(peers=0)
    stage.differ(codes=(Hash32(bytes(32)),))
    assert stage.search.stage is Stage.CODES
    effects = stage.wait(DIVERGENCE_SEARCH_MS_MAX)
    assert fx.Uncured(stage.report) in effects
    assert (stage.report.cause, stage.report.is_complete) == (Cause.CODE, True)

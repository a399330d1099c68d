"""Finding the first transaction and the first account in which this node differs from a certified block.

One block at a time: it is executed once more beside the chain; a peer's receipts, held to the receipts root
in the header, show the first transaction that went another way; accounts of peers, held to its state root,
show the first account. Codes that are damaged here are fetched again. What is found is true whoever sent it,
so one honest peer is enough. What all this does not cure is said to be uncured. DIVERGE-1 … DIVERGE-9.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import assert_never

from coc.consensus.sync.divergence import effects as fx
from coc.consensus.sync.divergence import inputs as ev
from coc.consensus.sync.divergence.inputs import Subject
from coc.consensus.sync.divergence.report import RULES_FIELD, Cause, DivergenceReport
from coc.consensus.sync.snapshot.messages import (
    NOTHING,
    Numbered,
    Range,
    decode_numbered,
    encode_codes_request,
    encode_numbered,
    encode_state_request,
    key_of,
)
from coc.primitives.errors import CocError
from coc.primitives.frozen import frozen, replace
from coc.primitives.keccak import keccak256
from coc.primitives.limits_divergence import (
    DIVERGENCE_ACCOUNTS_MAX,
    DIVERGENCE_ANSWER_MS_MAX,
    DIVERGENCE_CODES_MAX,
    DIVERGENCE_EXAMINATIONS_MAX,
    DIVERGENCE_LOOK_MS,
    DIVERGENCE_SEARCH_MS_MAX,
)
from coc.primitives.limits_snapshot import SNAPSHOT_ANSWER_BYTES_MAX
from coc.primitives.types import Address, Hash32, Millis, PeerId


class Stage(enum.Enum):
    """What is being found out."""

    NOTHING = enum.auto()
    EXAMINING = enum.auto()
    RECEIPTS = enum.auto()
    ACCOUNTS = enum.auto()
    CODES = enum.auto()
    FOUND = enum.auto()


SUBJECT_OF = {
    Stage.RECEIPTS: Subject.RECEIPTS,
    Stage.ACCOUNTS: Subject.ACCOUNTS,
    Stage.CODES: Subject.CODES,
}


@frozen
class _Question:
    """One that is under way, or whose answer is being verified."""

    number: int
    peer: PeerId
    stage: Stage
    request: bytes
    addresses: tuple[Address, ...]
    until_ms: Millis


@dataclass(slots=True)
class DivergenceSearch:
    """What is known, whom to ask, and the question under way."""

    report: DivergenceReport | None = None
    stage: Stage = Stage.NOTHING
    _peers: dict[PeerId, None] = field(default_factory=dict)
    _useless: set[PeerId] = field(default_factory=set)
    """Who did not help with this stage; they are asked again when nobody else is left."""
    _addresses: tuple[Address, ...] = ()
    """Accounts that are still to be compared."""
    _missing: tuple[Hash32, ...] = ()
    """Codes that are still to be fetched."""
    _question: _Question | None = None
    _number: int = 0
    _examinations: int = 0
    _until_ms: Millis = field(default=Millis(0))
    """Until when peers are asked about this examination."""

    def step(self, now_ms: Millis, event: ev.Input) -> list[fx.Effect]:
        """Apply one input and return what must now be done, in order."""
        effects: list[fx.Effect] = []
        match event:
            case ev.Differed():
                effects = self._on_differed(now_ms, event)
            case ev.Examined():
                effects = self._on_examined(now_ms, event)
            case ev.Failed():
                effects = self._on_failed(event)
            case ev.PeerCame():
                self._peers[event.peer] = None
            case ev.PeerGone():
                self._on_gone(event.peer)
            case ev.AnswerReceived():
                effects = self._on_answer(event)
            case ev.ReceiptsCompared():
                effects = self._on_receipts(event)
            case ev.AccountsCompared():
                effects = self._on_accounts(event)
            case ev.CodesRestored():
                effects = self._on_codes(event)
            case ev.AnswerRefused():
                effects = self._on_refused(event)
            case ev.TimerFired():
                effects = self._on_timer(now_ms, event)
            case _:
                assert_never(event)
        return [*effects, *self._ask(now_ms)]

    # ── Our own side ────────────────────────────────────────────────────────────────────────────────────────

    def _on_differed(self, now_ms: Millis, event: ev.Differed) -> list[fx.Effect]:
        """Begin; the same block again is examined again where a repair should have cured it (DIVERGE-8)."""
        report, is_first = self.report, self.report is None
        if report is None or report.block != event.block:
            self.report, self._examinations = DivergenceReport(event.height, event.block), 0
        elif self.stage is not Stage.FOUND or report.cause not in (Cause.PASSING, Cause.CODE):
            return []
        elif self._examinations >= DIVERGENCE_EXAMINATIONS_MAX:
            return [fx.Uncured(report)]
        self.stage, self._question = Stage.EXAMINING, None
        self._examinations += 1
        timer = [fx.SetTimer(Millis(now_ms + DIVERGENCE_LOOK_MS))] if is_first else []
        return [*self._told(), fx.Examine(event.height, event.block), *timer]

    def _on_examined(self, now_ms: Millis, event: ev.Examined) -> list[fx.Effect]:
        if self.stage is not Stage.EXAMINING or self.report is None:
            return []
        self._until_ms = Millis(now_ms + DIVERGENCE_SEARCH_MS_MAX)
        is_same = not event.header and event.refused is None
        cause = Cause.CODE if event.codes else Cause.PASSING if is_same else Cause.EXECUTION
        note = (
            "" if event.refused is None else f"transaction {event.refused[0]} is refused: {event.refused[1]}"
        )
        codes = tuple(dict.fromkeys((*self.report.codes, *event.codes)))
        self.report = replace(self.report, cause=cause, header=event.header, codes=codes, note=note)
        self._addresses, self._missing = event.addresses, event.codes
        if is_same or any(name == RULES_FIELD for name, _, _ in event.header):
            return self._enter(Stage.CODES)
        is_in_receipts = event.refused is not None or any(name != "stateRoot" for name, _, _ in event.header)
        return self._enter(Stage.RECEIPTS if is_in_receipts else Stage.ACCOUNTS)

    def _on_failed(self, event: ev.Failed) -> list[fx.Effect]:
        if self.report is None or self.stage in (Stage.NOTHING, Stage.FOUND):
            return []
        self.report = replace(self.report, cause=Cause.STORE, note=event.reason)
        return self._enter(Stage.FOUND)

    def _give_up(self) -> list[fx.Effect]:
        """Nobody keeps what is needed to go on with this search (DIVERGE-5)."""
        if self.report is None:
            return []
        is_comparing, note = self.stage is not Stage.CODES, self.report.note
        missing = "what shows where the two part" if is_comparing else "the codes that are damaged here"
        self.report = replace(self.report, note="; ".join(filter(None, (note, f"no peer gives {missing}"))))
        if is_comparing:
            return self._enter(Stage.CODES)
        return [*self._enter(Stage.FOUND), fx.Uncured(self.report)]

    def _enter(self, stage: Stage) -> list[fx.Effect]:
        """Go on with the next thing to find out, and tell what is known once there is none."""
        self._question, self._useless = None, set()
        if stage is Stage.ACCOUNTS and not self._addresses:
            stage = Stage.CODES
        if stage is Stage.CODES and not self._missing:
            stage = Stage.FOUND
        self.stage = stage
        if stage is Stage.FOUND and self.report is not None:
            self.report = replace(self.report, is_complete=True)
            if self.report.cause in (Cause.STORE, Cause.EXECUTION):
                return [*self._told(), fx.Uncured(self.report)]
        return self._told()

    def _told(self) -> list[fx.Effect]:
        return [] if self.report is None else [fx.Tell(self.report)]

    # ── What peers answer ───────────────────────────────────────────────────────────────────────────────────

    def _on_gone(self, peer: PeerId) -> None:
        self._peers.pop(peer, None)
        self._useless.discard(peer)
        if self._question is not None and self._question.peer == peer:
            self._question = None

    def _on_answer(self, event: ev.AnswerReceived) -> list[fx.Effect]:
        question = self._question
        is_due = question is not None and question.peer == event.peer
        if question is None or not is_due or SUBJECT_OF[question.stage] is not event.subject:
            return []  # too late, or never asked for
        try:
            message = decode_numbered(event.payload)
        except CocError as error:
            return self._blame(question, f"bytes that are no answer: {error.what}")
        if message.number != question.number:
            return []
        if message.body == NOTHING:
            self._useless.add(question.peer)
            self._question = None
            return []
        match question.stage:
            case Stage.RECEIPTS:
                return [fx.CompareReceipts(question.number, message.body)]
            case Stage.ACCOUNTS:
                return [
                    fx.CompareAccounts(question.number, question.addresses, question.request, message.body)
                ]
            case _:
                return [fx.RestoreCodes(question.number, question.request, message.body)]

    def _on_receipts(self, event: ev.ReceiptsCompared) -> list[fx.Effect]:
        if not self._answers(event.number) or self.report is None:
            return []
        self.report = replace(self.report, transaction=event.transaction)
        self._addresses = event.addresses
        return self._enter(Stage.ACCOUNTS)

    def _on_accounts(self, event: ev.AccountsCompared) -> list[fx.Effect]:
        if not self._answers(event.number) or self.report is None or self._question is None:
            return []
        if event.count == 0 and event.account is None:
            self._useless.add(self._question.peer)
        self._question = None
        self._addresses = self._addresses[event.count :]
        if event.account is None and self._addresses:
            return []
        self.report = replace(self.report, account=event.account)
        return self._enter(Stage.CODES)

    def _on_codes(self, event: ev.CodesRestored) -> list[fx.Effect]:
        if not self._answers(event.number) or self._question is None:
            return []
        asked = self._missing[:DIVERGENCE_CODES_MAX]
        if len(event.missing) == len(asked):
            self._useless.add(self._question.peer)
        self._question = None
        self._missing = (*event.missing, *self._missing[DIVERGENCE_CODES_MAX:])
        return [] if self._missing else self._enter(Stage.FOUND)

    def _on_refused(self, event: ev.AnswerRefused) -> list[fx.Effect]:
        question = self._question
        return self._blame(question, event.reason) if question and question.number == event.number else []

    def _blame(self, question: _Question, reason: str) -> list[fx.Effect]:
        self._question = None
        self._useless.add(question.peer)
        return [fx.Misbehaved(question.peer, reason)]

    def _answers(self, number: int) -> bool:
        return self._question is not None and self._question.number == number

    # ── Time ────────────────────────────────────────────────────────────────────────────────────────────────

    def _on_timer(self, now_ms: Millis, event: ev.TimerFired) -> list[fx.Effect]:
        if self.report is None:
            return []
        if event.head >= self.report.height:
            healed = self.report
            self.report, self.stage, self._question = None, Stage.NOTHING, None
            return [fx.Healed(healed)]
        question = self._question
        if question is not None and question.until_ms <= now_ms:
            self._question = None
            self._useless.add(question.peer)
        if self._useless >= set(self._peers):
            self._useless = set()
        timer = fx.SetTimer(Millis(now_ms + DIVERGENCE_LOOK_MS))
        if self.stage in SUBJECT_OF and self._until_ms <= now_ms:
            self._until_ms = Millis(now_ms + DIVERGENCE_SEARCH_MS_MAX)
            return [*self._give_up(), timer]
        return [timer]

    # ── Questions ───────────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, now_ms: Millis) -> list[fx.Effect]:
        subject = SUBJECT_OF.get(self.stage)
        if subject is None or self._question is not None or self.report is None:
            return []
        peer = next((each for each in self._peers if each not in self._useless), None)
        if peer is None:
            return []
        self._number += 1
        addresses = self._addresses[:DIVERGENCE_ACCOUNTS_MAX] if subject is Subject.ACCOUNTS else ()
        request = self._request(subject, self.report.block, addresses)
        until_ms = Millis(now_ms + DIVERGENCE_ANSWER_MS_MAX)
        self._question = _Question(self._number, peer, self.stage, request, addresses, until_ms)
        return [fx.Ask(peer, subject, encode_numbered(Numbered(self._number, request)))]

    def _request(self, subject: Subject, block: Hash32, addresses: tuple[Address, ...]) -> bytes:
        match subject:
            case Subject.RECEIPTS:
                return block
            case Subject.ACCOUNTS:
                keys = [key_of(keccak256(address)) for address in addresses]
                return encode_state_request(
                    block, SNAPSHOT_ANSWER_BYTES_MAX, [Range(None, key, key) for key in keys]
                )
            case Subject.CODES:
                return encode_codes_request(self._missing[:DIVERGENCE_CODES_MAX])
            case _:
                assert_never(subject)

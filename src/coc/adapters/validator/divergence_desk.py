"""What a node does when a certified block gives another result here: it looks for where the two part.

The machine of `coc.consensus.sync.divergence` decides. Native work runs on a thread of its own; answers of
peers pass here on their way to the node, which never asked for them. The report goes to log and `/readyz`, to
`coc admin divergence`, and into a file of the data folder. What the search does not cure is handed to
`snapshot_taking_in`, and the life after that ends the report here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, assert_never

from coc._native import BlockInvalid, Chain, SnapshotRefused, StorageFailed, Trial
from coc.adapters import chain_exchange
from coc.adapters.flushing import sentence_of
from coc.adapters.metrics import Kind as SeriesKind
from coc.adapters.metrics import Series
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.divergence_file import (
    DivergenceFile,
    facts_after_exchange,
    healings_in,
    height_in,
    report_facts,
)
from coc.adapters.validator.snapshot_serving import Talker
from coc.adapters.validator.snapshot_taking_in import Renewal, StateTaking, TakingPorts
from coc.adapters.wire.network_setup import Router
from coc.adapters.workers import Workers
from coc.consensus.sync.divergence import effects as fx
from coc.consensus.sync.divergence import inputs as ev
from coc.consensus.sync.divergence.inputs import Subject
from coc.consensus.sync.divergence.machine import DivergenceSearch
from coc.consensus.sync.divergence.report import (
    RULES_FIELD,
    DifferingAccount,
    DifferingTransaction,
    Field,
)
from coc.consensus.sync.messages import CertifiedBlock
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId
from coc.wire.identity import PeerFacts
from coc.wire.kinds import CODES, GET_CODES, GET_HEADERS, GET_STATE, HEADERS, STATE, Kind

DIVERGENCE: Final = "divergence"
"""The part that telemetry names."""

BY_ITSELF: Final = "the block gives here what is certified"
BY_HAND: Final = (
    "this node takes no certified state in by itself: it keeps all states, or none on a disk; "
    "stop it and begin in an empty folder with --sync snapshot"
)

QUESTIONS: Final = {Subject.RECEIPTS: GET_HEADERS, Subject.ACCOUNTS: GET_STATE, Subject.CODES: GET_CODES}
ANSWERS: Final = {HEADERS: Subject.RECEIPTS, STATE: Subject.ACCOUNTS, CODES: Subject.CODES}


class Door(Protocol):
    """What tells of a difference."""

    on_difference: Callable[[Hash32, Height, CertifiedBlock], None]


class DivergenceDesk:
    """A router before the node's; it performs the search."""

    def __init__(
        self,
        behind: Router,
        parts: tuple[Chain, Telemetry],
        network: Callable[[], Talker],
        folder: Path | None,
        renewal: Renewal | None = None,
    ) -> None:
        """`behind` gets what is no answer to a question of ours; without a renewal no state is taken in."""
        self._loop = asyncio.get_running_loop()
        self._behind = behind
        self._chain, self._telemetry = parts
        self._network = network
        self._file = None if folder is None else DivergenceFile(folder, self._telemetry)
        self._taking = self._taking_in(folder, renewal)
        self._workers = Workers(self._loop, threads=1)
        self._search = DivergenceSearch()
        self._by_hand = ""
        """What is left to a person, where nothing here cures it and no state is taken in."""
        self._body: tuple[Hash32, CertifiedBlock] | None = None
        self._trial: Trial | None = None
        self._is_closing = False
        self._telemetry.metrics.add(
            Series(
                "coc_diverged",
                SeriesKind.GAUGE,
                "1 where a certified block gives another result here, and the node does not vote.",
                lambda: float(self._search.report is not None),
            )
        )

    def watch(self, door: Door) -> None:
        """Hear of differences from now on; they are found on another thread."""

        def told(name: Hash32, height: Height, block: CertifiedBlock) -> None:
            self._loop.call_soon_threadsafe(self._differed, name, height, block)

        door.on_difference = told

    def facts(self) -> dict[str, Any] | None:
        """What is known, as JSON; None where nothing differs."""
        report = self._search.report
        return None if report is None else report_facts(report) | self._taking_facts()

    async def finish(self) -> None:
        """Ask nothing more, and let what is under way end."""
        self._is_closing = True
        if self._taking is not None:
            await self._taking.finish()
        await self._workers.drain()
        self._workers.close()

    # ── Between network and node ────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """One more can be asked."""
        self._behind.on_peer_up(peer, facts)
        if self._taking is not None:
            self._taking.on_peer_up(peer)
        self._step(ev.PeerCame(peer))

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone."""
        self._behind.on_peer_down(peer)
        if self._taking is not None:
            self._taking.on_peer_down(peer)
        self._step(ev.PeerGone(peer))

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """Take an answer to fetch or search, or hand on."""
        if self._taking is not None and self._taking.on_message(peer, kind, payload):
            return
        subject = ANSWERS.get(kind)
        if subject is None:
            self._behind.on_message(peer, kind, payload)
        else:
            self._step(ev.AnswerReceived(peer, subject, payload))

    # ── The search ──────────────────────────────────────────────────────────────────────────────────────────

    def _differed(self, name: Hash32, height: Height, block: CertifiedBlock) -> None:
        self._body = (name, block)
        self._step(ev.Differed(height, name))

    def _step(self, event: ev.Input) -> None:
        if self._is_closing:
            return
        for effect in self._search.step(self._now(), event):
            self._perform(effect)

    def _perform(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Examine(_, name):
                self._work(0, lambda: self._examined(name))
            case fx.Ask(peer, subject, payload):
                self._network().send(peer, QUESTIONS[subject], payload)
            case fx.CompareReceipts(number, body):
                self._work(number, lambda: self._compared_receipts(number, body))
            case fx.CompareAccounts():
                self._work(effect.number, lambda: self._compared_accounts(effect))
            case fx.RestoreCodes(number, request, body):
                self._work(number, lambda: self._restored(number, request, body))
            case fx.Tell():
                self._tell()
            case fx.Healed(report):
                self._body, self._trial = None, None
                self._by_hand = ""
                if self._taking is not None:
                    self._taking.end()
                self._telemetry.recovered(DIVERGENCE)
                self._write(report_facts(report) | self._taking_facts() | {"healed": True, "how": BY_ITSELF})
            case fx.Uncured(report):
                if self._taking is not None:
                    self._taking.begin(report.height)
                elif not self._by_hand:
                    self._by_hand = BY_HAND
                    self._tell()
            case fx.SetTimer(at_ms):
                self._loop.call_later(max(0, at_ms - self._now()) / 1000, self.look)
            case fx.Misbehaved(peer, reason):
                self._network().misbehaved(peer, reason)
            case _:
                assert_never(effect)

    def look(self) -> None:
        """See whether the node has come past the block; the timer does."""
        self._step(ev.TimerFired(Height(self._chain.head.number)))
        if self._taking is not None and not self._is_closing:
            self._taking.look()

    def _work(self, number: int, work: Callable[[], ev.Input]) -> None:
        def done(result: ev.Input | Exception) -> None:
            if isinstance(result, SnapshotRefused):
                self._step(ev.AnswerRefused(number, str(result)))
            elif isinstance(result, Exception):
                self._step(ev.Failed(sentence_of(result)))
            else:
                self._step(result)

        self._workers.run(work, done)

    # ── On the thread ───────────────────────────────────────────────────────────────────────────────────────

    def _examined(self, name: Hash32) -> ev.Input:
        body, self._trial = self._body, None
        if body is None or body[0] != name:
            return ev.Failed("another block came in between")
        codes = tuple(Hash32(code) for code in self._chain.damaged_codes())
        try:
            trial = self._chain.trial(body[1].block, body[1].consensus_data)
        except BlockInvalid as refusal:
            return ev.Examined(((RULES_FIELD, str(refusal.args[0]), "valid"),), None, (), codes)
        self._trial = trial
        return ev.Examined(_fields(trial.disagreements), trial.refused, _addresses(trial, None), codes)

    def _compared_receipts(self, number: int, body: bytes) -> ev.Input:
        trial = self._required()
        found = trial.first_transaction(body)
        if found is None:
            return ev.ReceiptsCompared(number, None, _addresses(trial, None))
        index, hash_, fields = found
        transaction = DifferingTransaction(index, Hash32(hash_), _fields(fields))
        return ev.ReceiptsCompared(number, transaction, _addresses(trial, index))

    def _compared_accounts(self, effect: fx.CompareAccounts) -> ev.Input:
        count, found = self._required().first_account(effect.request, effect.body)
        account = None if found is None else DifferingAccount(effect.addresses[found[0]], _fields(found[1]))
        return ev.AccountsCompared(effect.number, count, account)

    def _restored(self, number: int, request: bytes, body: bytes) -> ev.Input:
        missing = self._chain.restore_codes(request, body)
        return ev.CodesRestored(number, tuple(Hash32(code) for code in missing))

    def _required(self) -> Trial:
        if self._trial is None:
            raise StorageFailed("the block could not be executed beside the chain", False)
        return self._trial

    # ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────

    def _tell(self) -> None:
        """Tell a person all that is known, and keep it."""
        report = self._search.report
        if report is None:
            return
        taking = self._by_hand if self._taking is None else self._taking.sentence
        self._telemetry.problem(DIVERGENCE, "; ".join(filter(None, (report.sentence, taking))))
        self._write(report_facts(report) | self._taking_facts())

    def _taking_in(self, folder: Path | None, renewal: Renewal | None) -> StateTaking | None:
        """What takes states in, after it has ended what an earlier life began."""
        if folder is None or renewal is None or self._file is None:
            return None
        head = Height(self._chain.head.number)
        facts = self._file.load()
        was_exchanged = chain_exchange.was_exchanged(folder) and height_in(facts) <= head
        if was_exchanged and facts.get("healed") is not True:
            facts = facts_after_exchange(facts, head)
            self._telemetry.notice(f"the node differed at block {height_in(facts):,}: {facts['how']}")
            self._file.save(facts)
        ports = TakingPorts(self._chain, self._telemetry, self._network, self._tell)
        taking = StateTaking(folder, renewal, ports, healings_in(facts))
        if height_in(facts) <= head:
            taking.clear()
        return taking

    def _taking_facts(self) -> dict[str, object]:
        return {} if self._taking is None else self._taking.facts()

    def _write(self, facts: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.save(facts)

    def _now(self) -> Millis:
        """Only differences count."""
        return Millis(int(self._loop.time() * 1000))


def _fields(found: list[tuple[str, str, str]]) -> tuple[Field, ...]:
    return tuple(found)


def _addresses(trial: Trial, transaction: int | None) -> tuple[Address, ...]:
    return tuple(Address(address) for address in trial.addresses(transaction))

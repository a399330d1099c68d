"""What a node does when a certified block gives another result here: it looks for where the two part.

The machine of `coc.consensus.sync.divergence` decides. Native work runs on a thread of its own; answers of
peers pass here on their way to the node, which never asked for them. The report goes to log and `/readyz`, to
`coc admin divergence`, and into a file of the data folder.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, assert_never

from coc._native import BlockInvalid, Chain, SnapshotRefused, StorageFailed, Trial
from coc.adapters.flushing import sentence_of
from coc.adapters.metrics import Kind as SeriesKind
from coc.adapters.metrics import Series
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.snapshot_serving import Talker
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
    DivergenceReport,
    Field,
)
from coc.consensus.sync.messages import CertifiedBlock
from coc.primitives.types import Address, Hash32, Height, Millis, PeerId, format_data
from coc.wire.identity import PeerFacts
from coc.wire.kinds import CODES, GET_CODES, GET_HEADERS, GET_STATE, HEADERS, STATE, Kind

DIVERGENCE: Final = "divergence"
"""The part that telemetry names."""
REPORT_FILE: Final = "divergence.json"

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
    ) -> None:
        """`behind` gets whatever is no answer to a question of ours."""
        self._loop = asyncio.get_running_loop()
        self._behind = behind
        self._chain, self._telemetry = parts
        self._network = network
        self._folder = folder
        self._workers = Workers(self._loop, threads=1)
        self._search = DivergenceSearch()
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
        return None if self._search.report is None else report_facts(self._search.report)

    async def finish(self) -> None:
        """Ask nothing more, and let what is under way end."""
        self._is_closing = True
        await self._workers.drain()
        self._workers.close()

    # ── Between network and node ────────────────────────────────────────────────────────────────────────────

    def on_peer_up(self, peer: PeerId, facts: PeerFacts) -> None:
        """One more can be asked."""
        self._behind.on_peer_up(peer, facts)
        self._step(ev.PeerCame(peer))

    def on_peer_down(self, peer: PeerId) -> None:
        """A peer is gone."""
        self._behind.on_peer_down(peer)
        self._step(ev.PeerGone(peer))

    def on_message(self, peer: PeerId, kind: Kind, payload: bytes) -> None:
        """Take an answer to the search, or hand on."""
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
            case fx.Tell(report):
                self._telemetry.problem(DIVERGENCE, report.sentence)
                self._write(report_facts(report))
            case fx.Healed(report):
                self._body, self._trial = None, None
                self._telemetry.recovered(DIVERGENCE)
                self._write(report_facts(report) | {"healed": True})
            case fx.SetTimer(at_ms):
                self._loop.call_later(max(0, at_ms - self._now()) / 1000, self.look)
            case fx.Misbehaved(peer, reason):
                self._network().misbehaved(peer, reason)
            case _:
                assert_never(effect)

    def look(self) -> None:
        """See whether the node has come past the block; the timer does."""
        self._step(ev.TimerFired(Height(self._chain.head.number)))

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

    def _write(self, facts: dict[str, Any]) -> None:
        """Keep the report where a person finds it after a restart; without room for it the log has to do."""
        if self._folder is None:
            return
        path = self._folder / REPORT_FILE
        unfinished = path.with_name(f"{REPORT_FILE}.part")
        try:
            unfinished.write_text(f"{json.dumps(facts, indent=2)}\n")
            unfinished.replace(path)
        except OSError as error:
            self._telemetry.notice(f"{path} cannot be written: {error.strerror or error}")

    def _now(self) -> Millis:
        """Only differences count."""
        return Millis(int(self._loop.time() * 1000))


def report_facts(report: DivergenceReport) -> dict[str, Any]:
    """A report as JSON."""
    transaction, account = report.transaction, report.account
    return {
        "number": report.height,
        "hash": format_data(report.block),
        "cause": report.cause.value,
        "complete": report.is_complete,
        "header": _named(report.header),
        "transaction": None
        if transaction is None
        else {
            "index": transaction.index,
            "hash": format_data(transaction.hash),
            "fields": _named(transaction.fields),
        },
        "account": None
        if account is None
        else {"address": format_data(account.address), "fields": _named(account.fields)},
        "damagedCodes": [format_data(code) for code in report.codes],
        "note": report.note,
    }


def _named(fields: tuple[Field, ...]) -> list[dict[str, str]]:
    return [{"name": name, "ours": ours, "certified": certified} for name, ours, certified in fields]


def _fields(found: list[tuple[str, str, str]]) -> tuple[Field, ...]:
    return tuple(found)


def _addresses(trial: Trial, transaction: int | None) -> tuple[Address, ...]:
    return tuple(Address(address) for address in trial.addresses(transaction))

"""One-line faults of the BFT machine, each put in by replacing a single function, and the runs that find it.

`python -m tests.sim.bft.mutants` writes the table `MUTANTS.md` again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from coc.consensus.bft import advance, blocks, certificates, locking, power, resend, rounds, voting
from coc.consensus.bft.effects import Effect, Persist, Sign
from coc.consensus.bft.evidence import EvidencePool
from coc.consensus.bft.handle import opened, status
from coc.consensus.bft.ledger import VoteLedger
from coc.consensus.bft.outbox import Outbox, Outgoing
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.state import HeightState
from coc.primitives.frozen import replace
from coc.primitives.seals import NO_VALID_ROUND, SignRequest
from coc.primitives.votes import Proposal
from coc.sim import bft_disk
from coc.sim.bft_campaign import run
from coc.sim.bft_plan import Plan, astray_plan, hostile_plan, plan_of, split_plan
from coc.sim.machines.campaign import Violation
from tests.planted_faults.hunt import Hunt, Mutant


def _ages_ignored(locked: Any, proposal: Proposal) -> bool:
    return locked is None or locked.block == proposal.block or proposal.valid_round != NO_VALID_ROUND


def _sign_first(self: Outbox, outgoing: Outgoing) -> list[Effect]:
    self.sequence += 1
    self.is_durable = True
    return [Sign(outgoing.request), Persist(self.sequence, (*outgoing.needs, outgoing.intent))]


def _unsigned_valid_round(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self: sound(replace(self, valid_round=NO_VALID_ROUND))


def _never_nil(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda core, step, block, *rest: [] if block is None else sound(core, step, block, *rest)


def _send_once(sound: Callable[..., Any]) -> Callable[..., Any]:
    def lacking_votes(height: Any, said: Any) -> list[Any]:
        fresh = [vote for vote in sound(height, said) if vote.validator not in height.done]
        height.done.update(vote.validator for vote in fresh)
        return fresh

    return lacking_votes


def _without(line: Callable[..., Any]) -> tuple[Any, ...]:
    return tuple(other for other in advance.LINES if other is not line)


def _first_vote_only(sound: Callable[..., Any]) -> Callable[..., Any]:
    def add(self: VoteLedger, index: int, vote: Any, current_round: int) -> bool:
        return self.rival(index, vote) is None and sound(self, index, vote, current_round)

    return add


def _no_valid(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda core, block, valid_round: [] if valid_round >= 0 else sound(core, block, valid_round)


def _hash_only(self: bft_disk.Disk, count: int) -> None:
    self.durable.extend(self.unsynced[:count])
    del self.unsynced[:count]


MUTANTS: tuple[Mutant, ...] = (
    Mutant("no lock", "BFT-8", locking, "locked_on", lambda round_, block: None, "split"),
    Mutant("lock never read", "BFT-6", locking, "may_prevote", lambda locked, proposal: True, "split"),
    Mutant("quorum of one half", "BFT-3", power, "is_quorum", lambda part, total: 2 * part > total, "usual"),
    Mutant(
        "quorum of two thirds exactly",
        "BFT-3",
        power,
        "is_quorum",
        lambda part, total: 3 * part >= 2 * total,
        "usual",
    ),
    Mutant("stale valid round accepted", "BFT-7", locking, "may_prevote", _ages_ignored, "split equivocate"),
    Mutant(
        "proof of lock not asked for", "BFT-7", locking, "has_proof_of_lock", lambda *_: True, "split stale"
    ),
    Mutant(
        "valid round unsigned",
        "BFT-2",
        SignRequest,
        "digest",
        _unsigned_valid_round(SignRequest.digest),
        "hostile tamper",
    ),
    Mutant("vote before its record", "BFT-20", Outbox, "_persist", _sign_first),
    Mutant("records ignored on restart", "BFT-21", opened, "restore", lambda core, records: []),
    Mutant("last intent not signed again", "BFT-22", Outbox, "resume", lambda self, outgoing: []),
    Mutant("only the block's hash kept", "BFT-20", bft_disk.Disk, "_settle", _hash_only),
    Mutant("no re-sending", "BFT-30", status, "answer", lambda *_: []),
    Mutant("re-sent vote suppressed", "BFT-32", resend, "lacking_votes", _send_once(resend.lacking_votes)),
    Mutant("no round skip", "BFT-16", VoteLedger, "skip_target", lambda self, current: None, "astray"),
    Mutant("nil never voted", "BFT-9", voting, "_intend", _never_nil(voting._intend)),
    Mutant(
        "evidence dropped", "BFT-28", EvidencePool, "add", lambda self, evidence: False, "hostile equivocate"
    ),
    Mutant(
        "certificate's signers not checked",
        "BFT-26",
        certificates,
        "check_signer",
        lambda *_: None,
        "hostile forge",
    ),
    Mutant(
        "certificate's set not checked",
        "BFT-26",
        certificates,
        "check_set",
        lambda *_: None,
        "hostile relabel",
    ),
    Mutant(
        "original round not compared",
        "BFT-24",
        locking,
        "keeps_original_round",
        lambda *_: True,
        "hostile origin",
    ),
    Mutant("a vote counted as often as it comes", "BFT-34", VoteLedger, "holds", lambda *_: False),
    Mutant(
        "one proposer for all rounds",
        "BFT-4",
        HeightState,
        "proposer",
        lambda self, _: _proposer(self),
        "hostile invalid",
    ),
    Mutant("no prevote timer", "BFT-9", advance, "LINES", _without(advance.line_34)),
    Mutant("no precommit timer", "BFT-10", advance, "LINES", _without(advance.line_47)),
    Mutant(
        "first vote of a liar only",
        "BFT-34",
        VoteLedger,
        "add",
        _first_vote_only(VoteLedger.add),
        "split equivocate",
    ),
    Mutant("valid value not proposed again", "BFT-15", rounds, "propose", _no_valid(rounds.propose)),  # type: ignore[attr-defined]
    Mutant("blocks not fetched", "BFT-17", blocks, "_needed", lambda height: []),
)


def _proposer(height: HeightState) -> Any:
    return proposer_of(height.facts.validators, height.facts.skipped, height.facts.height, 0).id


def _run(runs: str, seed: int) -> object:
    kind, _, lie = runs.partition(" ")
    plans: Mapping[str, Callable[[], Plan]] = {
        "usual": lambda: plan_of(seed),
        "hostile": lambda: hostile_plan(seed, lie),
        "split": lambda: split_plan(seed, lie),
        "astray": lambda: astray_plan(seed),
    }
    return run(plans[kind]())


HUNT = Hunt(Path(__file__), "the BFT machine", MUTANTS, _run, (Violation,), seeds_max=400, usual="hostile")

if __name__ == "__main__":
    HUNT.write_table()

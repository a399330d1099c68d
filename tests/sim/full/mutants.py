"""One-line faults of the whole node, each put in by replacing one function, and the run that finds it.

Faults of the engine alone are in `tests/sim/bft`; those of log, write-ahead log, mark and store in Rust are
features of their crates. Here are the faults between the parts: what is written and read again, what a block
must say, who is believed. `python -m tests.sim.full.mutants` writes the table `MUTANTS.md` again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from coc._native import SimDisk
from coc.consensus.bft import advance, block_rules, blocks
from coc.consensus.bft.messages import decode_message
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.state import Sight
from coc.consensus.bft.wal import BlockKept, EvidenceKept
from coc.consensus.signing_mark import BelowMark, Marked, judge
from coc.node.validator import build, chain_door, machine, peer_side, registry_sets
from coc.node.validator import signer as node_signer
from coc.node.validator.inputs import Logged
from coc.node.validator.wal_codec import WalContent, decode_entries, encode_entries
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import sign
from coc.primitives.types import Hash32, Height
from coc.primitives.votes import Proposal, Vote
from coc.sim import life
from coc.sim.full import validator as sim_validator
from coc.sim.full.campaign import Failed, run
from coc.sim.full.plan import Crash, Forgets, Plan, calm_plan, plan_of
from coc.wire import kinds
from tests.planted_faults.hunt import Hunt, Mutant

# ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def stormy(seed: int) -> Plan:
    """Four validators that lose power again and again, often together, on a lossy network."""
    dice = Random(seed)
    crashes: list[Crash] = []
    for _ in range(7):
        moment = dice.randint(1_500, 14_000)
        together = range(4) if dice.random() < 0.5 else (dice.randrange(4),)
        crashes += [
            Crash(moment + dice.randint(0, 8), node, dice.randint(1, 300), is_power_cut=True)
            for node in together
        ]
    crashes.sort(key=lambda crash: crash.at_ms)
    return Plan(
        seed, (1, 1, 1, 1), fault_ms=15_000, loss=dice.choice((0.05, 0.2)), spikes=0.1, crashes=tuple(crashes)
    )


def forgetful(seed: int) -> Plan:
    """Four validators, one after the other robbed of its records in the middle of a height."""
    dice = Random(seed)
    crashes = tuple(
        Crash(moment, seat % 4, dice.randint(1, 60), is_power_cut=True, forgets=Forgets.RECORDS)
        for seat, moment in enumerate(range(2_000 + dice.randint(0, 900), 14_000, 2_450))
    )
    return Plan(seed, (1, 1, 1, 1), fault_ms=16_000, loss=0.1, crashes=crashes)


def caught_in_the_dark(seed: int) -> Plan:
    """A twin among validators that lose power together, again and again."""
    return replace(stormy(seed), liars=((seed % 4, "twin"),))


def held_up_by_one(seed: int) -> Plan:
    """Usual runs, from one on in which a validator of little power is locked alone."""
    return plan_of(2_121 + seed)


def lying(lie: str) -> Callable[[int], Plan]:
    """One of four lies, on a good network."""

    def plan(seed: int) -> Plan:
        return Plan(seed, (1, 1, 1, 1), fault_ms=22_000, loss=0.01, liars=((seed % 4, lie),))

    return plan


# ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────


def _without_bodies(sound: Callable[..., list[bytes]]) -> Callable[..., list[bytes]]:
    return lambda effect: sound(replace(effect, blocks={}))


def _without_evidence(sound: Callable[..., WalContent]) -> Callable[..., WalContent]:
    def read(entries: Any) -> WalContent:
        content = sound(entries)
        emptied = (EvidenceKept(()) if isinstance(each, EvidenceKept) else each for each in content.records)
        return replace(content, records=tuple(emptied))

    return read


def _not_saved(self: node_signer.MarkedSigner, request: Any) -> Any:
    verdict = judge(self._mark, request)
    if isinstance(verdict, BelowMark):
        raise node_signer.SigningRefused("the signer refuses", why=verdict.reason)
    self._mark = request
    return sign(self._secret, request.digest())


def _strict(sound: Callable[..., Any]) -> Callable[..., Any]:
    def strict(mark: Any, request: Any) -> Any:
        return BelowMark("asked before") if mark == request else sound(mark, request)

    return strict


def _log_later(sound: Callable[..., Any]) -> Callable[..., Any]:
    def written(self: Any, effect: Any) -> Any:
        return Logged(effect.sequence)

    del sound
    return written


def _never_synced(place: str) -> Callable[[int], SimDisk]:
    """Disks on which syncs of what lies there are forgotten."""

    def disk(seed: int) -> SimDisk:
        made = SimDisk(seed)
        made.pretend_syncs_of(place)
        return made

    return disk


def _once_only(sound: Callable[..., None]) -> Callable[..., None]:
    """A wire that takes a vote or proposal sent again for one it has carried already."""

    def carry(self: Any, receiver: Any, kind: int, payload: bytes) -> None:
        carried = self.__dict__.setdefault("carried", set())
        if kind == kinds.CONSENSUS.number and isinstance(decode_message(payload), Vote | Proposal):
            if (receiver.peer, payload) in carried:
                return
            carried.add((receiver.peer, payload))
        sound(self, receiver, kind, payload)

    return carry


def _early(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, block, height: sound(self, block, height + 1)


def _any_time(core: Any, proposal: Any, now_ms: int) -> bool:
    del now_ms
    return core.height.sights.get(proposal.block) is Sight.VALID


def _other_proposer(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda validators, skipped, height, round_: sound(validators, skipped, height, round_ + 1)


NOTHING_OF_USE = WalContent((BlockKept(Height(0), Hash32(bytes(32))),))
"""A log that is not empty, or its validator would watch (BFT-41), and says nothing about any height."""

FORGETFUL = Mutant(
    "write-ahead log ignored on restart", "BFT-21", sim_validator, "decode_entries",
    lambda entries: NOTHING_OF_USE,
)  # fmt: skip

MUTANTS = (
    Mutant("only the block's hash kept", "BFT-20", sim_validator, "encode_entries",
           _without_bodies(encode_entries)),
    FORGETFUL,
    Mutant("blocks of the log not taken up", "BFT-21", machine.ValidatorNode, "hold_block",
           lambda self, block, height, body: None),
    Mutant("mark not saved", "BFT-40", node_signer.MarkedSigner, "sign", _not_saved,
           finding="double sign", beside=FORGETFUL),
    Mutant("whatever is asked for is signed", "BFT-40", node_signer, "judge",
           lambda mark, request: Marked(request), finding="double sign", beside=FORGETFUL),
    Mutant("signer refuses the identical request", "BFT-40", node_signer, "judge",
           _strict(judge)),
    Mutant("message sent before its record", "BFT-20", sim_validator.SimValidator, "_written",
           _log_later(sim_validator.SimValidator._written), "usual"),
    Mutant("block log not synced", "BFT-20", life, "SimDisk", _never_synced("/log")),
    Mutant("write-ahead log not synced", "BFT-20", life, "SimDisk",
           _never_synced("/node/wal")),
    Mutant("mark not synced", "BFT-40", life, "SimDisk", _never_synced("/node/signer.mark"),
           beside=FORGETFUL),
    Mutant("a vote sent again taken for known", "BFT-32", life.NodeLife, "carry",
           _once_only(life.NodeLife.carry), finding="liveness"),
    Mutant("a proof of lock heard too late left alone", "BFT-44", advance, "LINES",
           tuple(line for line in advance.LINES if line is not advance.earlier_proof_of_lock),
           "held up by one", "liveness"),
    Mutant("a node without its records signs at once", "BFT-41", build.Remembered, "of",
           classmethod(lambda cls, content, mark, head: cls(content, mark, log_was_lost=False)),
           "forgetful"),
    Mutant("evidence of the log not taken up", "BFT-45", sim_validator, "decode_entries",
           _without_evidence(decode_entries), "caught in the dark", "conviction"),
    Mutant("evidence not put into blocks", "BFT-39", chain_door, "replace",
           lambda data, evidence: replace(data, evidence=()), "twin"),
    Mutant("a conviction is never final", "BFT-39", registry_sets.RegistrySets, "can_convict",
           lambda self, block, validator, height: True, "twin"),
    Mutant("set changes one block early", "SET-5", registry_sets.RegistrySets, "validators",
           _early(registry_sets.RegistrySets.validators), "twin", "set"),
    Mutant("proof checked under another round's proposer", "BFT-37", block_rules, "proposer_of",
           _other_proposer(proposer_of), "calm"),
    Mutant("time of a block not looked at", "BFT-19", blocks, "is_sound",
           _any_time, "wrong time", "time"),
    Mutant("blocks not served", "BFT-17", peer_side, "_on_get_block", lambda core, peer, block: [],
           "short and calm"),
)  # fmt: skip

RUNS: Mapping[str, Callable[[int], Plan]] = {
    "usual": plan_of,
    "calm": lambda seed: calm_plan(seed, heights=6),
    "short and calm": lambda seed: calm_plan(seed, heights=3),
    "stormy": stormy,
    "forgetful": forgetful,
    "caught in the dark": caught_in_the_dark,
    "held up by one": held_up_by_one,
    "twin": lying("twin"),
    "wrong time": lying("wrong time"),
}

HUNT = Hunt(
    Path(__file__),
    "the whole node",
    MUTANTS,
    lambda runs, seed: run(RUNS[runs or "stormy"](seed)),
    (Exception,),  # a node that falls over is found as well
    seeds_max=150,
    word_for=lambda found: str(found).partition(":")[0] if isinstance(found, Failed) else "defect",
)

if __name__ == "__main__":
    HUNT.write_table()

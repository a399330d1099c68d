"""One-line faults of the whole node, each put in by replacing one function, and the run that finds it.

Faults of the engine alone are in `tests/sim/bft`; those of log, write-ahead log, mark and store in Rust are
features of their crates. Here are the faults between the parts: what is written and read again, what a block
must say, who is believed. `python -m tests.sim.full.mutants` writes the table `MUTANTS.md` again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from coc._native import SimDisk
from coc.consensus.bft import block_rules, blocks
from coc.consensus.bft.messages import decode_message
from coc.consensus.bft.proposers import proposer_of
from coc.consensus.bft.state import Sight
from coc.consensus.signing_mark import BelowMark, Marked, judge
from coc.node.validator import build, chain_door, machine, peer_side, registry_sets
from coc.node.validator import signer as node_signer
from coc.node.validator.inputs import Logged
from coc.node.validator.wal_codec import WalContent, encode_entries
from coc.primitives.frozen import replace
from coc.primitives.secp256k1 import sign
from coc.primitives.votes import Proposal, Vote
from coc.sim.full import validator as sim_validator
from coc.sim.full.campaign import Failed, run
from coc.sim.full.plan import Crash, Forgets, Plan, calm_plan, plan_of
from coc.wire import kinds

TABLE = Path(__file__).with_name("MUTANTS.md")
SEEDS_MAX = 150
"""Seeds within which every mutant must be found."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: which function becomes what, and the runs that it is looked for in."""

    name: str
    rule: str
    place: Any
    attribute: str
    fault: Any
    plan: Callable[[int], Plan]
    finding: str = ""
    """What the run must find; anything will do where it is empty."""
    beside: Mutant | None = None
    """Another fault that is there too: the mark is a second line of defence, behind the write-ahead log."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The node with the fault, until the block ends."""
        with self.beside.planted() if self.beside else nullcontext():
            sound = self.place.__dict__[self.attribute]
            setattr(self.place, self.attribute, self.fault)
            try:
                yield
            finally:
                setattr(self.place, self.attribute, sound)

    def broken_by(self, seed: int) -> str:
        """What the run of a seed finds, empty if nothing."""
        with self.planted():
            try:
                run(self.plan(seed))
            except Failed as failed:
                return failed.sentence if failed.sentence.startswith(self.finding) else ""
            except Exception as error:  # noqa: BLE001 - a node that falls over is found as well
                return f"defect: {error!r}"
        return ""


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


def lying(lie: str) -> Callable[[int], Plan]:
    """One of four lies, on a good network."""

    def plan(seed: int) -> Plan:
        return Plan(seed, (1, 1, 1, 1), fault_ms=22_000, loss=0.01, liars=((seed % 4, lie),))

    return plan


# ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────


def _without_bodies(sound: Callable[..., list[bytes]]) -> Callable[..., list[bytes]]:
    return lambda effect: sound(replace(effect, blocks={}))


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


FORGETFUL = Mutant(
    "write-ahead log ignored on restart", "BFT-21", sim_validator, "decode_entries",
    lambda entries: WalContent(), stormy,
)  # fmt: skip

MUTANTS = (
    Mutant("only the block's hash kept", "BFT-20", sim_validator, "encode_entries",
           _without_bodies(encode_entries), stormy),
    FORGETFUL,
    Mutant("blocks of the log not taken up", "BFT-21", machine.ValidatorNode, "hold_block",
           lambda self, block, height, body: None, stormy),
    Mutant("mark not saved", "BFT-40", node_signer.MarkedSigner, "sign", _not_saved, stormy,
           "double sign", FORGETFUL),
    Mutant("whatever is asked for is signed", "BFT-40", node_signer, "judge",
           lambda mark, request: Marked(request), stormy, "double sign", FORGETFUL),
    Mutant("signer refuses the identical request", "BFT-40", node_signer, "judge",
           _strict(judge), stormy),
    Mutant("message sent before its record", "BFT-20", sim_validator.SimValidator, "_written",
           _log_later(sim_validator.SimValidator._written), plan_of),
    Mutant("block log not synced", "BFT-20", sim_validator, "SimDisk", _never_synced("/log"), stormy),
    Mutant("write-ahead log not synced", "BFT-20", sim_validator, "SimDisk",
           _never_synced("/node/wal"), stormy),
    Mutant("mark not synced", "BFT-40", sim_validator, "SimDisk", _never_synced("/node/signer.mark"),
           stormy, "", FORGETFUL),
    Mutant("a vote sent again taken for known", "BFT-32", sim_validator.SimValidator, "_carry",
           _once_only(sim_validator.SimValidator._carry), stormy, "liveness"),
    Mutant("a node without its records signs at once", "BFT-41", build.Remembered, "of",
           classmethod(lambda cls, content, mark, **_: cls(content, mark, log_was_lost=False)),
           forgetful),
    Mutant("evidence not put into blocks", "BFT-39", chain_door, "replace",
           lambda data, evidence: replace(data, evidence=()), lying("twin")),
    Mutant("a conviction is never final", "BFT-39", registry_sets.RegistrySets, "can_convict",
           lambda self, block, validator, height: True, lying("twin")),
    Mutant("set changes one block early", "SET-5", registry_sets.RegistrySets, "validators",
           _early(registry_sets.RegistrySets.validators), lying("twin"), "set"),
    Mutant("proof checked under another round's proposer", "BFT-37", block_rules, "proposer_of",
           _other_proposer(proposer_of), lambda seed: calm_plan(seed, heights=6)),
    Mutant("time of a block not looked at", "BFT-19", blocks, "is_sound",
           _any_time, lying("wrong time"), "time"),
    Mutant("blocks not served", "BFT-17", peer_side, "_on_get_block", lambda core, peer, block: [],
           lambda seed: calm_plan(seed, heights=3)),
)  # fmt: skip


def first_finding(mutant: Mutant, first: tuple[int, ...] = ()) -> tuple[int, str] | None:
    """The first seed that finds a mutant, and what breaks."""
    for seed in (*first, *range(SEEDS_MAX)):
        broken = mutant.broken_by(seed)
        if broken:
            return seed, broken
    return None


def recorded() -> dict[str, int]:
    """The seed that the table names for each mutant."""
    rows = [line.split("|") for line in TABLE.read_text(encoding="utf-8").splitlines() if "|" in line][2:]
    return {cells[1].strip(): int(cells[3]) for cells in rows}


def main() -> None:
    """Look for every mutant from seed 0 on, and write the table."""
    lines = [
        "# Mutants of the whole node",
        "",
        "Written by `python -m tests.sim.full.mutants`: the first seed, from 0 on, that finds each fault.",
        "",
        "| mutant | rule | seed | what breaks |",
        "|---|---|---|---|",
    ]
    for mutant in MUTANTS:
        found = first_finding(mutant)
        seed, broken = found if found is not None else (-1, "nothing")
        lines.append(f"| {mutant.name} | {mutant.rule} | {seed} | {broken.split(':')[0]} |")
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""One-line faults of the rotation machine, each put in by replacing a single function, and how each is found.

A mutant that no run finds would mean that the runs prove nothing about the rule it breaks. The table
`MUTANTS.md` beside this file says which seed finds each; `python -m tests.sim.rotation.mutants` writes it
again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coc.consensus.engine import Persist, Sign
from coc.consensus.fork_choice import tree
from coc.consensus.fork_choice.tree import ForkTree, TreeBlock
from coc.consensus.rotation import blocks, finality, making, peers, seals
from coc.consensus.rotation.effects import Build, Effect
from coc.consensus.rotation.evidence import DoubleSealBook
from coc.consensus.signing_mark import Marked
from coc.primitives.frozen import replace
from coc.sim.bft_checkers import Violation
from coc.sim.rotation import disk
from coc.sim.rotation.campaign import run
from coc.sim.rotation.plan import Plan, plan_of

TABLE = Path(__file__).with_name("MUTANTS.md")
SEEDS_MAX = 120
"""Seeds within which every mutant must be found."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: which function becomes what, and the runs that bring it out: usual ones, or with one lie."""

    name: str
    rule: str
    place: Any
    attribute: str
    fault: Any
    runs: str = "usual"

    def plan(self, seed: int) -> Plan:
        """The run of a seed that this mutant is looked for in."""
        if self.runs == "usual":
            return plan_of(seed)
        if self.runs == "shared signer":
            return replace(plan_of(seed, ""), has_shared_signer=True)
        if self.runs == "status only":
            return replace(plan_of(seed, ""), loses_seals=True)
        return plan_of(seed, self.runs)

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The machine with the fault, until the block ends."""
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
            except Violation as violation:
                return str(violation)
        return ""


def _lightless_rank(child: TreeBlock) -> tuple[int, int, bytes]:
    return (-child.leaf.height, 0, child.hash)


def _shortsighted_rank(child: TreeBlock) -> tuple[int, int, bytes]:
    return (0, -child.weight, child.hash)


def _wrong_tie_rank(child: TreeBlock) -> tuple[int, int, bytes]:
    return (-child.leaf.height, -child.weight, bytes(255 - byte for byte in child.hash))


def _always_weighs(self: ForkTree, added: TreeBlock) -> None:
    self._slots.setdefault(added.slot, {})[added.hash] = added
    tree._change_weight(added, 1)


def _sign_first(core: Any, event: Any) -> list[Effect]:
    effects = _SOUND_ON_BUILT(core, event)
    asked = [Sign(core.making.request) for each in effects if isinstance(each, Persist)]
    core.making.is_durable = core.making.is_durable or bool(asked)
    return [*asked, *effects]


def _build_ignoring_records(core: Any, now_ms: Any, own: Any) -> list[Effect]:
    core.signed_slot = -1
    effects = _SOUND_BUILD(core, now_ms, own)
    return [each for each in effects if isinstance(each, Build)]


_SOUND_ON_BUILT = making.on_built
_SOUND_BUILD = making._build

MUTANTS: tuple[Mutant, ...] = (
    Mutant("lower slot accepted", "ROT-3", blocks, "follows", lambda *_: True, "backdate"),
    Mutant("length ignored", "FC-2", tree, "_rank", _shortsighted_rank),
    Mutant("weight ignored", "FC-3", tree, "_rank", _lightless_rank),
    Mutant("a slot signed twice weighs twice", "FC-4", ForkTree, "_weigh", _always_weighs, "twin"),
    Mutant("higher hash wins a tie", "FC-5", tree, "_rank", _wrong_tie_rank),
    Mutant("the final block is no root", "FC-7", ForkTree, "make_final", lambda self, block: []),
    Mutant(
        "final one block too early",
        "ROT-21",
        finality,
        "is_deep",
        lambda rules, head, block: head.height - block.height >= rules.final_depth - 1,
    ),
    Mutant("signers of descendants not counted", "ROT-21", finality, "has_quorum", lambda *_: True),
    Mutant(
        "two thirds of the signers are enough",
        "ROT-21",
        finality,
        "has_quorum",
        lambda rules, signers: 3 * signers >= 2 * len(rules.slots.validators.validators),
    ),
    Mutant(
        "the signer's mark ignored",
        "ROT-9",
        disk,
        "judge_by_slot",
        lambda mark, request: Marked(request),
        "shared signer",
    ),
    Mutant("signed before its record", "ROT-8", making, "on_built", _sign_first),
    Mutant("records ignored on restart", "ROT-10", making, "resume", lambda *_: []),
    Mutant("a slot with an intent used again", "ROT-10", making, "_build", _build_ignoring_records),
    Mutant("a block of the future adopted", "ROT-15", seals, "slots_ahead", lambda *_: 0),
    Mutant("others' slots not refused", "ROT-14", seals, "is_authentic", lambda *_: True, "steal"),
    Mutant("status not heard", "ROT-19", peers, "on_status", lambda *_: [], "status only"),
    Mutant("ancestors not sought", "ROT-16", blocks, "_seek_parent", lambda *_: []),
    Mutant("evidence dropped", "ROT-25", DoubleSealBook, "add", lambda self, evidence: False, "twin"),
)


def first_finding(mutant: Mutant, first: tuple[int, ...] = ()) -> tuple[int, str] | None:
    """The first seed that finds a mutant, with what it finds; `first` are tried before all others."""
    for seed in (*first, *range(SEEDS_MAX)):
        broken = mutant.broken_by(seed)
        if broken:
            return seed, broken
    return None


def recorded() -> dict[str, int]:
    """The seed of each mutant, from the table."""
    rows = [
        line.split("|") for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    return {row[1].strip(): int(row[4]) for row in rows[1:]}


def main() -> None:
    """Write the table."""
    lines = [
        "# Mutants of the rotation machine",
        "",
        "Written by `python -m tests.sim.rotation.mutants`: the first seed, from 0, that finds each fault.",
        "",
        "| mutant | rule | runs | seed | what breaks |",
        "|---|---|---|---|---|",
    ]
    for mutant in MUTANTS:
        found = first_finding(mutant)
        seed, broken = found or (-1, "nothing")
        lines.append(
            f"| {mutant.name} | {mutant.rule} | {mutant.runs} | {seed} | {broken.partition(':')[0]} |"
        )
        print(lines[-1], flush=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

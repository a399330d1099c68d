"""One-line faults of the rotation machine, each put in by replacing one function, and the runs that find it.

`python -m tests.sim.rotation.mutants` writes the table `MUTANTS.md` again.
"""

from __future__ import annotations

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
from coc.sim.machines.campaign import Violation
from coc.sim.rotation import disk
from coc.sim.rotation.campaign import run
from coc.sim.rotation.plan import plan_of
from tests.planted_faults.hunt import Hunt, Mutant


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


def _run(runs: str, seed: int) -> object:
    """Usual runs, or with one lie or trouble."""
    if runs == "usual":
        return run(plan_of(seed))
    if runs == "shared signer":
        return run(replace(plan_of(seed, ""), has_shared_signer=True))
    if runs == "status only":
        return run(replace(plan_of(seed, ""), loses_seals=True))
    return run(plan_of(seed, runs))


HUNT = Hunt(Path(__file__), "the rotation machine", MUTANTS, _run, (Violation,), seeds_max=120, usual="usual")

if __name__ == "__main__":
    HUNT.write_table()

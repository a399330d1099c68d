"""What the campaigns are: how many seeds each is to have and one part takes, and how a part is run and read.

A part begins at a seed and takes some minutes, so that a stopped run loses little. The seeds of a campaign
are 0, 1, 2 …: a part that failed is run again by its numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.run_tests import BIN, NETWORK, ROOT, WORKERS, Outcome

Reader = Callable[["Part", int, list[str]], Outcome]
"""How an exit status and what was printed are read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of some seeds of a campaign."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Call:
    """A command and what is set in its environment."""

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A kind of seeds."""

    name: str
    counts: str
    """What is counted, for people."""
    goal: int
    part: int
    """Seeds of one part."""
    call: Callable[[Part], Call]
    read: Reader

    def next_part(self, done: int) -> Part | None:
        """What comes after so many seeds; None when the goal is met."""
        return Part(done, min(self.part, self.goal - done)) if done < self.goal else None


def read_seed_lines(part: Part, _status: int, lines: list[str]) -> Outcome:
    """One JSON object a seed that says whether it holds; a seed that says nothing has failed."""
    objects = (json.loads(line) for line in lines if line.startswith("{"))
    held = sum(1 for each in objects if each.get("holds") is True)
    return Outcome(held, part.count - held)


def read_disagreements(part: Part, status: int, lines: list[str]) -> Outcome:
    """`seed S: N cases, M disagreements` at the end, told in chains; a run that says nothing has failed."""
    for line in reversed(lines):
        found = re.fullmatch(r"seed \d+: (\d+) cases, (\d+) disagreements", line.strip())
        if found and int(found[1]) > 0:
            failed = min(part.count, int(found[2]))
            return Outcome(part.count - failed, failed or int(status != 0))
    return Outcome(failed=part.count)


def read_status(part: Part, status: int, lines: list[str]) -> Outcome:
    """All seeds of the part hold, or it ends with an error; one that has run no test has failed."""
    has_run = any(re.search(r"\b[1-9]\d* passed", line) for line in lines)
    return Outcome(part.count) if status == 0 and has_run else Outcome(failed=part.count)


def _cargo(package: str, test: str, variable: str) -> Callable[[Part], Call]:
    command = ("cargo", "test", "--locked", "--release", "-p", package, "--test", test)
    return lambda part: Call(command, {variable: str(part.count)})


def _pytest(place: str, kills: str, seed: str) -> Callable[[Part], Call]:
    command = (str(BIN / "pytest"), "-q", place)
    return lambda part: Call(command, {kills: str(part.count), seed: str(part.first)})


def _simulator(part: Part) -> Call:
    seeds = ("--seed", str(part.first), "--count", str(part.count))
    return Call((str(BIN / "coc"), "sim", "--json", "--jobs", str(WORKERS), *seeds))


def _differential(part: Part) -> Call:
    python = str(ROOT / "build" / "oracle" / "bin" / "python")
    seeds = ("--seed", str(part.first), "--count", str(part.count))
    return Call((python, "-m", "tests.differential", *seeds))


CAMPAIGNS = (
    Campaign(
        "kills",
        "kill −9 of a node under load",
        200,
        50,
        _pytest("tests/e2e/crash/test_kill.py", "COC_CRASH_KILLS", "COC_CRASH_SEED"),
        read_status,
    ),
    Campaign(
        "block-log",
        "seeds of the block log on the faulty disk",
        200_000,
        200_000,
        _cargo("coc-log", "crashes", "COC_CRASH_RUNS"),
        read_status,
    ),
    Campaign(
        "write-ahead-log",
        "seeds of the write-ahead log and the signer's mark on the faulty disk",
        100_000,
        100_000,
        _cargo("coc-wal", "crashes", "COC_CRASH_RUNS"),
        read_status,
    ),
    Campaign(
        "chain",
        "seeds of a whole chain on the faulty disk",
        20_000,
        20_000,
        _cargo("coc-chain", "durability", "COC_CRASH_RUNS"),
        read_status,
    ),
    Campaign(
        "node-files",
        "seeds of the node files on the faulty disk",
        20_000,
        20_000,
        _cargo("coc-store", "node_files_crash", "COC_CRASH_SEEDS"),
        read_status,
    ),
    Campaign(
        "differential",
        "random chains on each network, against the executable specification",
        50,
        5,
        _differential,
        read_disagreements,
    ),
    Campaign(
        "network-kills",
        "kill −9 of four validators together, under load",
        200,
        20,
        _pytest(f"{NETWORK}/test_all_killed.py", "COC_NETWORK_KILLS", "COC_NETWORK_SEED"),
        read_status,
    ),
    Campaign("simulator", "simulated networks of the whole node", 10_000, 200, _simulator, read_seed_lines),
)
"""The quickest to end first."""

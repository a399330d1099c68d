"""Mutants: one-line faults, each put in by replacing one function, and the hunt for a run that finds each.

A mutant that no run finds would mean that the runs prove nothing about the rule it breaks. Whoever hunts says
what the mutants are and how a seed is run; the first seed that finds each is written to `MUTANTS.md` beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: which function becomes what, and the runs that bring it out."""

    name: str
    rule: str
    place: Any
    attribute: str
    fault: Any
    runs: str = ""
    """Which runs it is looked for in; the usual ones of its hunt where nothing is said."""
    finding: str = ""
    """What the run must find; anything will do where it is empty."""
    beside: Mutant | None = None
    """Another fault that is there too, where this one breaks a second line of defence."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """What is tested, with the fault, until the block ends."""
        with self.beside.planted() if self.beside else nullcontext():
            sound = self.place.__dict__[self.attribute]
            setattr(self.place, self.attribute, self.fault)
            try:
                yield
            finally:
                setattr(self.place, self.attribute, sound)


@dataclass(frozen=True, slots=True)
class Hunt:
    """The mutants of one thing under test, and how they are looked for; `file` is where they are listed."""

    file: Path
    title: str
    mutants: tuple[Mutant, ...]
    run: Callable[[str, int], object]
    """One run: which runs, and the seed. It raises what it finds."""
    found_by: tuple[type[Exception], ...]
    """What a run raises that finds a fault; anything else is a fault of the run."""
    seeds_max: int
    """Seeds within which every mutant must be found."""
    usual: str = ""
    """The runs of a mutant that names none; where they have no name, the table does not name runs at all."""
    word_for: Callable[[Exception], str] = lambda found: str(found).partition(":")[0]
    """What the table says of what was found."""

    def check_table(self) -> None:
        """The table names every mutant, in order, and for each a seed that is looked at.

        Raises:
            AssertionError: it is the table of another list.
        """
        seeds = self.recorded()
        assert list(seeds) == [mutant.name for mutant in self.mutants]
        assert all(0 <= seed < self.seeds_max for seed in seeds.values())

    def prove(self, mutant: Mutant) -> None:
        """Some run finds the fault, first of all that of the table's seed, and passes without it.

        Raises:
            AssertionError: no run does.
        """
        seed, _ = self._first_finding(mutant, self.recorded().get(mutant.name, 0))
        assert seed >= 0, f"no run within {self.seeds_max} seeds finds: {mutant.name}"
        self.run(mutant.runs or self.usual, seed)

    def recorded(self) -> dict[str, int]:
        """The seed that the table names for each mutant."""
        lines = self._table.read_text(encoding="utf-8").splitlines()
        rows = [line.split("|") for line in lines if line.startswith("| ")][1:]
        return {row[1].strip(): int(row[-3]) for row in rows}

    def write_table(self) -> None:
        """Look for every mutant from seed 0 on, and write the table."""
        module = ".".join(self.file.resolve().relative_to(ROOT).with_suffix("").parts)
        heads = ("mutant", "rule", *(["runs"] if self.usual else []), "seed", "what breaks")
        lines = [
            f"# Mutants of {self.title}",
            "",
            f"Written by `python -m {module}`: the first seed, from 0 on, that finds each fault.",
            "",
            _row(heads),
            "|" + "---|" * len(heads),
        ]
        for mutant in self.mutants:
            seed, word = self._first_finding(mutant)
            runs = [mutant.runs or self.usual] if self.usual else []
            lines.append(_row((mutant.name, mutant.rule, *runs, str(seed), word)))
            print(lines[-1], flush=True)
        self._table.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def _table(self) -> Path:
        return self.file.with_name("MUTANTS.md")

    def _first_finding(self, mutant: Mutant, *first: int) -> tuple[int, str]:
        """The first seed that finds a mutant, and what breaks; `first` are tried before all others."""
        for seed in (*first, *range(self.seeds_max)):
            word = self._broken_by(mutant, seed)
            if word:
                return seed, word
        return -1, "nothing"

    def _broken_by(self, mutant: Mutant, seed: int) -> str:
        with mutant.planted():
            try:
                self.run(mutant.runs or self.usual, seed)
            except self.found_by as found:
                word = self.word_for(found)
                return word if word.startswith(mutant.finding) else ""
        return ""


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"

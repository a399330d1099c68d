"""The client under test: ``coc evm blocktest`` and ``coc evm statetest`` as a program, a process a batch."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A test the client did not pass; ``name`` is the test's key in its file."""

    name: str
    fork: str
    error: str

    @property
    def kind(self) -> str:
        """The error without its numbers: failures of one kind probably have one cause."""
        words = [word for word in self.error.split() if not any(letter.isdigit() for letter in word)]
        return " ".join(words)[:80]


class ClientBroken(Exception):
    """The client gave no answer that can be read: a crash, which is a finding of its own."""


@dataclass(frozen=True, slots=True)
class Client:
    """How to call the client."""

    command: tuple[str, ...]
    jobs: int

    def blocktests(self, paths: Sequence[Path]) -> list[Failure]:
        """Failures among the blockchain tests in files or folders."""
        return self._failures("blocktest", paths)

    def statetests(self, paths: Sequence[Path]) -> list[Failure]:
        """Failures among the state tests in files or folders."""
        return self._failures("statetest", paths)

    def _failures(self, kind: str, paths: Sequence[Path]) -> list[Failure]:
        command = [*self.command, "evm", kind, "--jobs", str(self.jobs), *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            results = json.loads(done.stdout)
        except json.JSONDecodeError as error:
            raise ClientBroken(
                f"{' '.join(command)} exited {done.returncode}: {done.stderr[-2000:]}"
            ) from error
        if not results:
            raise ClientBroken(f"{' '.join(command)} found no tests")
        return [
            Failure(result["name"], str(result["fork"]), str(result.get("error", "")))
            for result in results
            if not result["pass"]
        ]

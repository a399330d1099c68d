"""Calls `coc evm t8n` in this process, all on standard input and output, as test generators do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from coc.cli.evm import command

STREAMS = (
    *("--input.alloc", "stdin", "--input.env", "stdin", "--input.txs", "stdin"),
    *("--output.alloc", "stdout", "--output.result", "stdout", "--output.body", "stdout"),
)


@dataclass(frozen=True, slots=True)
class Transition:
    """What a transition gave back."""

    alloc: dict[str, Any]
    result: dict[str, Any]
    body: str

    @property
    def rejected(self) -> dict[int, str]:
        """Why transactions were left out, by place in the list."""
        return {one["index"]: one["error"] for one in self.result.get("rejected", [])}


def transition(
    alloc: Mapping[str, Any], env: Mapping[str, Any], txs: Sequence[Any] | str, fork: str, *arguments: str
) -> Transition:
    """Runs a transition that must work."""
    text = json.dumps({"alloc": alloc, "env": env, "txs": txs})
    outcome = CliRunner().invoke(command, ["t8n", *STREAMS, "--state.fork", fork, *arguments], input=text)
    assert outcome.exit_code == 0, outcome.stderr
    return Transition(**json.loads(outcome.stdout))

"""`cast` as the tests use it: one call a command, with a key that only the client holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.scenario import run_client
from tests.e2e.node_process import E2E, NodeProcess, foundry_binary

MNEMONIC = "test test test test test test test test test test test junk"
LOCAL_ACCOUNT = 7
UNLOCKED_ACCOUNT = 8


@dataclass(frozen=True, slots=True)
class Cast:
    """Runs `cast` against one node."""

    node: NodeProcess
    program: Path

    @staticmethod
    def of(node: NodeProcess) -> Cast:
        """Finds the program. Raises NodeMissing."""
        return Cast(node, foundry_binary("cast"))

    def __call__(self, *arguments: str) -> str:
        """What `cast` prints; the test fails with its complaint if it refuses."""
        code, output, complaint = run_client([str(self.program), *arguments], self.node, "node_modules")
        if code != 0:
            pytest.fail(f"cast {' '.join(arguments)}: {complaint}", pytrace=False)
        return output.strip()

    def json(self, *arguments: str) -> Any:
        """The same with `--json`."""
        return json.loads(self(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """The complaint of a command that must not succeed."""
        code, output, complaint = run_client([str(self.program), *arguments], self.node, "node_modules")
        assert code != 0, f"cast {' '.join(arguments)} succeeded: {output}"
        return complaint

    def number(self, *arguments: str) -> int:
        """What `cast` prints, as a number; cast adds a human form in brackets."""
        return int(self(*arguments).split()[0], 0)

    def send(self, *arguments: str) -> Any:
        """Signs with the local key, sends, waits, and returns the receipt."""
        return self.json("send", *signer(), *arguments)

    def deploy(self, name: str, *constructor: str) -> str:
        """Deploys an artifact and returns its address."""
        code = json.loads((E2E / "contracts" / "artifacts" / f"{name}.json").read_text())["bytecode"]
        receipt = self.send("--create", code, *constructor)
        assert receipt["status"] == "0x1"
        return str(receipt["contractAddress"])


def signer() -> tuple[str, ...]:
    """Options that make cast sign with its own key."""
    return ("--mnemonic", MNEMONIC, "--mnemonic-index", str(LOCAL_ACCOUNT))

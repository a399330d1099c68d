"""A scenario: a small program in a client's own language that reports in JSON what it saw of a node.

The program uses the client as its documentation says; the test asserts on the report.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.e2e.node_process import CLIENTS, NodeMissing, NodeProcess

SCENARIO_SECONDS_MAX = 120
"""A scenario takes seconds; the bound only ends one that waits for something the node never does."""

Report = dict[str, Any]
Scenario = Callable[[str], Report]


def run_scenario(command: Sequence[str], node: NodeProcess, installed: str) -> Report:
    """Runs one client program against `node` and returns its report.

    A program that fails, fails the test with what it wrote and the tail of the node's log.
    """
    return_code, output, complaint = run_client(command, node, installed)
    if return_code != 0:
        pytest.fail(f"{' '.join(command)} failed:\n{complaint}\nnode log:\n{node.log_tail()}", pytrace=False)
    report: Report = json.loads(output)
    return report


def run_client(command: Sequence[str], node: NodeProcess, installed: str) -> tuple[int, str, str]:
    """Runs a program with `NODE_URL` set; returns exit code, stdout, stderr. Raises NodeMissing."""
    if not (CLIENTS / installed).exists():
        raise NodeMissing(f"{installed} is missing: run tests/e2e/clients/setup.sh")
    environment = {**os.environ, "NODE_URL": node.url, "ETH_RPC_URL": node.url}
    done = subprocess.run(
        command,
        cwd=CLIENTS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SCENARIO_SECONDS_MAX,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr

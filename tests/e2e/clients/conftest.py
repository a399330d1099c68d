"""Fixtures of the client tests: one development node a test worker, and one call that runs a scenario.

A scenario is a small program in the client's own language that uses the client as its documentation says and
prints what it saw as JSON. The test asserts on that report. A scenario runs once a worker, however many tests
look at its report.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from ..node_process import CLIENTS, NodeMissing, NodeProcess, dev_node

SCENARIO_SECONDS_MAX = 120
"""A scenario takes seconds; the bound only ends one that waits for something the node never does."""

Report = dict[str, Any]
Scenario = Callable[[str], Report]


def run_scenario(command: list[str], node: NodeProcess, installed: str) -> Report:
    """Runs one client program against `node` and returns its report.

    A program that fails, fails the test with what it wrote and the tail of the node's log.
    """
    if not (CLIENTS / installed).exists():
        raise NodeMissing(f"{installed} is missing: run tests/e2e/clients/setup.sh")
    environment = {**os.environ, "NODE_URL": node.url}
    done = subprocess.run(
        command, cwd=CLIENTS, env=environment, capture_output=True, text=True, timeout=SCENARIO_SECONDS_MAX
    )
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)} failed:\n{done.stderr}\nnode log:\n{node.log_tail()}", pytrace=False)
    report: Report = json.loads(done.stdout)
    return report


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A development node that makes a block a transaction."""
    with dev_node(tmp_path_factory.mktemp("node") / "node.log") as running:
        yield running


@pytest.fixture(scope="session")
def javascript(node: NodeProcess) -> Scenario:
    """Runs `js/NAME.mjs`, for example `ethers/deploy`."""
    interpreter = shutil.which("node")
    if interpreter is None:
        raise NodeMissing("Node.js is not installed: the ethers and viem tests need version 20 or newer")
    return cache(lambda name: run_scenario([interpreter, "js/run.mjs", name], node, "node_modules"))


@pytest.fixture(scope="session")
def web3py(node: NodeProcess) -> Scenario:
    """Runs `web3py/NAME.py` with the interpreter of the clients' own environment."""
    interpreter = str(CLIENTS / ".venv" / "bin" / "python")
    return cache(lambda name: run_scenario([interpreter, "-m", "web3py", name], node, ".venv"))

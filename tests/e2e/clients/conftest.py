"""Fixtures of the client tests: one development node a test worker, and one call that runs a scenario.

A scenario runs once a worker, however many tests look at its report.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.clients.scenario import Scenario, run_scenario
from tests.e2e.node_process import CLIENTS, NodeMissing, NodeProcess, dev_node


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A development node that makes a block a transaction."""
    with dev_node(tmp_path_factory.mktemp("node") / "node.log") as running:
        yield running


@pytest.fixture
def timed_node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A development node of one test's own that makes a block a second, as `coc up` does by default."""
    with dev_node(tmp_path / "node.log", block_time_s=1) as running:
        yield running


@pytest.fixture(scope="session")
def javascript(node: NodeProcess) -> Scenario:
    """Runs `js/NAME.mjs`, for example `ethers/deploy`."""
    return cache(
        lambda name: run_scenario([javascript_interpreter(), "js/run.mjs", name], node, "node_modules")
    )


@pytest.fixture
def javascript_timed(timed_node: NodeProcess) -> Scenario:
    """The same against the node with timed blocks."""
    return lambda name: run_scenario(
        [javascript_interpreter(), "js/run.mjs", name], timed_node, "node_modules"
    )


def javascript_interpreter() -> str:
    """Path of Node.js. Raises NodeMissing."""
    interpreter = shutil.which("node")
    if interpreter is None:
        raise NodeMissing("Node.js is not installed: the ethers and viem tests need version 20 or newer")
    return interpreter


@pytest.fixture(scope="session")
def web3py(node: NodeProcess) -> Scenario:
    """Runs scenario NAME of `web3py/` with the interpreter of the clients' own environment."""
    interpreter = str(CLIENTS / ".venv" / "bin" / "python")
    return cache(lambda name: run_scenario([interpreter, "-m", "web3py", name], node, ".venv"))

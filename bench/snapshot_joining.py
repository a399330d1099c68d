"""A fifth node joins a network with a snapshot: a state of a hundred thousand accounts, in proved pieces.

`coc up` makes a genesis of its own, so this network is made of single nodes: four validators, and the first
block whose state is served. Time counts from the start of the fifth node's command, speeds from its first
piece; bytes are those of pieces and proofs as they arrive.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nodes import COC, BenchFailed, stop
from validator_network import OURS, VALIDATORS, Network

from coc.adapters.constructor_runner import run_constructor
from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, NETWORK_KEY
from coc.adapters.validator.snapshot_filling import FetchEnd
from coc.contracts.genesis_alloc import Founder
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.network_genesis import NetworkGenesis, network_genesis
from coc.primitives.limits_snapshot import SNAPSHOT_INTERVAL_BLOCKS
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of
from coc.primitives.types import Address, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator

ACCOUNTS = 100_000
FIRST_PORT = 19_560
WIRE_OFFSET = 20
"""From a node's port for JSON-RPC to that for peers."""
STAKE_WEI = Wei(32 * ETHER)
ADDRESS_BYTES = 20
HEIGHTS_AFTER = 4
"""Blocks above the one whose state is served, so that all nodes have it."""
HEIGHTS_A_WAIT = 8
BYTES_PER_MB = 1_000_000


def figures(folder: Path) -> dict[str, float]:
    """Speeds of the fifth node. Raises BenchFailed."""
    genesis = folder / "genesis.json"
    genesis.write_bytes(_genesis_text())
    with ExitStack() as stack:
        for number in range(VALIDATORS):
            stack.enter_context(_validator(number, genesis, folder / f"node-{number}"))
        net = Network(OURS, [FIRST_PORT + number for number in range(VALIDATORS)], list)
        goal = SNAPSHOT_INTERVAL_BLOCKS + HEIGHTS_AFTER
        for height in range(HEIGHTS_A_WAIT, goal + 1, HEIGHTS_A_WAIT):
            net.await_height(height)
        net.await_height(goal)
        return _joined(genesis, folder / "fifth")


def _joined(genesis: Path, data: Path) -> dict[str, float]:
    _initialise(genesis, data)
    began = time.monotonic()
    process = _node(VALIDATORS, data, "--sync", "snapshot")
    try:
        told = list(_told_of_snapshot(process))
    finally:
        stop(process)
    pieces = [(moment, facts) for moment, facts in told if "bytes" in facts]
    if not pieces or pieces[-1][1].get("ended") != FetchEnd.IS_CHAIN.value:
        raise BenchFailed(f"the fifth node did not come to a state: {told[-1:]}")
    (first_s, first), (last_s, last) = pieces[0], pieces[-1]
    seconds = last_s - first_s
    return {
        "sync by snapshot: start to first piece, s": first_s - began,
        "sync by snapshot: start to whole state, s": last_s - began,
        "sync by snapshot: accounts/s": (last["accounts"] - first["accounts"]) / seconds,
        "sync by snapshot: MB/s": (last["bytes"] - first["bytes"]) / BYTES_PER_MB / seconds,
    }


def _told_of_snapshot(process: subprocess.Popen[str]) -> Iterator[tuple[float, dict[str, Any]]]:
    """What the node prints of its snapshot, each with its moment, up to the end of it."""
    for line in process.stdout or ():
        facts = json.loads(line).get("snapshot")
        if facts is not None:
            yield time.monotonic(), facts
            if "ended" in facts:
                return


# ── The network ─────────────────────────────────────────────────────────────────────────────────────────────


def _genesis_text() -> bytes:
    numbers = range(ACCOUNTS)
    accounts = [
        Address(hashlib.sha256(b"account %d" % number).digest()[:ADDRESS_BYTES]) for number in numbers
    ]
    registry = RegistryParameters()
    founders = [_founder(number, registry, accounts[number]) for number in range(VALIDATORS)]
    balances = dict.fromkeys(accounts, Wei(ETHER))
    return network_genesis(
        NetworkGenesis(founders, registry, balances, timestamp=int(time.time())), run_constructor
    )


def _founder(number: int, registry: RegistryParameters, operator: Address) -> Founder:
    consensus, network = _keys(number)
    entry = Validator(
        address_of(consensus),
        public_key_of(network),
        public_key_of(consensus),
        STAKE_WEI // registry.power_unit_wei,
        operator,
    )
    return Founder(entry, operator, STAKE_WEI)


def _keys(number: int) -> tuple[Secret, Secret]:
    """Consensus and network key of a validator."""
    consensus, network = (hashlib.sha256(b"%s %d" % (use, number)).digest() for use in (b"votes", b"wire"))
    return secret_of(consensus), secret_of(network)


@contextmanager
def _validator(number: int, genesis: Path, data: Path) -> Iterator[None]:
    """A validator that runs."""
    _initialise(genesis, data)
    keys = data / KEYS_FOLDER
    keys.mkdir(exist_ok=True)
    for name, secret in zip((CONSENSUS_KEY, NETWORK_KEY), _keys(number), strict=True):
        (keys / name).write_text(f"{secret.hex()}\n")
    process = _node(number, data)
    try:
        yield
    finally:
        stop(process)


def _initialise(genesis: Path, data: Path) -> None:
    command = (str(COC), "init", "--genesis", str(genesis), "--data", str(data))
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise BenchFailed("`coc init` failed; its words are above")


def _node(number: int, data: Path, *options: str) -> subprocess.Popen[str]:
    """A node that knows all validators but itself."""
    port = FIRST_PORT + number
    command = [str(COC), "node", "--data", str(data), "--json", "--port", str(port), *options]
    command += ["--listen", f"127.0.0.1:{port + WIRE_OFFSET}"]
    for other in range(VALIDATORS):
        if other != number:
            command += ["--peer", f"127.0.0.1:{FIRST_PORT + other + WIRE_OFFSET}"]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

"""What the nursery imports for its nodes is all that they need."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from coc.adapters.constructor_runner import run_constructor
from coc.adapters.network_folder import NetworkFolder
from coc.execution.dev_genesis import DEV_GAS_LIMIT
from coc.execution.dev_network import DevNetwork, dev_network_genesis, dev_validators
from coc.execution.network_genesis import network_genesis
from coc.primitives.mnemonic import DEV_MNEMONIC

NODE = """
import sys
from coc.cli.in_nursery import prepare_node, run_command
prepare_node()
known = set(sys.modules)
try:
    run_command(["node", "--data", sys.argv[1], "--json", "--port", "0", "--listen", "127.0.0.1:0"])
finally:
    print(*sorted(set(sys.modules) - known))
"""


def genesis() -> bytes:
    chosen = DevNetwork(
        mnemonic=DEV_MNEMONIC,
        node_count=1,
        account_count=1,
        chain_id=7,
        gas_limit=DEV_GAS_LIMIT,
        block_interval_s=1,
        timestamp=int(time.time()),
    )
    return network_genesis(dev_network_genesis(chosen), run_constructor)


def test_a_node_of_the_nursery_has_nothing_left_to_import(tmp_path: Path) -> None:
    folder = NetworkFolder(tmp_path / "network", dev_validators(DEV_MNEMONIC, 1), genesis)
    command = [sys.executable, "-c", NODE, str(folder.node(1))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        assert json.loads(node.stdout.readline())["head"] == 0
        node.send_signal(signal.SIGTERM)
        assert node.stdout.read().split() == []

"""What the nursery imports for its nodes is all that they need."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from coc.adapters.network_folder import NetworkFolder
from coc.execution.dev_network import dev_validators
from coc.primitives.mnemonic import DEV_MNEMONIC
from tests.execution.dev_networks import dev_genesis_file

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


def just_begun() -> bytes:
    return dev_genesis_file(1, timestamp=int(time.time()))


def test_a_node_of_the_nursery_has_nothing_left_to_import(tmp_path: Path) -> None:
    folder = NetworkFolder(tmp_path / "network", dev_validators(DEV_MNEMONIC, 1), just_begun)
    command = [sys.executable, "-c", NODE, str(folder.node(1))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        assert json.loads(node.stdout.readline())["head"] == 0
        node.send_signal(signal.SIGTERM)
        assert node.stdout.read().split() == []

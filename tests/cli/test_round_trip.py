"""A real process under load, ended by a signal; its chain exported, and imported into another folder."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

from tests.cli.folders import coc, facts

COC = [sys.executable, "-c", "from coc.cli.main import main; main()"]
STOP_SECONDS_MAX = 60


class Running:
    """A node that has said that it is ready."""

    def __init__(self, process: subprocess.Popen[str], said: dict[str, Any]) -> None:
        self.process, self.said = process, said

    def rpc(self, method: str, *params: Any) -> Any:
        """One call on a connection of its own."""
        address = urlparse(self.said["rpc"])
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=STOP_SECONDS_MAX)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer["result"]

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(by)
        return self.process.wait(STOP_SECONDS_MAX)


@contextmanager
def running(*arguments: object) -> Iterator[Running]:
    """A node as a process of its own, on a port that the system chooses."""
    command = [*COC, *(str(argument) for argument in arguments), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        try:
            assert line, process.stderr.read()
            yield Running(process, json.loads(line))
        finally:
            process.kill()


def load(node: Running, transactions: int) -> None:
    """Transfers from every unlocked account, all of them mined."""
    accounts = [account["address"] for account in node.said["accounts"]]
    for number in range(transactions):
        sender, to = accounts[number % len(accounts)], accounts[(number + 1) % len(accounts)]
        node.rpc("eth_sendTransaction", {"from": sender, "to": to, "value": hex(number + 1)})
        if number % 10 == 9:
            node.rpc("evm_mine")
    node.rpc("evm_mine")


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_chain_made_under_load_is_the_same_after_export_and_import_elsewhere(
    tmp_path: Path, ended_by: signal.Signals
) -> None:
    with running("up", "--manual", "--data", tmp_path / "a") as node:
        load(node, 35)
        head = node.rpc("eth_getBlockByNumber", "latest", False)
        code = node.end(ended_by)
    assert code == (0 if ended_by is not signal.SIGKILL else -signal.SIGKILL)
    facts(coc("export", tmp_path / "blocks.coc", "--data", tmp_path / "a", "--json"))
    coc("init", "--data", tmp_path / "b", "--genesis", tmp_path / "a" / "genesis.json")
    said = facts(coc("import", tmp_path / "blocks.coc", "--data", tmp_path / "b", "--json"))
    assert said["head"] == {"number": int(head["number"], 16), "hash": head["hash"]}
    with running("node", "--data", tmp_path / "b") as other:
        assert other.said["sealing"]
        account = node.said["accounts"][3]["address"]
        assert int(other.rpc("eth_getTransactionCount", account, "latest"), 16) >= 3
        assert other.end() == 0


def test_a_start_that_is_refused_ends_with_one_sentence_and_exit_code_one(tmp_path: Path) -> None:
    with running("up", "--manual", "--data", tmp_path / "a") as node:
        port = str(urlparse(node.said["rpc"]).port)
        for arguments in (
            ["up", "--port", port],
            ["up", "--port", "0", "--data", str(tmp_path / "a")],
            ["node", "--port", "0", "--data", str(tmp_path / "none")],
        ):
            done = subprocess.run([*COC, *arguments], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (1, ""), done.stderr
            assert done.stderr.startswith("Error: ")
            assert len(done.stderr.strip().splitlines()) <= 2
        assert node.end() == 0

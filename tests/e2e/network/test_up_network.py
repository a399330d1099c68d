"""`coc up --nodes`: real processes that agree, survive what is done to them, and leave nothing behind."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of
from tests.e2e.network.up_process import (
    STATE_SECONDS_MAX,
    Up,
    UpNode,
    is_running,
    kill,
    until,
    until_gone,
    up,
)
from tests.e2e.node_process import coc_command

FIRST, SECOND = (f"0x{address_of(secret).hex()}" for secret in dev_secrets(DEV_MNEMONIC, 2))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, list[UpNode]]]:
    """Four nodes that several tests use one after the other, and leave as they found them."""
    with up(tmp_path_factory.mktemp("four"), 4) as started:
        yield started, started.nodes()


@contextmanager
def by_hand(nodes: Sequence[UpNode], number: int, data: str, log: Path) -> Iterator[UpNode]:
    """A node that `coc up` does not hold, with its own `coc node`, in the place of one that it announced."""
    own = nodes[number - 1].line
    peers = [part for node in nodes if node.line is not own for part in ("--peer", str(node.line["wire"]))]
    places = ["--port", own["rpc"].rpartition(":")[2], "--listen", own["wire"]]
    command = [str(coc_command()), "node", "--data", data, "--json", *places, *peers]
    with log.open("wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
    try:
        yield UpNode(own | {"pid": process.pid})
    finally:
        process.terminate()
        process.wait(STATE_SECONDS_MAX)


def coc(*arguments: object) -> str:
    """What a command printed; it must succeed."""
    command = [str(coc_command()), *map(str, arguments)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, f"{command}: {ran.stderr}"
    return ran.stdout


# ── Agreeing ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_node_says_one_line_and_all_report_the_same_final_block(
    network: tuple[Up, list[UpNode]],
) -> None:
    started, nodes = network
    assert [node.line["node"] for node in nodes] == [1, 2, 3, 4]
    assert all(is_running(node.pid) for node in nodes)
    assert len({node.line["validator"] for node in nodes}) == len({node.line["wire"] for node in nodes}) == 4
    for node in nodes:
        node.until_height(3)
        until(lambda node=node: int(node.rpc("net_peerCount"), 16) == 3, "three peers")  # type: ignore[misc]
        assert int(node.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16) >= 3
    assert len({node.hash_at(3) for node in nodes}) == 1
    assert {node.hash_at(0) for node in nodes} == {nodes[0].line["genesisHash"]}
    assert len(started.lines()) == 4


def test_accounts_are_unlocked_on_every_node_and_a_transaction_is_seen_by_all(
    network: tuple[Up, list[UpNode]],
) -> None:
    _, nodes = network
    assert {tuple(node.rpc("eth_accounts")) for node in nodes} == {tuple(nodes[0].rpc("eth_accounts"))}
    sent = nodes[1].rpc("eth_sendTransaction", {"from": FIRST, "to": SECOND, "value": "0x1"})
    receipts = [
        until(lambda node=node: node.rpc("eth_getTransactionReceipt", sent), "a receipt")  # type: ignore[misc]
        for node in nodes
    ]
    assert {(receipt["status"], receipt["blockHash"]) for receipt in receipts} == {
        ("0x1", receipts[0]["blockHash"])
    }


def test_a_fifth_validator_joins_and_leaves_by_transactions(
    network: tuple[Up, list[UpNode]], tmp_path: Path
) -> None:
    started, nodes = network
    fifth, key = tmp_path / "fifth", tmp_path / "operator.key"
    key.write_text(dev_secrets(DEV_MNEMONIC, 10)[9].hex())
    coc("keys", "new", "--data", fifth, "--insecure")
    coc("init", "--data", fifth, "--genesis", started.data / "network-genesis.json")
    rpc = ("--data", fifth, "--rpc", nodes[0].line["rpc"])
    own = {"node": 5, "rpc": f"http://127.0.0.1:{free_port()}", "wire": f"127.0.0.1:{free_port()}"}
    with by_hand([*nodes, UpNode(own)], 5, str(fifth), tmp_path / "fifth.log") as node:
        assert "has joined" in coc("validator", "join", *rpc, "--key", key)
        until(lambda: "voting" in coc("validator", "status", *rpc), "the fifth votes")
        assert len(coc("validator", "status", "--rpc", nodes[3].line["rpc"]).splitlines()) == 5
        height = nodes[0].height()
        node.until_height(height)
        assert node.hash_at(height) == nodes[0].hash_at(height)
        assert "leaves" in coc("validator", "exit", *rpc, "--key", key)
        until(lambda: "locked" in coc("validator", "status", *rpc), "the fifth has no power")
    assert len(coc("validator", "status", "--rpc", nodes[3].line["rpc"]).splitlines()) == 4


def test_three_go_on_when_one_is_killed_and_it_catches_up_when_it_is_run_again(
    network: tuple[Up, list[UpNode]], tmp_path: Path
) -> None:
    started, nodes = network
    others = [nodes[0], nodes[1], nodes[3]]
    kill(nodes[2].pid)
    until(lambda: "node 3: ended by SIGKILL" in started.complaints(), "the parent notices")
    height = max(node.height() for node in others) + 4
    for node in others:
        node.until_height(height)
    with by_hand(nodes, 3, str(nodes[2].line["data"]), tmp_path / "third.log") as third:
        third.until_height(height)
        assert {node.hash_at(height) for node in (*others, third)} == {others[0].hash_at(height)}


# ── Ending ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_sigterm_no_process_is_left_and_the_network_goes_on_from_its_folder(tmp_path: Path) -> None:
    with up(tmp_path, 2) as first:
        nodes = first.nodes()
        nodes[0].until_height(2)
        os.kill(nodes[1].pid, signal.SIGSTOP)  # a paused one must be told too
        assert first.stop() == 0
        assert not any(is_running(node.pid) for node in nodes)
        assert first.complaints() == ""
    with up(tmp_path, 2) as second:
        again = second.nodes()
        assert again[0].line["genesisHash"] == nodes[0].line["genesisHash"]
        assert all(node.line["head"] >= 1 for node in again)
        again[1].until_height(max(node.line["head"] for node in again) + 2)


def test_when_the_parent_is_killed_its_nodes_end_even_a_paused_one(tmp_path: Path) -> None:
    with up(tmp_path, 2) as started:
        nodes = started.nodes()
        os.kill(nodes[1].pid, signal.SIGSTOP)
        kill(started.process.pid)
        until_gone([node.pid for node in nodes])


def test_a_network_that_cannot_start_says_why_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, 1, "--port", str(port)) as started:
            assert started.process.wait(STATE_SECONDS_MAX) == 1
            assert "node 1 did not start" in started.complaints()
            assert "COC-LISTEN" in started.complaints()
            assert started.lines() == []


# ── The view ────────────────────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """`coc up --nodes` as a person has it: what it draws, and keys to press."""

    def __init__(self, data: Path, port: int) -> None:
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        command = [str(coc_command()), "up", "--nodes", "2", "--data", str(data), "--port", str(port)]
        environment = {**os.environ, "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True
        )
        os.close(terminal)
        self._drawn = b""

    def press(self, keys: str) -> None:
        """Press keys; what was drawn before is forgotten."""
        self._drawn = b""
        os.write(self._controller, keys.encode())

    def shows(self, text: str) -> bool:
        """Whether it has drawn this since the last key."""
        while select.select([self._controller], [], [], 0)[0]:
            try:
                chunk = os.read(self._controller, 65_536)
            except OSError:  # Linux: nobody holds the other end any more
                break
            self._drawn += chunk
        return text in self._drawn.decode(errors="replace")

    def until_shows(self, text: str) -> None:
        until(lambda: self.shows(text), f"{text!r} on the screen, which shows {self._drawn[-2_000:]!r}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._controller)


def test_keys_kill_pause_restart_and_quit(tmp_path: Path) -> None:
    port = pair_of_free_ports()
    second = UpNode({"node": 2, "rpc": f"http://127.0.0.1:{port + 1}"})
    terminal = Terminal(tmp_path / "network", port)
    try:
        terminal.until_shows("2 of 2 nodes work, 2 are needed: blocks are made")
        second.until_height(1)
        terminal.press("2k")
        terminal.until_shows("killed")
        terminal.until_shows("1 of 2 nodes work, 2 are needed: no block is made until more of them work")
        assert second.height() == -1
        terminal.press("r")
        terminal.until_shows("2 of 2 nodes work")
        height = until(lambda: max(0, second.height()), "a height again")
        second.until_height(height + 2)
        terminal.press("p")
        terminal.until_shows("paused")
        terminal.until_shows("1 of 2 nodes work")
        terminal.press("p")
        terminal.until_shows("2 of 2 nodes work")
        second.until_height(height + 3)
        terminal.press("q")
        terminal.until_shows("stopped")
        assert terminal.process.wait(STATE_SECONDS_MAX) == 0
        assert second.height() == -1
    finally:
        terminal.close()


def test_nodes_that_take_turns_finalize_blocks_and_the_folder_keeps_its_engine(tmp_path: Path) -> None:
    with up(tmp_path / "turns", 2, "--port", "0", "--engine", "rotation") as started:
        nodes = started.nodes()
        for node in nodes:
            node.until_height(9)
            until(lambda node=node: finalized(node) > 0, "a final block")  # type: ignore[misc]
        height = min(map(finalized, nodes))
        assert len({node.hash_at(height) for node in nodes}) == 1
        assert nodes[0].rpc("bft_status") is None
        assert started.stop() == 0
    with up(tmp_path / "turns", 2, "--port", "0", "--engine", "bft") as started:
        assert started.process.wait(STATE_SECONDS_MAX) == 1
        assert "holds a network with the engine rotation" in started.complaints()
    with up(tmp_path / "turns", 2) as started:
        for node in started.nodes():
            assert finalized(node) >= height
        assert started.stop() == 0


def finalized(node: UpNode) -> int:
    return int(node.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pair_of_free_ports() -> int:
    """The first of two neighbours that nobody listens on."""

    def pair() -> int | None:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                return None
            return port

    return until(pair, "two free ports side by side")

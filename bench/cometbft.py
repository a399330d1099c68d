"""The anchor: CometBFT with its kvstore application, four validators in processes of their own.

It is installed once into `build/cometbft`, with Go's caches there too while it builds. The configuration is
what `cometbft testnet` writes, with these changes: loopback ports, a mempool and batches that take the load
(5,000 transactions and batches of 10 otherwise), and a log that says only what fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import generator
from nodes import CHECKOUT, BenchFailed, stop
from validator_network import VALIDATORS, Language, Network, allocated_bytes

VERSION = "0.38.17"
MODULE = f"github.com/cometbft/cometbft/cmd/cometbft@v{VERSION}"
PLACE = CHECKOUT / "build" / "cometbft"
PROGRAM = PLACE / "cometbft"
INSTALL_SECONDS_MAX = 900
FIRST_PORT = 27_656
LANGUAGE = Language(
    "comet", "comet", "status", {}, lambda status: int(status["sync_info"]["latest_block_height"])
)
RATED_BYTES = 250
"""A transaction at a rate."""
SATURATING_BYTES = 110
"""A transaction at full speed: what a signed transfer of ours has."""


def missing() -> str | None:
    """Nothing when it is installed, or could be; otherwise why not, as a sentence."""
    if PROGRAM.exists():
        return None
    go = shutil.which("go")
    if go is None:
        return "CometBFT is left out: there is no Go to build it with"
    caches = PLACE / "caches"
    environment = {
        **os.environ, "GOBIN": str(PLACE), "GOPATH": str(caches / "path"), "GOCACHE": str(caches / "build"),
        "GOFLAGS": "-modcacherw",
    }  # fmt: skip
    try:
        done = subprocess.run(
            [go, "install", MODULE], env=environment, capture_output=True, text=True,
            timeout=INSTALL_SECONDS_MAX, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"CometBFT is left out: it was not built in {INSTALL_SECONDS_MAX} s"
    finally:
        shutil.rmtree(caches, ignore_errors=True)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["no reason given"]
        return f"CometBFT is left out: `go install {MODULE}` failed: {words[-1]}"
    return None


class Comet:
    """Four validators, a block a second after the last commit."""

    name = "cometbft"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Network]:
        """The network of a folder."""
        if not (folder / "node0").exists():
            _write_testnet(folder)
        peers = _peers(folder)
        with ExitStack() as stack:
            processes = [_start(folder / f"node{place}", place, peers) for place in range(VALIDATORS)]
            for process in processes:
                stack.callback(stop, process)
            ports = [_rpc_port(place) for place in range(VALIDATORS)]
            yield Network(LANGUAGE, ports, lambda: [{"pid": process.pid} for process in processes])

    def write_load(self, path: Path, count: int, *, is_saturating: bool) -> None:
        """Keys and values, as long as the figures that are known of it."""
        generator.kvstore(path, count, SATURATING_BYTES if is_saturating else RATED_BYTES)

    def disk_bytes(self, folder: Path) -> Mapping[str, int]:
        """All that the first node stores; half of it is the index of transactions."""
        return {"all": allocated_bytes(folder / "node0" / "data")}


def _write_testnet(folder: Path) -> None:
    _run("testnet", "--v", str(VALIDATORS), "--o", str(folder), "--populate-persistent-peers=false")
    changes = {
        "size = 5000": "size = 200000",
        "cache_size = 10000": "cache_size = 200000",
        "max_request_batch_size = 10": "max_request_batch_size = 100",
        'log_level = "info"': 'log_level = "error"',
    }
    for place in range(VALIDATORS):
        path = folder / f"node{place}" / "config" / "config.toml"
        text = path.read_text()
        for old, new in changes.items():
            if f"\n{old}\n" not in text:
                raise BenchFailed(f"CometBFT's configuration has no line {old!r}")
            text = text.replace(f"\n{old}\n", f"\n{new}\n")
        path.write_text(text)


def _peers(folder: Path) -> str:
    ids = [_run("show-node-id", "--home", str(folder / f"node{place}")) for place in range(VALIDATORS)]
    return ",".join(f"{each}@127.0.0.1:{_wire_port(place)}" for place, each in enumerate(ids))


def _start(home: Path, place: int, peers: str) -> subprocess.Popen[bytes]:
    command = [
        str(PROGRAM), "node", "--home", str(home), "--proxy_app", "persistent_kvstore",
        "--p2p.laddr", f"tcp://127.0.0.1:{_wire_port(place)}",
        "--rpc.laddr", f"tcp://127.0.0.1:{_rpc_port(place)}", "--p2p.persistent_peers", peers,
    ]  # fmt: skip
    with (home / "log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def _run(*arguments: str) -> str:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchFailed(f"cometbft {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def _wire_port(place: int) -> int:
    return FIRST_PORT + 2 * place


def _rpc_port(place: int) -> int:
    return FIRST_PORT + 2 * place + 1

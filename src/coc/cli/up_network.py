"""`coc up --nodes N`: a network of real `coc node` processes on this machine, until Ctrl-C.

The parent makes keys, genesis and folders, has the processes forked (`nursery`), and only looks on: what
agrees, serves and stores is the nodes. On a terminal it shows them and takes keys; with `--json` it prints a
line a node.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol

import rich_click as click

from coc.adapters.constructor_runner import run_constructor
from coc.adapters.network_folder import NetworkFolder
from coc.adapters.node_processes import (
    NodePlan,
    NodeProcess,
    NodeState,
    Starter,
    free_ports,
    stop_all,
)
from coc.adapters.nursery import Nursery
from coc.cli.exits import fail
from coc.cli.in_nursery import prepare_node, run_command
from coc.cli.serving import endpoint, refuse_public_keys_in_public
from coc.execution.dev_genesis import DEV_GAS_LIMIT
from coc.execution.dev_network import (
    DevNetwork,
    DevValidator,
    dev_network_genesis,
    dev_rotation_genesis,
    dev_validators,
)
from coc.execution.network_genesis import network_genesis, rotation_genesis
from coc.primitives.checksum import format_checked
from coc.primitives.errors import CliError
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.wire.identity import peer_id_of

LOOPBACK: Final = "127.0.0.1"
"""Where nodes meet each other: the keys of a development network are known to whoever knows the mnemonic."""
START_SECONDS_MAX: Final = 60.0
"""A node that is not ready by then never will be."""


class NetworkOptions(Protocol):
    """The choices that make a development network; see `coc up --help`."""

    host: str
    port: int
    data: Path | None
    block_time: float
    chain_id: int
    gas_limit: int | None
    accounts: int
    mnemonic: str
    engine: str | None
    """None for that of the network in the folder, or `bft` for a new one."""
    archive: bool
    as_json: bool
    log_level: str


def run_network(options: NetworkOptions, node_count: int) -> None:
    """Make or open the network and run it until a signal says stop.

    Raises:
        CocError: the network cannot be made, or no node of it starts.
    """
    if options.mnemonic == DEV_MNEMONIC:
        refuse_public_keys_in_public(options.host, "use a loopback address, or a `--mnemonic` of your own")
    if options.port and options.port + node_count - 1 > 65_535:
        raise CliError(
            f"there are no {node_count} ports from {options.port} on", cure="choose a lower --port"
        )
    with closing(_nursery()) as nursery, _root(options.data) as root:
        validators = dev_validators(options.mnemonic, node_count)
        folder = NetworkFolder(root, validators, lambda: _genesis(options, node_count))
        _refuse_other_engine(options, folder)
        plans = _plans(options, folder, validators)
        if not options.as_json:
            click.echo(_banner(options, folder, node_count))
        asyncio.run(_run(plans, nursery, as_json=options.as_json))


def _nursery() -> Nursery:
    """What forks the nodes: it imports all they need while keys and genesis are made."""
    return Nursery(prepare_node, run_command)


@contextmanager
def _root(data: Path | None) -> Iterator[Path]:
    """The folder of the network; without one a temporary folder, gone in the end."""
    if data is not None:
        yield data
        return
    root = Path(tempfile.mkdtemp(prefix="coc-network-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _genesis(options: NetworkOptions, node_count: int) -> bytes:
    chosen = DevNetwork(
        mnemonic=options.mnemonic,
        node_count=node_count,
        account_count=options.accounts,
        chain_id=options.chain_id,
        gas_limit=options.gas_limit or DEV_GAS_LIMIT,
        block_interval_s=int(options.block_time),
        timestamp=int(time.time()),
    )
    if options.engine == "rotation":
        return rotation_genesis(dev_rotation_genesis(chosen))
    return network_genesis(dev_network_genesis(chosen), run_constructor)


def _refuse_other_engine(options: NetworkOptions, folder: NetworkFolder) -> None:
    rules = folder.genesis.coc
    if options.engine is not None and rules is not None and options.engine != rules.engine:
        raise CliError(
            f"{folder.root} holds a network with the engine {rules.engine}",
            why="the engine is a rule of the chain",
            cure="leave --engine out, or choose another --data folder",
        )


def _plans(
    options: NetworkOptions, folder: NetworkFolder, validators: Sequence[DevValidator]
) -> list[NodePlan]:
    """How to run each node: every one knows where to find the others, and by which identity."""
    ports = free_ports(len(validators))
    peers = [
        f"{peer_id_of(public_key_of(validator.network)).hex()}@{LOOPBACK}:{port}"
        for validator, port in zip(validators, ports, strict=True)
    ]
    if options.port:
        rpcs = [endpoint(options.host, options.port + index) for index in range(len(validators))]
    else:
        rpcs = [""] * len(validators)
    return [
        NodePlan(
            index + 1,
            _command(options, folder.node(index + 1), index, (ports, peers)),
            folder.log(index + 1),
            rpcs[index],
        )
        for index in range(len(validators))
    ]


def _command(
    options: NetworkOptions, folder: Path, index: int, places: tuple[Sequence[int], Sequence[str]]
) -> tuple[str, ...]:
    ports, peers = places
    others = [part for place, peer in enumerate(peers) if place != index for part in ("--peer", peer)]
    unlocked = options.accounts if options.mnemonic == DEV_MNEMONIC else 0
    return (
        *("node", "--data", str(folder), "--json", "--log-level", options.log_level),
        *("--host", options.host, "--port", str(options.port + index if options.port else 0)),
        *("--listen", f"{LOOPBACK}:{ports[index]}", *others, "--unlock", str(unlocked)),
        *(("--archive",) if options.archive else ()),
    )


# ── Running ─────────────────────────────────────────────────────────────────────────────────────────────────


class Front(Protocol):
    """What a person, or a program, sees of a network."""

    def open(self, nodes: Sequence[NodeProcess]) -> None:
        """The nodes are about to be started."""
        ...

    def on_change(self, node: NodeProcess) -> None:
        """A node's state is another."""
        ...

    def close(self) -> None:
        """All nodes have ended."""
        ...


async def _run(plans: Sequence[NodePlan], starter: Starter, *, as_json: bool) -> None:
    """Start all, wait for a signal or the front to say stop, and stop all; a second signal kills."""
    stop = asyncio.Event()
    front = _front(stop, as_json=as_json)
    nodes = [NodeProcess(plan, starter, front.on_change) for plan in plans]

    def on_signal() -> None:
        for node in nodes if stop.is_set() else ():
            node.kill()
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, on_signal)
    front.open(nodes)
    try:
        for node in nodes:
            node.start()
        await stop.wait()
    finally:
        await stop_all(nodes)
        front.close()


def _front(stop: asyncio.Event, *, as_json: bool) -> Front:
    if as_json or not sys.stdout.isatty():
        return NetworkLines(stop, as_json=as_json)
    from coc.cli.network_console import NetworkConsole

    return NetworkConsole(stop)


class NetworkLines:
    """A line a node when it is ready; what ends by itself is told on standard error."""

    def __init__(self, stop: asyncio.Event, *, as_json: bool) -> None:
        """`stop` is set where the network cannot go on: a node that never came up, or none left."""
        self._stop = stop
        self._as_json = as_json
        self._nodes: Sequence[NodeProcess] = ()
        self._told: set[int] = set()
        self._failure = ""
        self._alarm: asyncio.TimerHandle | None = None

    def open(self, nodes: Sequence[NodeProcess]) -> None:
        """Wait for the nodes, but not for ever."""
        self._nodes = nodes
        self._alarm = asyncio.get_running_loop().call_later(START_SECONDS_MAX, self._too_late)

    def on_change(self, node: NodeProcess) -> None:
        """Tell what a program waits for, and what is wrong."""
        if node.state is NodeState.RUNNING and node.number not in self._told:
            self._told.add(node.number)
            click.echo(self._line(node))
        elif node.state is NodeState.FAILED:
            if node.number not in self._told:
                self._give_up(f"node {node.number} did not start: {node.why}")
            elif not any(each.is_alive for each in self._nodes):
                self._give_up(f"no node is left; the last, node {node.number}: {node.why}")
            else:
                click.echo(f"node {node.number}: {node.why}", err=True)

    def close(self) -> None:
        """End the command where the network could not go on."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._failure:
            fail(self._failure)

    def _line(self, node: NodeProcess) -> str:
        if self._as_json:
            return json.dumps({"node": node.number} | node.ready)
        return f"  node {node.number}  RPC {node.ready.get('rpc')}  pid {node.pid}"

    def _too_late(self) -> None:
        late = [str(node.number) for node in self._nodes if node.number not in self._told]
        if late:
            self._give_up(f"node {', '.join(late)} was not ready within {START_SECONDS_MAX:.0f} seconds")

    def _give_up(self, sentence: str) -> None:
        self._failure = self._failure or sentence
        self._stop.set()


def _banner(options: NetworkOptions, folder: NetworkFolder, node_count: int) -> str:
    rules = folder.genesis.coc
    interval_s = 0 if rules is None else rules.block_interval_s
    where = f"{folder.root}, {'a new network' if folder.is_new else 'as it was left'}"
    if options.data is None:
        where = f"{folder.root}, removed at the end; keep a network with --data DIR"
    accounts = [format_checked(address_of(each)) for each in dev_secrets(options.mnemonic, options.accounts)]
    whose = "their keys come from your mnemonic"
    if options.mnemonic == DEV_MNEMONIC:
        whose = "unlocked; everybody knows their keys"
    return "\n".join(
        [
            "",
            click.style(f"  COC development network of {node_count} nodes", bold=True)
            + f"   chain id {folder.genesis.schedule.chain_id}, a block every {interval_s} s",
            f"  {where}",
            "",
            f"  Accounts, 10,000 ether each ({whose})",
            *(f"  ({index}) {address}" for index, address in enumerate(accounts)),
            "",
        ]
    )

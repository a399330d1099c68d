"""A network of real `coc node` processes: made, started, killed, stopped, cut, and waited for.

Every member has a data folder made by `coc init`, two keys that follow from its number, and ports that stay
its own over restarts. Nothing is measured in seconds: a test waits for a state (`until`), and a deadline,
generous since tests share their machine with builds, only ends one that never comes; it tells what every node
wrote.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from coc.adapters.constructor_runner import run_constructor
from coc.adapters.node_keys import CONSENSUS_KEY, KEYS_FOLDER, NETWORK_KEY
from coc.contracts.genesis_alloc import Founder
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.genesis_bft import BftParameters
from coc.execution.network_genesis import (
    FUNDED_WEI,
    NetworkGenesis,
    RotationGenesis,
    network_genesis,
    rotation_genesis,
)
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of
from coc.primitives.types import Address, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator
from tests.e2e.node_process import (
    CHECKOUT,
    RPC_SECONDS_MAX,
    NodeFailed,
    NodeProcess,
    RpcError,
    coc_command,
    launch,
)

T = TypeVar("T")

STATE_SECONDS_MAX = 180
"""A state that has not come by then never will."""
POLL_SECONDS = 0.05
STAKE_WEI = Wei(32 * ETHER)
STRANGER_WEI = Wei(ETHER)
DEV_ACCOUNTS = 10
PORT_FIRST = 10_240
PORTS_A_WORKER = 2_500
WORKERS_MAX = 8
"""All below the ports that systems give to outgoing connections, which could take one while its node is down;
so could a test that runs beside this one, if workers shared them."""
WORKER_VARIABLE = "PYTEST_XDIST_WORKER"
PATIENT = BftParameters(propose_ms=3_000, vote_ms=1_000)
"""For tests that count rounds: a slow machine must not look like a validator that is away."""
ACCUSATIONS = (b"peer misbehaved", b'"message":"banned"', b"this node differs", b"traceback", b"COC-DEFECT")
"""What an honest node never writes among honest nodes, whatever is killed, stopped, cut off or full."""
GONE = (OSError, http.client.HTTPException, ValueError, RpcError)
"""What a call on a node raises that is being killed, or not up yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member listens, and a command that is put before its own."""

    host: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


@dataclass(slots=True)
class Member:
    """One node of the network: its keys, its folder and ports, and its process once it was started."""

    number: int
    consensus: Secret
    network: Secret
    folder: Path
    port: int
    wire_port: int
    place: Place = field(default_factory=Place)
    process: NodeProcess | None = None

    @property
    def id(self) -> Address:
        """Its validator id."""
        return address_of(self.consensus)

    @property
    def wire(self) -> str:
        """Where its peers find it."""
        return f"{self.place.host}:{self.wire_port}"

    @property
    def log(self) -> Path:
        """What it wrote, over all its lives."""
        return self.folder.with_suffix(".log")

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.process.poll() is None

    @property
    def running(self) -> NodeProcess:
        """Its process."""
        assert self.process is not None, f"node {self.number} was never started"
        return self.process

    def rpc(self, method: str, *params: object) -> Any:
        """One JSON-RPC call on a connection of its own. Raises RpcError, or OSError if nobody answers."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        status, text = self._request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(text)
        if "error" in answer:
            raise RpcError(answer["error"])
        assert status == 200, text
        return answer["result"]

    def height(self) -> int:
        """The height of its head."""
        return int(self.rpc("eth_blockNumber"), 16)

    def block(self, tag: int | str) -> dict[str, Any]:
        """A block that must be there."""
        found = self.rpc("eth_getBlockByNumber", hex(tag) if isinstance(tag, int) else tag, False)
        assert found is not None, f"node {self.number} has no block {tag}"
        block: dict[str, Any] = found
        return block

    def page(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages, as `/readyz`."""
        return self._request("GET", path, None, {})

    def kill(self) -> None:
        """SIGKILL: no handler runs."""
        self.running.kill()

    def pause(self) -> None:
        """SIGSTOP: it does nothing, and its connections stay."""
        self.running.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.running.process.send_signal(signal.SIGCONT)

    def _request(self, verb: str, path: str, body: str | None, headers: Mapping[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.place.host, self.port, timeout=RPC_SECONDS_MAX)
        try:
            connection.request(verb, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


class Network:
    """The members, the genesis they share, and what may be done to them together."""

    def __init__(self, root: Path, genesis: bytes, validators: int, spare: int = 0) -> None:
        """Founders come first; `spare` members have keys of their own and no stake."""
        self.root = root
        self.genesis = genesis
        root.mkdir(parents=True, exist_ok=True)
        self.genesis_file = root / "genesis.json"
        self.genesis_file.write_bytes(genesis)
        ports = free_ports(2 * (validators + spare))
        self.members = [
            Member(
                number,
                consensus_key(number),
                network_key(number),
                root / f"node{number}",
                next(ports),
                next(ports),
            )
            for number in range(validators + spare)
        ]

    def __getitem__(self, number: int) -> Member:
        """A member by its number."""
        return self.members[number]

    def initialise(self, members: Iterable[Member]) -> None:
        """Make data folders with `coc init`, and put keys into them."""
        command = [str(coc_command()), "init", "--genesis", str(self.genesis_file), "--data"]
        started = [
            (each, subprocess.Popen([*command, str(each.folder)], stdout=subprocess.DEVNULL))
            for each in members
        ]
        for member, process in started:
            assert process.wait(STATE_SECONDS_MAX) == 0, f"coc init failed for node {member.number}"
            keep_keys(member)

    def launch(self, *members: Member, options: Sequence[str] = ()) -> None:
        """Start members (all, where none is named) and do not wait for them."""
        for member in members or self.members:
            log_level = ("--log-level", "info")
            command = [*member.place.prefix, *self._command(member), *log_level, *options]
            member.process = launch("coc", command, member.port, member.log)

    def start(self, *members: Member, options: Sequence[str] = ()) -> None:
        """Start members (all, where none is named) and wait until they answer."""
        self.launch(*members, options=options)
        for member in members or self.members:
            self.until_answering(member)

    def until_answering(self, member: Member) -> None:
        """Wait for a member's first answer."""

        def is_answering() -> bool:
            if not member.is_up:
                code = member.running.process.returncode
                raise NodeFailed(f"node {member.number} ended with code {code}:\n{member.running.log_tail()}")
            return bool(member.rpc("eth_chainId"))

        self.until(is_answering, f"node {member.number} answers")

    def stop(self, *members: Member) -> None:
        """Ask members (all that run, where none is named) to end; each must end in order."""
        running = [each for each in members or self.members if each.is_up]
        for member in running:
            member.running.process.send_signal(signal.SIGTERM)
        for member in running:
            code = member.running.process.wait(STATE_SECONDS_MAX)
            assert code == 0, f"node {member.number} ended with code {code}:\n{member.running.log_tail()}"

    def kill_all(self) -> None:
        """SIGKILL to all that run, at once."""
        running = [each for each in self.members if each.is_up]
        for member in running:
            member.running.process.send_signal(signal.SIGKILL)
        for member in running:
            member.running.process.wait()

    def until(self, condition: Callable[[], T | None], what: str) -> T:
        """Ask again until the answer is something; what a dying node raises is no answer."""
        deadline = time.monotonic() + STATE_SECONDS_MAX
        pause = threading.Event()
        while True:
            try:
                found = condition()
            except GONE as error:
                found, problem = None, repr(error)
            else:
                problem = ""
            if found:
                return found
            if time.monotonic() > deadline:
                raise NodeFailed(f"never came: {what} {problem}\n{self.report()}")
            pause.wait(POLL_SECONDS)

    def until_height(self, height: int, *members: Member) -> None:
        """Wait until members (all that run, where none is named) have decided a height."""
        for member in members or [each for each in self.members if each.is_up]:
            self.until(
                lambda member=member: member.height() >= height,  # type: ignore[misc]  # bound at once
                f"height {height} on node {member.number}",
            )

    def report(self) -> str:
        """Where everybody stands, and what each wrote last."""
        return "\n".join(f"── node {each.number}: {_standing(each)}" for each in self.members)

    def _command(self, member: Member) -> list[str]:
        peers = [part for other in self.members if other is not member for part in ("--peer", other.wire)]
        is_local = member.place.host.startswith("127.")
        return [
            *(str(coc_command()), "node", "--data", str(member.folder), "--json"),
            *("--host", member.place.host, "--port", str(member.port), "--listen", member.wire, *peers),
            *(("--unlock", str(DEV_ACCOUNTS)) if is_local else ()),
        ]


@contextmanager
def network(
    root: Path,
    validators: int,
    *,
    spare: int = 0,
    registry: RegistryParameters | None = None,
    bft: BftParameters | None = None,
    strangers: int = 0,
) -> Iterator[Network]:
    """A network with its folders made and nothing started; whatever runs in the end is killed."""
    made = Network(
        root,
        genesis_of(validators, registry or RegistryParameters(), bft or BftParameters(), strangers),
        validators,
        spare,
    )
    with ended(made):
        yield made


@contextmanager
def taking_turns(
    root: Path, validators: int, final_depth_blocks: int, *, spare: int = 0
) -> Iterator[Network]:
    """The same with validators that take turns."""
    balances = {address_of(secret): FUNDED_WEI for secret in dev_secrets(DEV_MNEMONIC, DEV_ACCOUNTS)}
    chosen = RotationGenesis(
        [entry(number, 1) for number in range(validators)],
        balances,
        timestamp=int(time.time()),
        final_depth_blocks=final_depth_blocks,
    )
    made = Network(root, rotation_genesis(chosen), validators, spare)
    with ended(made):
        yield made


@contextmanager
def ended(made: Network) -> Iterator[None]:
    """Make the folders; whatever runs in the end is killed."""
    try:
        made.initialise(made.members)
        yield
    finally:
        for member in made.members:
            if member.is_up:
                member.resume()
        made.kill_all()


def genesis_of(
    validators: int, registry: RegistryParameters, bft: BftParameters, strangers: int = 0
) -> bytes:
    """Founders of equal stake, the well-known accounts and strangers funded, and now as its time."""
    secrets = dev_secrets(DEV_MNEMONIC, DEV_ACCOUNTS)
    balances = {address_of(secret): FUNDED_WEI for secret in secrets}
    balances |= {
        Address(keccak256(b"stranger %d" % number)[:20]): STRANGER_WEI for number in range(strangers)
    }
    founders = [founder(number, address_of(secrets[number]), registry) for number in range(validators)]
    chosen = NetworkGenesis(founders, registry, balances, timestamp=int(time.time()), bft=bft)
    return network_genesis(chosen, run_constructor)


def founder(number: int, operator: Address, registry: RegistryParameters) -> Founder:
    """A validator of genesis; its fees go to nobody's account, so that they can be counted."""
    power = STAKE_WEI // registry.power_unit_wei
    return Founder(entry(number, power), operator, STAKE_WEI)


def entry(number: int, power: int) -> Validator:
    """The keys of a member as a validator set lists them."""
    consensus = consensus_key(number)
    recipient = Address(bytes(18) + b"\xfe" + bytes([number]))
    return Validator(
        address_of(consensus), public_key_of(network_key(number)), public_key_of(consensus), power, recipient
    )


def consensus_key(number: int) -> Secret:
    """The consensus key of a member."""
    return secret_of(keccak256(b"consensus key of a test" + bytes([number])))


def network_key(number: int) -> Secret:
    """The identity of a member among its peers."""
    return secret_of(keccak256(b"network key of a test" + bytes([number])))


def keep_keys(member: Member) -> None:
    """Write a member's keys where its node looks for them."""
    keys = member.folder / KEYS_FOLDER
    keys.mkdir(exist_ok=True)
    for name, secret in ((CONSENSUS_KEY, member.consensus), (NETWORK_KEY, member.network)):
        (keys / name).write_text(f"{secret.hex()}\n")


def wipe(member: Member) -> None:
    """Remove all that a node knows but its keys."""
    for path in member.folder.iterdir():
        if path.name == KEYS_FOLDER:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def free_ports(count: int) -> Iterator[int]:
    """Ports that nobody listens on now."""
    worker = int(os.environ.get(WORKER_VARIABLE, "gw0").removeprefix("gw")) % WORKERS_MAX
    first = PORT_FIRST + worker * PORTS_A_WORKER
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(first, first + PORTS_A_WORKER)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return iter(found)


def same_block(members: Iterable[Member], height: int) -> str:
    """The hash of a height, which must be one on all members."""
    hashes: Mapping[int, str] = {each.number: each.block(height)["hash"] for each in members}
    assert len(set(hashes.values())) == 1, f"height {height}: {hashes}"
    return next(iter(hashes.values()))


def assert_nobody_is_accused(members: Iterable[Member]) -> None:
    """No node took another, or itself, for a liar or broken."""
    lines = [
        f"node {member.number}: {line.decode(errors='replace')}"
        for member in members
        for line in member.log.read_bytes().splitlines()
        if any(word in line for word in ACCUSATIONS)
    ]
    assert not lines, "\n".join(lines)


def check_database(member: Member) -> None:
    """`coc db check` finds nothing in a stopped member's folder."""
    done = subprocess.run(
        [str(coc_command()), "db", "check", "--data", str(member.folder)],
        capture_output=True, text=True, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"node {member.number}: {done.stdout}{done.stderr}"


def _standing(member: Member) -> str:
    if member.process is None:
        return "never started"
    try:
        where = f"{member.height()}, {member.rpc('bft_status')}" if member.is_up else "down"
    except GONE as error:
        where = repr(error)
    return f"{where}\n{member.running.log_tail()}"

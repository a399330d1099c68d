"""A whole node: chain, engine, pool, journal, HTTP, composed and served until it is told to stop.

A node with sealing choices makes the blocks of its chain; one without serves what its folder holds, takes
transactions into its pool, and makes none. Started in this order: port looked at, folder opened, journal
read, listening, sealing. Stopped: no more connections and blocks, what is under way is answered, flushed.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from coc import _native
from coc.adapters import chain_port
from coc.adapters.admin_socket import AdminSocket
from coc.adapters.block_work import Proposer
from coc.adapters.dev_accounts import DevAccounts
from coc.adapters.http.containment import contain_everything
from coc.adapters.http.policy import AccessRules
from coc.adapters.http.server import HttpPorts, HttpServer
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.log_lines import LOGGER
from coc.adapters.node_status import NodeStatus
from coc.adapters.runtime import Runtime, RuntimePorts
from coc.adapters.telemetry import Readings, Telemetry
from coc.adapters.workers import Workers
from coc.consensus.rotation.engine import RotationEngine, Schedule, Sealing
from coc.consensus.rotation.idle import IdleEngine
from coc.consensus.rotation.slots import RotationRules
from coc.execution.genesis import CocRules, Genesis
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.pool import Mempool
from coc.execution.mempool.view import PoolView
from coc.node.node import Engine, Node
from coc.primitives.errors import AdapterError
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, address_of
from coc.primitives.types import Hash32
from coc.rpc.dispatch import Dispatcher
from coc.rpc.faults import Defect, Translator
from coc.rpc.filters import FilterBook
from coc.rpc.methods import Context, Method, Services, Settings
from coc.rpc.ports import ChainFaults, NoPeers, Peers, Sealer, SubmitMany
from coc.rpc.table import ADMINISTRATION, DEVELOPMENT, PUBLIC

if TYPE_CHECKING:
    from coc.adapters.validator.service import NetworkChoices

FILTER_ID_BITS: Final = 128
RPC_THREADS: Final = 4
"""Calls that run at a time off the loop: more would share the same few cores."""
STOP_SECONDS_MAX: Final = 5.0
"""How long a stop waits for clients to take the answers that are under way."""
STOP_LOOK_SECONDS: Final = 0.01
"""Between two looks at whether they have."""


class ListenFailed(AdapterError):
    """The address cannot be listened on."""

    id: ClassVar[str] = "COC-LISTEN"


@frozen
class SealingChoices:
    """How a node makes blocks; with an `interval_ms` below a second block time runs ahead of the clock."""

    secret: Secret
    rules: CocRules
    sealing: Sealing
    interval_ms: int


@frozen
class HttpChoices:
    """Where a node listens and to whom it answers."""

    host: str
    port: int
    access: AccessRules = field(default_factory=AccessRules)


@frozen
class NodeChoices:
    """How a node is run; `sealing` is None where it makes no blocks alone. Accounts are unlocked for all."""

    genesis: Genesis
    folder: Path | None
    http: HttpChoices
    sealing: SealingChoices | None = None
    network: NetworkChoices | None = None
    """How a node of a chain with several validators meets its peers; None on other chains."""
    accounts: Sequence[Secret] = ()
    chain_options: dict[str, int] = field(default_factory=dict)


class NodeService(Protocol):
    """What serves a chain: the rotation engine's node, or a node of a BFT network."""

    @property
    def view(self) -> PoolView:
        """What waits."""
        ...

    @property
    def runtime(self) -> Sealer:
        """Who may be asked for a block."""
        ...

    @property
    def status(self) -> NodeStatus:
        """Facts for RPC."""
        ...

    @property
    def peers(self) -> Peers:
        """Who is connected, for the operator."""
        ...

    @property
    def submit_many(self) -> SubmitMany:
        """Where raw transactions of clients are admitted."""
        ...

    async def start(self) -> None:
        """Begin; requests are not answered yet."""
        ...

    async def finish(self) -> None:
        """Make nothing more, and let what is under way end."""
        ...

    def close(self) -> None:
        """Let files and threads go; after `finish`."""
        ...


class RotationService:
    """A node that makes the blocks of its chain alone, or only serves what its folder holds."""

    def __init__(self, choices: NodeChoices, chain: _native.Chain, telemetry: Telemetry) -> None:
        """Compose it on an open chain."""
        workers = Workers(asyncio.get_running_loop())
        journal = JournalKeeper(choices.folder, chain, workers, telemetry)
        node = _node(choices, chain)
        self.runtime = Runtime(node, RuntimePorts(chain, workers, _proposer(choices), journal, telemetry))
        self.submit_many = self.runtime.submit_many
        self.view = node.pool.view
        sealing = choices.sealing
        self.status = NodeStatus(None if sealing is None else address_of(sealing.secret))
        self.peers = NoPeers()

    async def start(self) -> None:
        """Read the journal back and begin."""
        self.runtime.start()

    async def finish(self) -> None:
        """Make no more blocks."""
        await self.runtime.finish()

    def close(self) -> None:
        """Let journal and threads go."""
        self.runtime.close()


async def serve(
    choices: NodeChoices,
    telemetry: Telemetry,
    ready: Callable[[_native.Chain, int], None],
    stop: asyncio.Event,
) -> bool:
    """Run a node until `stop` is set; `ready` is told the chain and the port once requests are answered.

    True where it has ended to be started again: another chain takes the place of the folder's (DIVERGE-10).

    Raises:
        ListenFailed: the address cannot be bound.
        FolderUnfit, ChainFailed, JournalError: the data folder cannot be used.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(telemetry.defect)
    _refuse_taken_port(choices.http)
    renewal = asyncio.Event()
    with chain_port.closing(
        chain_port.open_chain(choices.genesis.text, choices.folder, choices.chain_options)
    ) as chain:
        telemetry.stands_on(chain.head)
        service = _service(choices, (chain, telemetry), renewal)
        executor = ThreadPoolExecutor(RPC_THREADS, thread_name_prefix="rpc")
        services = _services(choices, chain, service)
        server = HttpServer(loop, _http_ports(choices, services, service, telemetry, executor))
        door = _operators_door(choices, services)
        view = service.view
        telemetry.goal = lambda: _goal(service.status)
        telemetry.watch(
            Readings(view.counts, view.bytes_total, lambda: server.connections, lambda: server.requests)
        )
        try:
            with chain_port.explained():
                await service.start()
            if door is not None:
                await door.start(loop)
            port = await _listen(server, choices.http)
            ready(chain, port)
            await _either(stop, renewal)
        finally:
            if door is not None:
                door.close()
            server.stop()
            await service.finish()
            await _until_answered(server)
            server.abort()
            service.close()
            executor.shutdown(wait=True, cancel_futures=True)
    return renewal.is_set() and not stop.is_set()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()


def _service(
    choices: NodeChoices, parts: tuple[_native.Chain, Telemetry], renewal: asyncio.Event
) -> NodeService:
    chain, telemetry = parts
    if choices.network is None:
        return RotationService(choices, chain, telemetry)
    rules = choices.genesis.coc
    if rules is not None and rules.engine == "rotation":
        from coc.adapters.validator.rotation_service import RotationNetworkService

        with chain_port.explained():
            return RotationNetworkService(choices.genesis, rules, choices.folder, choices.network, parts)
    from coc.adapters.validator.service import ValidatorService

    with chain_port.explained():
        # Who keeps all states would lose them with its chain: that is for a person to decide.
        is_archive = choices.chain_options.get("states_kept") == 0
        start_again = None if is_archive else renewal.set
        return ValidatorService(choices.genesis, choices.folder, choices.network, parts, start_again)


def _goal(status: NodeStatus) -> int | None:
    """The newest block of the peers, for a node that catches up."""
    progress = status.syncing()
    return None if progress is None else progress.highest


async def _until_answered(server: HttpServer) -> None:
    """Wait until clients have their answers, but not for ever."""
    loop = asyncio.get_running_loop()
    end = loop.time() + STOP_SECONDS_MAX
    while server.connections and loop.time() < end:  # noqa: ASYNC110 - it counts, and calls nobody
        await asyncio.sleep(STOP_LOOK_SECONDS)


async def _listen(server: HttpServer, http: HttpChoices) -> int:
    try:
        return await server.listen(http.host, http.port)
    except OSError as error:
        raise _not_listening(http, error) from error


def _refuse_taken_port(http: HttpChoices) -> None:
    """Look before a data folder is made or locked: a start that fails should leave nothing behind."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            http.host, http.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise _not_listening(http, error) from error


def _not_listening(http: HttpChoices, error: OSError) -> ListenFailed:
    cure = "choose an address of this machine with --host, and a free port with --port"
    if error.errno == errno.EADDRINUSE:
        cure = f"stop the program that uses it, or choose another port: `--port {http.port + 1}`"
    return ListenFailed(
        f"{http.host}:{http.port} cannot be listened on", why=error.strerror or str(error), cure=cure
    )


def _proposer(choices: NodeChoices) -> Proposer | None:
    sealing = choices.sealing
    if sealing is None:
        return None
    own = address_of(sealing.secret)
    recipient = next(each.fee_recipient for each in sealing.rules.validators.validators if each.id == own)
    return Proposer(sealing.secret, recipient, sealing.rules.gas_limit_target)


def _node(choices: NodeChoices, chain: _native.Chain) -> Node:
    pool = Mempool(chain_port.pool_head(chain), PoolLimits(), has_journal=choices.folder is not None)
    sealing = choices.sealing
    if sealing is None:
        return Node(IdleEngine(), pool, Sealing.MANUAL)
    rules = RotationRules(
        Hash32(chain.genesis_hash),
        choices.genesis.timestamp,
        sealing.rules.block_interval_s,
        sealing.rules.validators,
    )
    schedule = Schedule(sealing.sealing, sealing.interval_ms)
    engine: Engine = RotationEngine(rules, schedule, chain_port.engine_head(chain))
    return Node(engine, pool, sealing.sealing)


def _services(choices: NodeChoices, chain: _native.Chain, service: NodeService) -> Services:
    return Services(
        chain=chain,
        pool=service.view,
        accounts=DevAccounts(choices.accounts),
        sealer=service.runtime,
        status=service.status,
        keccak256=keccak256,
        peers=service.peers,
    )


def _operators_door(choices: NodeChoices, services: Services) -> AdminSocket | None:
    """Where a node with peers and a folder is administered."""
    if choices.network is None or choices.folder is None:
        return None
    loop = asyncio.get_running_loop()
    dispatcher = _dispatcher(ADMINISTRATION, services)
    return AdminSocket(choices.folder, dispatcher, lambda: int(loop.time() * 1000))


def _dispatcher(table: dict[str, Method], services: Services) -> Dispatcher:
    faults = ChainFaults(
        _native.TransactionInvalid,
        _native.CallFailed,
        _native.UnknownBlock,
        _native.LimitExceeded,
        _native.Pruned,
        _native.StorageFailed,
    )
    context = Context(services, FilterBook(lambda: secrets.randbits(FILTER_ID_BITS)), Settings())
    return Dispatcher(table, context, contain_everything(Translator(faults, _report)))


def _http_ports(
    choices: NodeChoices,
    services: Services,
    service: NodeService,
    telemetry: Telemetry,
    executor: ThreadPoolExecutor,
) -> HttpPorts:
    dispatcher = _dispatcher(DEVELOPMENT if choices.accounts else PUBLIC, services)
    pages = {
        b"/metrics": telemetry.metrics.page,
        b"/livez": telemetry.live_page,
        b"/readyz": telemetry.ready_page,
    }
    front = (service.status.client_version, services.chain.chain_id)
    return HttpPorts(dispatcher, service.submit_many, executor, choices.http.access, front, pages)


def _report(defect: Defect) -> None:
    fields = {"id": defect.error_id}
    LOGGER.error("a defect in an RPC method", exc_info=defect.error, extra={"fields": fields})

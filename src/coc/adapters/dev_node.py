"""A whole development node: chain, engine, pool, HTTP, composed and served until it is told to stop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coc import _native
from coc.adapters import chain_port
from coc.adapters.dev_accounts import DevAccounts
from coc.adapters.http.containment import contain_everything
from coc.adapters.http.policy import AccessRules
from coc.adapters.http.server import HttpPorts, HttpServer
from coc.adapters.journal import Journal
from coc.adapters.runtime import Proposer, Runtime
from coc.adapters.telemetry import LOGGER, Telemetry
from coc.consensus.rotation.engine import RotationEngine, Schedule, Sealing
from coc.consensus.rotation.slots import RotationRules
from coc.execution.genesis import CocRules, Genesis
from coc.execution.mempool.admission import PoolLimits
from coc.execution.mempool.pool import Mempool
from coc.node.node import Node
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, address_of
from coc.primitives.types import Hash32
from coc.rpc.dispatch import Dispatcher
from coc.rpc.faults import Defect, Translator
from coc.rpc.filters import FilterBook
from coc.rpc.methods import Context, Services, Settings
from coc.rpc.ports import ChainFaults, SyncProgress
from coc.rpc.table import DEVELOPMENT, PUBLIC

FILTER_ID_BITS = 128


@dataclass(frozen=True, slots=True)
class NodeChoices:
    """How a node is run. `interval_ms` may be below a second: block time then runs ahead of the clock."""

    genesis: Genesis
    rules: CocRules
    folder: Path | None
    validator_secret: Secret
    account_secrets: Sequence[Secret]
    sealing: Sealing
    interval_ms: int
    host: str
    port: int
    is_development: bool
    access: AccessRules = field(default_factory=AccessRules)
    chain_options: dict[str, int] = field(default_factory=dict)


class NodeStatus:
    """Facts of the running node, for RPC."""

    def __init__(self, coinbase: bytes) -> None:
        """A node without peers, in step with itself."""
        self._coinbase = coinbase
        self.client_version = client_version()
        self.listening = True

    def peer_count(self) -> int:
        """How many peers are connected."""
        return 0

    def syncing(self) -> SyncProgress | None:
        """None: there is nobody to catch up with."""
        return None

    def coinbase(self) -> bytes | None:
        """Who gets the tips."""
        return self._coinbase


def client_version() -> str:
    """The name that `web3_clientVersion` answers."""
    return f"coc/v{_native.version()}/python"


def _report(defect: Defect) -> None:
    LOGGER.error("a defect in an RPC method", exc_info=defect.error, extra={"fields": {"id": defect.error_id}})


async def serve(
    choices: NodeChoices,
    telemetry: Telemetry,
    ready: Callable[[_native.Chain, int], None],
    stop: asyncio.Event,
) -> None:
    """Run a node until `stop` is set; `ready` is told the chain and the port once requests are answered.

    Raises:
        OSError: the address cannot be bound.
        GenesisInvalid, StorageFailed: of the native module.
    """
    chain = chain_port.open_chain(choices.genesis.text, choices.folder, choices.chain_options)
    node = _node(choices, chain)
    journal = None if choices.folder is None else Journal(choices.folder)
    fee_recipient = choices.rules.validators.validators[0].fee_recipient
    proposer = Proposer(choices.validator_secret, fee_recipient, choices.rules.gas_limit_target)
    runtime = Runtime(chain, node, proposer, journal, telemetry)
    telemetry.watch_pool(node.pool.view)
    server = HttpServer(asyncio.get_running_loop(), _http_ports(choices, chain, node, runtime, telemetry))
    telemetry.watch_gauge("coc_rpc_connections", "Clients connected.", lambda: server.connections)
    telemetry.watch_gauge("coc_rpc_requests", "HTTP requests since the start.", lambda: server.requests)
    try:
        port = await server.listen(choices.host, choices.port)
        runtime.start()
        ready(chain, port)
        await stop.wait()
    finally:
        server.stop()
        await runtime.stop()
        server.abort()


def _node(choices: NodeChoices, chain: _native.Chain) -> Node:
    rotation = RotationRules(
        Hash32(chain.genesis_hash),
        choices.genesis.timestamp,
        choices.rules.block_interval_s,
        choices.rules.validators,
    )
    schedule = Schedule(choices.sealing, choices.interval_ms)
    engine = RotationEngine(rotation, schedule, chain_port.engine_head(chain))
    pool = Mempool(chain_port.pool_head(chain), PoolLimits(), has_journal=choices.folder is not None)
    return Node(engine, pool, choices.sealing)


def _http_ports(
    choices: NodeChoices, chain: _native.Chain, node: Node, runtime: Runtime, telemetry: Telemetry
) -> HttpPorts:
    status = NodeStatus(address_of(choices.validator_secret))
    services = Services(
        chain=chain,
        pool=node.pool.view,
        accounts=DevAccounts(choices.account_secrets),
        sealer=runtime,
        status=status,
        keccak256=keccak256,
    )
    faults = ChainFaults(
        _native.TransactionInvalid,
        _native.CallFailed,
        _native.UnknownBlock,
        _native.LimitExceeded,
        _native.Pruned,
        _native.StorageFailed,
    )
    context = Context(services, FilterBook(lambda: secrets.randbits(FILTER_ID_BITS)), Settings())
    table = DEVELOPMENT if choices.is_development else PUBLIC
    dispatcher = Dispatcher(table, context, contain_everything(Translator(faults, _report)))
    pages = {
        b"/metrics": telemetry.metrics_page,
        b"/livez": telemetry.live_page,
        b"/readyz": telemetry.ready_page,
    }
    front = (status.client_version, chain.chain_id)
    return HttpPorts(dispatcher, runtime.submit_many, runtime.executor, choices.access, front, pages)

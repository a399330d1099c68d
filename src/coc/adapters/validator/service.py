"""A node of a BFT network, composed: chain, write-ahead log, signer, machine, threads, peers.

Restart order: the chain is open and stands on its log; then the write-ahead log and the signer's mark are
read; then the machine is built on all three; peers come last, so nobody hears of a node before it knows what
it has said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from coc._native import Chain
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.node_keys import KEYS_FOLDER
from coc.adapters.node_status import NodeStatus
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.divergence_desk import DivergenceDesk
from coc.adapters.validator.door import door_to, rules_of
from coc.adapters.validator.mark_file import marked_signer
from coc.adapters.validator.node_table import table_config
from coc.adapters.validator.peer_errands import Introduction
from coc.adapters.validator.peer_runtime import PeerPorts
from coc.adapters.validator.runtime import ValidatorRuntime
from coc.adapters.validator.signer_socket import RemoteSigner
from coc.adapters.validator.snapshot_serving import Pieces, ServingPorts, SnapshotServing
from coc.adapters.validator.snapshot_taking_in import Renewal
from coc.adapters.validator.write_ahead import WAL_FOLDER, WriteAheadLog
from coc.adapters.wire.administration import Administration
from coc.adapters.wire.listening import bound, place_of
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.adapters.workers import Workers
from coc.consensus.bft.vote_count import VoteCount
from coc.execution.genesis import Genesis
from coc.execution.mempool.view import PoolView
from coc.node.validator.build import NodeConfig, Remembered, build_node
from coc.node.validator.machine import ValidatorNode
from coc.node.validator.ports import SignerPort
from coc.node.validator.wal_codec import WalContent
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.seals import SignRequest
from coc.primitives.secp256k1 import Secret, recover_address
from coc.primitives.types import Hash32, Millis
from coc.primitives.validators import address_of_key
from coc.rpc.ports import Agreeing, SubmitMany
from coc.wire.dht.endpoints import Role
from coc.wire.identity import ChainFacts, Roles
from coc.wire.peer_book.rules import PersistentPeer

_FORKS_DOMAIN = b"COC/forks/1\0"


class Signer(SignerPort, Protocol):
    """Who holds the consensus key, and how far it has signed."""

    @property
    def public_key(self) -> bytes:
        """Of the consensus key, 64 bytes."""
        ...

    @property
    def mark(self) -> SignRequest | None:
        """The last request signed."""
        ...


@frozen
class NetworkChoices:
    """How a node meets its peers, and whose votes it casts; `consensus` is None for one that follows."""

    host: str
    port: int
    identity: Secret
    peers: tuple[PersistentPeer, ...] = ()
    consensus: Secret | None = None
    signer: Path | None = None
    """The socket of a signer that holds the consensus key instead."""
    http: tuple[str, int] | None = None
    """Where to serve peers over HTTP, if at all."""
    http_proxy: tuple[str, int] | None = None
    """A forward proxy through which peers over HTTP are dialled."""
    advertised: tuple[str, int] | None = None
    """IP and port where peers reach the node, if that is not where it listens."""


class ValidatorService:
    """A running node of a BFT network."""

    def __init__(
        self,
        genesis: Genesis,
        folder: Path | None,
        choices: NetworkChoices,
        parts: tuple[Chain, Telemetry],
        start_again: Callable[[], None] | None = None,
    ) -> None:
        """Compose it on an open chain; nothing is said before `start`.

        `start_again` is called once a certified state is there to start on; without it none is taken in.

        Raises:
            StorageFailed: write-ahead log or signer's mark cannot be used.
            GenesisContradictsItself: the registry's alloc holds other validators than genesis lists.
            WireListenFailed: the address for peers is in use or not ours.
        """
        chain, telemetry = parts
        introduction = Introduction(genesis.text, Hash32(chain.genesis_hash), choices.identity)
        bft = rules_of(genesis, introduction.genesis_hash)
        loop = asyncio.get_running_loop()
        door = door_to(chain, genesis)
        signer = _signer(folder, choices)
        own = None if signer is None else address_of_key(signer.public_key)
        wal = (
            None
            if signer is None or folder is None
            else WriteAheadLog(folder / WAL_FOLDER, chain.genesis_hash)
        )
        now = Millis(time.time_ns() // 1_000_000)
        listening = bound(choices.host, choices.port)
        role = Role.FULL if own is None else Role.FULL | Role.VALIDATOR
        place = choices.advertised or place_of(listening)
        table = table_config(introduction, place, role, choices.peers, now)
        config = NodeConfig(bft, own, recover_address, has_journal=folder is not None, table=table)
        node = build_node(config, door, _remembered(chain, wal, signer), now)
        service = Workers(loop)
        journal = JournalKeeper(folder, chain, service, telemetry)
        ports = PeerPorts(
            chain,
            consensus_workers=Workers(loop),
            deciders=Workers(loop, threads=1),
            keepers=Workers(loop, threads=1),
            service_workers=service,
            journal=journal,
            telemetry=telemetry,
            signer=signer,
            wal=wal,
            introduction=introduction,
            interval_ms=bft.interval_ms,
        )
        self.node: ValidatorNode = node
        self._own, self._signer = own, signer
        self.runtime = ValidatorRuntime(node, door, ports)
        self.submit_many: SubmitMany = self.runtime.submit_many
        self.view: PoolView = node.pool.view
        setup = NetworkSetup(
            choices.identity,
            chain_facts(introduction.genesis_hash),
            listening,
            choices.peers,
            folder,
            roles=Roles.FULL if own is None else Roles.FULL | Roles.VALIDATOR,
            http=choices.http,
            http_proxy=choices.http_proxy,
            advertised_port=place[1],
        )
        self._serving = Workers(loop, threads=1)
        serving = ServingPorts(Pieces(chain, genesis, folder), self._serving, telemetry, lambda: self.network)
        renewal = None if start_again is None else Renewal(genesis, start_again)
        self._divergence = DivergenceDesk(
            self.runtime, (chain, telemetry), lambda: self.network, folder, renewal
        )
        self._divergence.watch(door)
        self.network = Network(loop, setup, SnapshotServing(self._divergence, serving))
        self.peers = Administration(self.network, place, choices.http, introduction.genesis_hash)
        self.peers.report = self._divergence.facts
        self.status = NodeStatus(own, self._peers, self._agreeing)
        self.runtime.metrics.show(telemetry.metrics, self._agreeing, self._votes, self._peers)

    def _agreeing(self) -> Agreeing:
        engine, own = self.node.engine, self._own
        status = engine.status
        return Agreeing(
            status.height,
            status.round,
            status.phase.name.lower(),
            own,
            engine.is_watching,
            len(engine.pending_evidence),
            self.node.goal,
            engine.has_diverged,
        )

    def _votes(self) -> VoteCount:
        return self.node.engine.vote_count

    def _peers(self) -> int:
        return len(self.network.peers())

    async def start(self) -> None:
        """Listen, dial, and begin."""
        await self.network.start()
        self.runtime.start(self.network)

    async def finish(self) -> None:
        """Say goodbye, and let what is under way end."""
        await self.network.close()
        await self.runtime.finish()
        await self._divergence.finish()
        await self._serving.drain()

    def close(self) -> None:
        """Let journal, threads and signer go."""
        self.runtime.close()
        self._serving.close()
        if isinstance(self._signer, RemoteSigner):
            self._signer.close()


def chain_facts(genesis_hash: Hash32) -> ChainFacts:
    """What two nodes of one chain must agree on before they talk."""
    return ChainFacts(genesis_hash, fork_id(genesis_hash))


def fork_id(genesis_hash: Hash32) -> Hash32:
    """Stands for the rules in force and to come: those of genesis, as long as no release adds any."""
    return keccak256(_FORKS_DOMAIN + genesis_hash)


def _signer(folder: Path | None, choices: NetworkChoices) -> Signer | None:
    """Who signs for a validator; None for a node that follows."""
    if choices.signer is not None:
        return RemoteSigner(choices.signer)
    if choices.consensus is None or folder is None:
        return None
    # Beside the key: whoever wipes a chain and keeps the key keeps what was signed with it.
    return marked_signer(folder / KEYS_FOLDER, choices.consensus)


def _remembered(chain: Chain, wal: WriteAheadLog | None, signer: Signer | None) -> Remembered:
    if wal is None or signer is None:
        return Remembered(WalContent(), None, log_was_lost=False)
    return Remembered.of(wal.content, signer.mark, chain.head.number)

"""A node of a rotation chain with several validators, composed: chain, tags, write-ahead log, signer, peers.

Restart order: the chain is open and stands on its log; then its tags say what is final, and write-ahead log
and signer's mark what was signed; then the machine is built on all of them; peers come last, so nobody hears
of a node before it knows what it has said.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from coc import _native
from coc._native import Chain, Mark
from coc.adapters.journal_keeper import JournalKeeper
from coc.adapters.node_keys import KEYS_FOLDER
from coc.adapters.node_status import NodeStatus
from coc.adapters.telemetry import Telemetry
from coc.adapters.validator.mark_file import marked_signer
from coc.adapters.validator.node_table import table_config
from coc.adapters.validator.peer_errands import Introduction
from coc.adapters.validator.peer_runtime import PeerPorts
from coc.adapters.validator.rotation_runtime import RotationRuntime
from coc.adapters.validator.service import NetworkChoices, Signer, chain_facts
from coc.adapters.validator.signer_socket import RemoteSigner
from coc.adapters.validator.tag_file import open_tags, tags_in
from coc.adapters.validator.write_ahead import WAL_FOLDER, WriteAheadLog
from coc.adapters.wire.administration import Administration
from coc.adapters.wire.listening import bound, place_of
from coc.adapters.wire.network import Network
from coc.adapters.wire.network_setup import NetworkSetup
from coc.adapters.workers import Workers
from coc.execution.genesis import CocRules, Genesis
from coc.execution.mempool.view import PoolView
from coc.node.rotation.build import NodeConfig, build_node, network_rules
from coc.node.rotation.chain_door import DoorRules, RotationDoor
from coc.node.rotation.machine import RotationNode
from coc.node.validator.build import Remembered
from coc.node.validator.ports import Faults
from coc.node.validator.signing_order import SigningOrder
from coc.node.validator.wal_codec import WalContent
from coc.primitives.secp256k1 import recover_address
from coc.primitives.types import Address, Hash32, Millis
from coc.primitives.validators import address_of_key
from coc.rpc.ports import SubmitMany
from coc.wire.dht.endpoints import Role
from coc.wire.identity import Roles


class RotationNetworkService:
    """A running node of a rotation chain with several validators."""

    def __init__(
        self,
        genesis: Genesis,
        rules: CocRules,
        folder: Path | None,
        choices: NetworkChoices,
        parts: tuple[Chain, Telemetry],
    ) -> None:
        """Compose it on an open chain; nothing is said before `start`.

        Raises:
            StorageFailed: tags, write-ahead log or signer's mark cannot be used.
            TagsInvalid: the chain lacks a block that was final.
            SignerUnreachable: a signer process is to sign, and does not answer.
            SigningRefused: it signs for chains of another engine.
            WireListenFailed: the address for peers is in use or not ours.
        """
        chain, telemetry = parts
        loop = asyncio.get_running_loop()
        introduction = Introduction(genesis.text, Hash32(chain.genesis_hash), choices.identity)
        engine_rules = network_rules(introduction.genesis_hash, genesis.timestamp, rules)
        self._signer = signer = _signer(folder, choices)
        own = _own(rules, signer)
        wal = None if own is None or folder is None else _wal(folder, chain)
        file = None if folder is None else open_tags(folder)
        door = _door(chain, DoorRules(engine_rules.slots, rules.gas_limit_target), file)
        now = Millis(time.time_ns() // 1_000_000)
        listening = bound(choices.host, choices.port)
        place = choices.advertised or place_of(listening)
        role = Role.FULL if own is None else Role.FULL | Role.VALIDATOR
        table = table_config(introduction, place, role, choices.peers, now)
        config = NodeConfig(engine_rules, own, recover_address, has_journal=folder is not None, table=table)
        remembered = _remembered(chain, wal, signer)
        node = build_node(config, door, None if file is None else tags_in(file), remembered, now)
        service = Workers(loop)
        ports = PeerPorts(
            chain,
            consensus_workers=Workers(loop),
            deciders=Workers(loop, threads=1),
            keepers=Workers(loop, threads=1),
            service_workers=service,
            journal=JournalKeeper(folder, chain, service, telemetry),
            telemetry=telemetry,
            signer=None if own is None else signer,
            wal=wal,
            introduction=introduction,
            interval_ms=rules.block_interval_s * 1_000,
        )
        self.node: RotationNode = node
        self.runtime = RotationRuntime(node, door, ports, rules.validators)
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
        self.network = Network(loop, setup, self.runtime)
        self.peers = Administration(self.network, place, choices.http, introduction.genesis_hash)
        self.status = NodeStatus(
            own,
            lambda: len(self.network.peers()),
            heads=lambda: (node.engine.head.height, node.goal),
        )
        self.runtime.metrics.show(
            telemetry.metrics,
            lambda: node.engine.final.height,
            lambda: node.goal,
            lambda: len(self.network.peers()),
        )

    async def start(self) -> None:
        """Listen, dial, and begin."""
        await self.network.start()
        self.runtime.start(self.network)

    async def finish(self) -> None:
        """Say goodbye, and let what is under way end."""
        await self.network.close()
        await self.runtime.finish()

    def close(self) -> None:
        """Let journal, threads and signer go."""
        self.runtime.close()
        if isinstance(self._signer, RemoteSigner):
            self._signer.close()


def _door(chain: Chain, rules: DoorRules, tags: Mark | None) -> RotationDoor:
    faults = Faults(_native.BlockInvalid, _native.UnknownBlock, _native.StorageFailed)
    return RotationDoor(chain, _native.read_block, faults, rules, tags)


def _signer(folder: Path | None, choices: NetworkChoices) -> Signer | None:
    """Who signs for a validator; None for a node that follows."""
    if choices.signer is not None:
        return RemoteSigner(choices.signer, SigningOrder.SLOTS)
    if choices.consensus is None or folder is None:
        return None
    # Beside the key: whoever wipes a chain and keeps the key keeps what was signed with it.
    return marked_signer(folder / KEYS_FOLDER, choices.consensus, SigningOrder.SLOTS.judge)


def _own(rules: CocRules, signer: Signer | None) -> Address | None:
    """The validator whose key is here, if genesis lists it: nobody joins such a chain later."""
    members = {entry.id for entry in rules.validators.validators}
    own = None if signer is None else address_of_key(signer.public_key)
    return own if own in members else None


def _wal(folder: Path, chain: Chain) -> WriteAheadLog:
    return WriteAheadLog(folder / WAL_FOLDER, chain.genesis_hash)


def _remembered(chain: Chain, wal: WriteAheadLog | None, signer: Signer | None) -> Remembered:
    if wal is None or signer is None:
        return Remembered(WalContent(), None, log_was_lost=False)
    return Remembered.of(wal.content, signer.mark, chain.head.number)

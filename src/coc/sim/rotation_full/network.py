"""A simulated network whose validators take turns: genesis, keys, nodes, and what clients send."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from coc._native import Chain
from coc.consensus.rotation.rules import NetworkRules
from coc.execution.genesis import read_genesis
from coc.execution.network_genesis import FUNDED_WEI, RotationGenesis, rotation_genesis
from coc.node.rotation.build import network_rules
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import address_of, public_key_of
from coc.primitives.types import Address, Hash32, PeerId, Wei
from coc.primitives.validators import Validator
from coc.sim.full.network import CHAIN_ID, CLIENTS, Payment, client_address, signed, validator_secret
from coc.sim.full.plan import TWIN, Plan
from coc.sim.full.world import BASE_MS, World
from coc.sim.rotation_full.birth import Birth
from coc.sim.rotation_full.checkers import fresh
from coc.sim.rotation_full.liars import node_class
from coc.sim.rotation_full.node import SimRotationNode
from coc.sim.rotation_full.watching import Watch

GAS_LIMIT = 30_000_000
RECEIVERS_MAX = 2
"""Nodes that a client sends a transaction to: one at least, on which its promise then rests alone."""


@frozen
class Chainfile:
    """A genesis and what is read from it."""

    text: bytes
    rules: NetworkRules
    gas_limit_target: int


class Network:
    """All nodes of a run."""

    def __init__(self, plan: Plan, final_depth_blocks: int) -> None:
        """Nothing has started."""
        self.plan = plan
        self.world = World.of(plan)
        self.file = chain_file(plan.size, plan.interval_s, final_depth_blocks)
        self.watch = Watch(fresh())
        lies = dict(plan.liars)
        seats = list(range(plan.size)) + [seat for seat, lie in plan.liars if lie == TWIN]
        self.nodes: list[SimRotationNode] = []
        for position, seat in enumerate(seats):
            node = node_class(lies.get(seat, ""))(self._birth(position, seat), self.world, self.watch)
            node.is_honest = seat not in lies
            self.nodes.append(node)
        for node in self.nodes:
            node.meet([other for other in self.nodes if other is not node])
        self._nonces = [0] * CLIENTS

    @property
    def honest(self) -> list[SimRotationNode]:
        """The nodes that follow the protocol."""
        return [node for node in self.nodes if node.is_honest]

    def send_transfer(self) -> bytes | None:
        """A client sends a transfer to nodes drawn by lot, one after the other; its bytes."""
        dice = self.world.dice
        client = dice.randrange(CLIENTS)
        up = [node for node in self.nodes if node.is_up]
        if not up:
            return None
        payment = Payment(client_address((client + 1) % CLIENTS), Wei(1))
        raw = signed(client, self._nonces[client], payment)
        self._nonces[client] += 1
        for node in dice.sample(up, min(dice.randint(1, RECEIVERS_MAX), len(up))):
            self.world.after(dice.between(0, self.plan.delay_ms), _handing(node, raw))
        return raw

    def _birth(self, position: int, seat: int) -> Birth:
        file, peer = self.file, PeerId(keccak256(b"peer %d" % position))
        secret = validator_secret(seat)
        return Birth(position, peer, secret, file.text, file.rules, file.gas_limit_target)


def _handing(node: SimRotationNode, raw: bytes) -> Callable[[], None]:
    return lambda: node.submit(raw)


@lru_cache(maxsize=16)
def chain_file(size: int, interval_s: int, final_depth_blocks: int) -> Chainfile:
    """The genesis of a network of so many validators; its first slots have begun when a run begins."""
    chosen = RotationGenesis(
        [_validator(index) for index in range(size)],
        {client_address(index): FUNDED_WEI for index in range(CLIENTS)},
        CHAIN_ID,
        GAS_LIMIT,
        interval_s,
        BASE_MS // 1000 - interval_s,
        final_depth_blocks,
    )
    genesis = read_genesis(rotation_genesis(chosen))
    if genesis.coc is None:
        raise AssertionError("a genesis of ours has a coc section")
    genesis_hash = Hash32(Chain.open(genesis.text, None, b"").genesis_hash)
    rules = network_rules(genesis_hash, genesis.timestamp, genesis.coc)
    return Chainfile(genesis.text, rules, genesis.coc.gas_limit_target)


def _validator(index: int) -> Validator:
    secret = validator_secret(index)
    key = public_key_of(secret)
    return Validator(address_of(secret), key, key, 1, Address(keccak256(b"fees %d" % index)[12:]))

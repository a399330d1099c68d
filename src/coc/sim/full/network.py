"""A simulated network: its genesis, its keys, its nodes and the transactions of its clients."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import msgspec

from coc._native import Chain, evm_transition, sign_transaction
from coc.consensus.bft.rules import BftRules
from coc.contracts.addresses import INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.genesis_alloc import Founder
from coc.contracts.operator_calls import register_call, registration_digest, request_exit_call
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.genesis import CocRules, Genesis, read_genesis
from coc.execution.genesis_bft import BftParameters
from coc.execution.network_genesis import FUNDED_WEI, NetworkGenesis, network_genesis
from coc.node.constructors import constructor_runner
from coc.node.validator.build import bft_rules
from coc.node.validator.ports import SetReader
from coc.node.validator.registry_sets import Answers, RegistrySets
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of, sign
from coc.primitives.types import Address, ChainId, Hash32, PeerId, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator
from coc.sim.full.birth import Birth
from coc.sim.full.checkers import fresh
from coc.sim.full.checkers.supply import NothingIsMinted
from coc.sim.full.liars import node_class
from coc.sim.full.plan import TWIN, WRONG_CLOCK_MS, Plan, SetChange
from coc.sim.full.validator import SimValidator
from coc.sim.full.watching import Watch
from coc.sim.full.world import BASE_MS, World

CHAIN_ID = 7
BURNED = Address(bytes(20))
"""Where the registry sends what it burns."""
CLIENTS = 6
TRANSFER_GAS = 21_000
CALL_GAS = 2_000_000
FEE_CAP_WEI = 100 * 10**9
PARAMETERS = BftParameters(
    propose_ms=500,
    vote_ms=250,
    delta_ms=100,
    cap_ms=2_000,
    resend_ms=300,
    clock_tolerance_s=WRONG_CLOCK_MS // 1000,
)
"""Short, so that a run has many rounds; but not shorter than a spike of the links."""
REGISTRY = RegistryParameters(period_blocks=8, unbonding_blocks=16, unbonding_s=20)
"""Short periods, so that a run crosses several."""


@frozen
class Payment:
    """What a transaction does."""

    to: Address
    value_wei: Wei
    calldata: bytes = b""


@frozen
class Chainfile:
    """A genesis and what is read from it."""

    text: bytes
    hash: Hash32
    genesis: Genesis
    rules: CocRules


class Network:
    """All nodes of a run."""

    def __init__(self, plan: Plan) -> None:
        """Nothing has started."""
        self.plan = plan
        self.world = World.of(plan)
        self.watch = Watch(fresh(REGISTRY.period_blocks))
        file = chain_file(plan.powers, plan.interval_s)
        parameters = file.rules.bft or PARAMETERS
        rules: BftRules = bft_rules(file.hash, file.rules, parameters)
        self._answers = Answers()
        lies = dict(plan.liars)
        seats = list(range(plan.seats)) + [seat for seat, lie in plan.liars if lie == TWIN]
        self.nodes = []
        for position, seat in enumerate(seats):
            birth = self._birth(position, seat, file, rules)
            node = node_class(lies.get(seat, ""))(birth, self.world, self.watch)
            node.is_honest = seat not in lies
            self.nodes.append(node)
        for node in self.nodes:
            node.meet([other for other in self.nodes if other is not node])
        self._nonces = [0] * CLIENTS
        for checker in self.watch.checkers:
            if isinstance(checker, NothingIsMinted):
                checker.accounts = _holders(plan.seats)

    def honest(self) -> list[SimValidator]:
        """The nodes that follow the protocol."""
        return [node for node in self.nodes if node.is_honest]

    def _birth(self, position: int, seat: int, file: Chainfile, rules: BftRules) -> Birth:
        registry = file.rules.registry or REGISTRY

        def sets(chain: Chain) -> SetReader:
            return RegistrySets(chain, registry.period_blocks, self._answers)

        return Birth(
            position,
            PeerId(keccak256(b"peer %d" % position)),
            validator_secret(seat),
            file.text,
            rules,
            sets,
            file.rules.gas_limit_target,
        )

    def send_transfer(self) -> None:
        """A client sends a transfer to a node drawn by lot, and to a second one if the first is down."""
        dice = self.world.dice
        client = dice.randrange(CLIENTS)
        to = client_address((client + 1) % CLIENTS)
        up = [node for node in self.nodes if node.is_up]
        self._send(client, Payment(to, Wei(1)), dice.sample(up, min(2, len(up))))

    def send_set_change(self, change: SetChange) -> None:
        """An operator lets a validator leave, or one more join, by a transaction to every node that is up."""
        client = change.node % CLIENTS
        secret = validator_secret(change.node)
        if change.joins:
            stake = Wei(32 * ETHER)
            own = _validator(change.node, 32)
            operator = client_address(client)
            digest = registration_digest(ChainId(CHAIN_ID), operator, own.network_key, own.fee_recipient)
            payment = Payment(VALIDATOR_REGISTRY, stake, register_call(own, sign(secret, digest)))
        else:
            payment = Payment(VALIDATOR_REGISTRY, Wei(0), request_exit_call(address_of(secret)))
        self._send(client, payment, [node for node in self.nodes if node.is_up])

    def _send(self, client: int, payment: Payment, receivers: list[SimValidator]) -> None:
        if not receivers:
            return
        raw = signed(client, self._nonces[client], payment)
        self._nonces[client] += 1
        for node in receivers:
            node.submit(raw)


@lru_cache(maxsize=64)
def chain_file(powers: tuple[int, ...], interval_s: int = 1) -> Chainfile:
    """The genesis of a network with these powers; one validator's stake is its power in ether times 32."""
    founders = [
        Founder(
            _validator(index, power * 32),
            client_address(index % CLIENTS),
            Wei(power * 32 * ETHER),
        )
        for index, power in enumerate(powers)
    ]
    funded = {client_address(index): FUNDED_WEI for index in range(CLIENTS)}
    chosen = NetworkGenesis(
        founders,
        REGISTRY,
        dict.fromkeys(funded, FUNDED_WEI),
        chain_id=CHAIN_ID,
        timestamp=BASE_MS // 1000 - interval_s,
        block_interval_s=interval_s,
        bft=PARAMETERS,
    )
    text = network_genesis(chosen, constructor_runner(evm_transition))
    genesis = read_genesis(text)
    if genesis.coc is None:
        raise AssertionError("a genesis of ours has a coc section")
    genesis_hash = Hash32(Chain.open(genesis.text, None, b"").genesis_hash)
    return Chainfile(genesis.text, genesis_hash, genesis, genesis.coc)


def validator_secret(index: int) -> Secret:
    """The consensus key of a simulated validator."""
    return secret_of(blake2b(b"validator %d" % index, digest_size=32).digest())


@lru_cache(maxsize=CLIENTS)
def client_address(index: int) -> Address:
    """The account of a simulated client."""
    return Address(address_of(client_secret(index)))


def client_secret(index: int) -> Secret:
    """The key of a simulated client."""
    return secret_of(blake2b(b"client %d" % index, digest_size=32).digest())


@lru_cache(maxsize=4_096)
def signed(client: int, nonce: int, payment: Payment) -> bytes:
    """A client's transaction."""
    unsigned = {
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
        "nonce": hex(nonce),
        "to": f"0x{payment.to.hex()}",
        "value": hex(payment.value_wei),
        "gas": hex(CALL_GAS if payment.calldata else TRANSFER_GAS),
        "maxFeePerGas": hex(FEE_CAP_WEI),
        "maxPriorityFeePerGas": hex(10**9),
        "input": f"0x{payment.calldata.hex()}",
        "accessList": [],
    }
    return sign_transaction(client_secret(client), msgspec.json.encode(unsigned))


def _validator(index: int, power: int) -> Validator:
    key = public_key_of(validator_secret(index))
    return Validator(address_of(validator_secret(index)), key, key, power, _fee_recipient(index))


def _fee_recipient(index: int) -> Address:
    return Address(keccak256(b"fees %d" % index)[12:])


def _holders(size: int) -> tuple[Address, ...]:
    """Every account that coins of a run can reach, but for the base fee, which leaves the world."""
    clients = [client_address(index) for index in range(CLIENTS)]
    contracts = (VALIDATOR_REGISTRY, INSURANCE_FUND, BURNED)
    return (*clients, *(_fee_recipient(index) for index in range(size)), *contracts)

"""A development network that a mnemonic makes: its validators' keys, and its genesis.

The keys follow from the sentence, so the same sentence always gives the same validators. They are no safer
than the sentence, and the one that everybody knows is known to everybody. Operator and fee recipient of
validator i is the mnemonic's account i: it is funded, so it can leave, withdraw and join by transactions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coc.contracts.genesis_alloc import Founder
from coc.contracts.registry_parameters import RegistryParameters
from coc.execution.network_genesis import FUNDED_WEI, NetworkGenesis, RotationGenesis
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import dev_secrets, normal_sentence
from coc.primitives.secp256k1 import Secret, address_of, public_key_of, secret_of
from coc.primitives.types import Address, Wei
from coc.primitives.units import ETHER
from coc.primitives.validators import Validator

KEY_DOMAIN: Final = b"COC/dev-validator/1\0"
STAKE_WEI: Final = Wei(32 * ETHER)
REGISTRY: Final = RegistryParameters(period_blocks=10, unbonding_blocks=20, unbonding_s=600)
"""Short, so that a validator can be watched as it joins and leaves; else as on any chain."""


@frozen
class DevValidator:
    """The keys of one validator."""

    network: Secret
    consensus: Secret
    account: Address
    """Operator and fee recipient."""


@frozen
class DevNetwork:
    """What may be chosen about a development network."""

    mnemonic: str
    node_count: int
    account_count: int
    chain_id: int
    gas_limit: int
    block_interval_s: int
    timestamp: int


def dev_validators(mnemonic: str, count: int) -> list[DevValidator]:
    """The first `count` validators of a sentence.

    Raises:
        MnemonicInvalid: the sentence is none.
    """
    sentence = normal_sentence(mnemonic).encode()
    accounts = [address_of(secret) for secret in dev_secrets(mnemonic, count)]
    return [
        DevValidator(_key(sentence, b"network", index), _key(sentence, b"consensus", index), account)
        for index, account in enumerate(accounts)
    ]


def dev_network_genesis(chosen: DevNetwork) -> NetworkGenesis:
    """The genesis of a network of equal validators; who operates one is funded, whatever was asked for.

    Raises:
        MnemonicInvalid: the sentence is none.
    """
    validators = dev_validators(chosen.mnemonic, chosen.node_count)
    funded = dev_secrets(chosen.mnemonic, max(chosen.account_count, chosen.node_count))
    return NetworkGenesis(
        _founders(validators),
        REGISTRY,
        {address_of(secret): FUNDED_WEI for secret in funded},
        chosen.chain_id,
        chosen.gas_limit,
        chosen.block_interval_s,
        chosen.timestamp,
    )


def dev_rotation_genesis(chosen: DevNetwork) -> RotationGenesis:
    """The same for validators that take turns.

    Raises:
        MnemonicInvalid: the sentence is none.
    """
    validators = dev_validators(chosen.mnemonic, chosen.node_count)
    funded = dev_secrets(chosen.mnemonic, max(chosen.account_count, chosen.node_count))
    return RotationGenesis(
        [_entry(each, 1) for each in validators],
        {address_of(secret): FUNDED_WEI for secret in funded},
        chosen.chain_id,
        chosen.gas_limit,
        chosen.block_interval_s,
        chosen.timestamp,
    )


def _founders(validators: Sequence[DevValidator]) -> list[Founder]:
    power = STAKE_WEI // REGISTRY.power_unit_wei
    return [Founder(_entry(each, power), each.account, STAKE_WEI) for each in validators]


def _entry(keys: DevValidator, power: int) -> Validator:
    consensus = public_key_of(keys.consensus)
    return Validator(address_of(keys.consensus), public_key_of(keys.network), consensus, power, keys.account)


def _key(sentence: bytes, purpose: bytes, index: int) -> Secret:
    return secret_of(keccak256(KEY_DOMAIN + purpose + b"\0" + index.to_bytes(4, "big") + sentence))

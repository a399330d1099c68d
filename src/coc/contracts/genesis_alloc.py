"""The accounts of the system contracts in a genesis, made by running their constructors (SET-23).

Who runs code is handed in: this module only says what is run, and what must come of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

from coc.contracts import creation_code
from coc.contracts.abi import WORD_BYTES, address_word, word
from coc.contracts.addresses import EQUIVOCATION_DETECTOR, INSURANCE_FUND, VALIDATOR_REGISTRY
from coc.contracts.registry_parameters import RegistryParameters
from coc.primitives.errors import PrimitivesError
from coc.primitives.frozen import frozen
from coc.primitives.strict_json import Json
from coc.primitives.types import Address, Wei
from coc.primitives.validators import Validator

RunConstructor: TypeAlias = Callable[[bytes, Wei], tuple[bytes, Mapping[int, int]]]
"""Runs creation code with its arguments and some coins: the runtime code and storage that it leaves."""

_PARAMETER_WORDS: Final = 7
_CREATED_NONCE: Final = 1
"""What a contract's nonce is after its creation (EIP-161)."""


class FoundersInvalid(PrimitivesError):
    """Validators of genesis that the registry would count otherwise."""

    id: ClassVar[str] = "COC-FOUNDERS"


@frozen
class Founder:
    """A validator of genesis, who operates it, and what it stakes."""

    validator: Validator
    operator: Address
    stake_wei: Wei


@frozen
class ContractAccount:
    """A contract as the alloc of a genesis holds it."""

    address: Address
    balance_wei: Wei
    code: bytes
    storage: Mapping[int, int]

    def json(self) -> dict[str, Json]:
        """The account in geth's genesis format."""
        account: dict[str, Json] = {
            "nonce": hex(_CREATED_NONCE),
            "balance": hex(self.balance_wei),
            "code": f"0x{self.code.hex()}",
        }
        if self.storage:
            account["storage"] = {
                f"0x{slot:064x}": f"0x{value:064x}" for slot, value in sorted(self.storage.items())
            }
        return account


def system_contracts(
    parameters: RegistryParameters, founders: Sequence[Founder], run: RunConstructor
) -> tuple[ContractAccount, ...]:
    """The registry with its founders, the detector and the fund.

    Raises:
        FoundersInvalid: a founder's power is not what its stake is worth.
    """
    for founder in founders:
        _check(founder, parameters)
    stakes_wei = Wei(sum(founder.stake_wei for founder in founders))
    registry = creation_code.VALIDATOR_REGISTRY + registry_arguments(parameters, founders)
    return (
        _created(VALIDATOR_REGISTRY, registry, stakes_wei, run),
        _created(EQUIVOCATION_DETECTOR, creation_code.EQUIVOCATION_DETECTOR, Wei(0), run),
        _created(INSURANCE_FUND, creation_code.INSURANCE_FUND, Wei(0), run),
    )


def registry_arguments(parameters: RegistryParameters, founders: Sequence[Founder]) -> bytes:
    """The arguments of the registry's constructor: the parameters, where the list of founders is, and it."""
    numbers = (
        parameters.period_blocks,
        parameters.stake_min_wei,
        parameters.power_unit_wei,
        parameters.slash_wei,
        parameters.unbonding_blocks,
        parameters.unbonding_s,
        parameters.validators_max,
    )
    head = b"".join(map(word, numbers)) + word((_PARAMETER_WORDS + 1) * WORD_BYTES)
    return head + word(len(founders)) + b"".join(map(_founder_words, founders))


def _founder_words(founder: Founder) -> bytes:
    validator = founder.validator
    return (
        address_word(founder.operator)
        + validator.consensus_key
        + validator.network_key
        + address_word(validator.fee_recipient)
        + word(founder.stake_wei)
    )


def _created(address: Address, creation: bytes, balance_wei: Wei, run: RunConstructor) -> ContractAccount:
    code, storage = run(creation, balance_wei)
    return ContractAccount(address, balance_wei, code, storage)


def _check(founder: Founder, parameters: RegistryParameters) -> None:
    worth = founder.stake_wei // parameters.power_unit_wei
    if founder.validator.power != worth:
        raise FoundersInvalid(
            f"the validator 0x{founder.validator.id.hex()} has a power of {founder.validator.power}",
            why=f"its stake of {founder.stake_wei} wei is worth {worth}",
            cure="let power be the stake divided by powerUnitWei, rounded down",
        )

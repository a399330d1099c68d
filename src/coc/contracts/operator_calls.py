"""What a validator's operator sends to the ValidatorRegistry, and what the consensus key must sign."""

from __future__ import annotations

from typing import Final

from coc.contracts.abi import WORD_BYTES, address_word, byte_string, selector, word
from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.primitives.keccak import keccak256
from coc.primitives.types import Address, ChainId, Hash32, Signature
from coc.primitives.validators import Validator

REGISTRATION_DOMAIN: Final = b"COC/register/1"

_REGISTER: Final = selector("register(bytes,bytes,address,bytes)")
_ADD_STAKE: Final = selector("addStake(address)")
_SET_FEE_RECIPIENT: Final = selector("setFeeRecipient(address,address)")
_REQUEST_EXIT: Final = selector("requestExit(address)")
_WITHDRAW: Final = selector("withdraw(address)")


def registration_digest(
    chain_id: ChainId, operator: Address, network_key: bytes, fee_recipient: Address
) -> Hash32:
    """What the consensus key signs so that `operator` may register it (SET-2)."""
    return keccak256(
        REGISTRATION_DOMAIN + word(chain_id) + VALIDATOR_REGISTRY + operator + network_key + fee_recipient
    )


def register_call(validator: Validator, proof: Signature) -> bytes:
    """Registers a validator with the transaction's value as stake; the sender becomes its operator.

    The power of `validator` is not sent: it follows from the stake.
    """
    tails = [byte_string(part) for part in (validator.consensus_key, validator.network_key, proof)]
    head_bytes = 4 * WORD_BYTES
    consensus_key_at = head_bytes
    network_key_at = consensus_key_at + len(tails[0])
    proof_at = network_key_at + len(tails[1])
    head = [
        word(consensus_key_at),
        word(network_key_at),
        address_word(validator.fee_recipient),
        word(proof_at),
    ]
    return _REGISTER + b"".join(head) + b"".join(tails)


def add_stake_call(validator: Address) -> bytes:
    """Adds the transaction's value to a stake."""
    return _ADD_STAKE + address_word(validator)


def set_fee_recipient_call(validator: Address, fee_recipient: Address) -> bytes:
    """Names another recipient of the fees."""
    return _SET_FEE_RECIPIENT + address_word(validator) + address_word(fee_recipient)


def request_exit_call(validator: Address) -> bytes:
    """Begins to leave, for good."""
    return _REQUEST_EXIT + address_word(validator)


def withdraw_call(validator: Address) -> bytes:
    """Takes out the stake once it is unlocked."""
    return _WITHDRAW + address_word(validator)

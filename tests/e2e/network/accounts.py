"""The well-known accounts as senders of any transaction, and what a node says of the validator registry."""

from __future__ import annotations

from coc.contracts.addresses import VALIDATOR_REGISTRY
from coc.contracts.registry_calls import decode_validator_set_answer, period_of, validator_set_call
from coc.contracts.registry_status import RegistryStatus, decode_status_answer, status_call
from coc.primitives import rlp
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import DEV_MNEMONIC, dev_secrets
from coc.primitives.secp256k1 import address_of, sign
from coc.primitives.types import Address, Height
from tests.e2e.network.network_process import Member, Network

CHAIN_ID = 31_337
GAS = 2_000_000
"""Enough for a registration, whose keys fill a dozen slots."""
GAS_PRICE_WEI = 100_000_000_000


class Account:
    """One account that signs here; nobody else may send from it while it is used."""

    def __init__(self, index: int) -> None:
        """The well-known account `index`."""
        self._secret = dev_secrets(DEV_MNEMONIC, index + 1)[index]
        self.address = address_of(self._secret)

    def send(self, network: Network, member: Member, to: Address, data: bytes, value_wei: int = 0) -> int:
        """Send a transaction to a member and wait until it is in a block there; the height.

        Raises:
            AssertionError: it was included and failed.
        """
        nonce = int(member.rpc("eth_getTransactionCount", f"0x{self.address.hex()}", "pending"), 16)
        fields: list[rlp.Encodable] = [nonce, GAS_PRICE_WEI, GAS, to, value_wei, data]
        signature = sign(self._secret, keccak256(rlp.encode([*fields, CHAIN_ID, 0, 0])))
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        raw = rlp.encode([*fields, CHAIN_ID * 2 + 35 + signature[64], r, s])
        name = member.rpc("eth_sendRawTransaction", f"0x{raw.hex()}")
        receipt = network.until(lambda: member.rpc("eth_getTransactionReceipt", name), f"receipt of {name}")
        assert receipt["status"] == "0x1", receipt
        return int(receipt["blockNumber"], 16)


def set_after(member: Member, height: int, period_blocks: int, periods_on: int = 0) -> list[Address]:
    """Who is in the set of the period after so many others, as the state after a height has it."""
    period = period_of(Height(height), period_blocks) + periods_on
    answer = _ask_registry(member, validator_set_call(period), hex(height))
    return [each.id for each in decode_validator_set_answer(answer).validators]


def status_after(member: Member, validator: Address, height: int) -> RegistryStatus:
    """How a validator stands in the state after a height."""
    return decode_status_answer(_ask_registry(member, status_call(validator), hex(height)))


def balance_after(member: Member, address: Address, height: int) -> int:
    """Wei of an account in the state after a height."""
    return int(member.rpc("eth_getBalance", f"0x{address.hex()}", hex(height)), 16)


def _ask_registry(member: Member, calldata: bytes, block: str) -> bytes:
    call = {"to": f"0x{VALIDATOR_REGISTRY.hex()}", "data": f"0x{calldata.hex()}"}
    return bytes.fromhex(str(member.rpc("eth_call", call, block))[2:])

"""A contract, and the two blocks that put it somewhere and call it: what chains that differ are made of.

As a program it makes those blocks in a folder. A process remembers sound code by its hash: a chain with
other bytes in its index would not notice in a process where another chain has run the same contract.
"""

from __future__ import annotations

import sys

import msgspec

from coc._native import Chain, Transaction, keccak256, sign_transaction
from coc.primitives.secp256k1 import address_of
from coc.sim.full.network import CHAIN_ID, FEE_CAP_WEI, client_secret
from tests.node.validator.forge import FILE, Forge

CONTRACT = keccak256(b"\xd6\x94" + address_of(client_secret(0)) + b"\x80")[12:]
"""Where the first transaction of the first client puts it."""
OTHER_CODE = bytes.fromhex("60ff60ff5560ff60fe5500")
"""Stores something elsewhere, for more gas."""


def contract_code(value: int) -> bytes:
    """Stores a value in slot 0."""
    return bytes([0x60, value, 0x60, 0x00, 0x55, 0x00])


def deployment(code: bytes) -> Transaction:
    """Puts this code at `CONTRACT`."""
    size = len(code)
    copying = bytes([0x60, size, 0x60, 0x0C, 0x60, 0x00, 0x39, 0x60, size, 0x60, 0x00, 0xF3])
    return _transaction(0, None, copying + code)


def calls() -> tuple[Transaction, Transaction]:
    """One that has nothing to do with the contract, and a call of it."""
    return _transaction(1, bytes(19) + b"\x77", b""), _transaction(2, CONTRACT, b"")


def _transaction(client: int, to: bytes | None, data: bytes) -> Transaction:
    """The first one of a client."""
    unsigned: dict[str, object] = {
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
        "nonce": "0x0",
        "to": None if to is None else f"0x{to.hex()}",
        "value": "0x0",
        "gas": hex(200_000),
        "maxFeePerGas": hex(FEE_CAP_WEI),
        "maxPriorityFeePerGas": hex(10**9),
        "input": f"0x{data.hex()}",
        "accessList": [],
    }
    return Transaction.decode(sign_transaction(client_secret(client), msgspec.json.encode(unsigned)))


if __name__ == "__main__":
    forge = Forge(Chain.open(FILE.text, sys.argv[1], b""))
    forge.decide(deployment(contract_code(int(sys.argv[2]))))
    forge.decide(*calls())
    forge.chain.close()

"""The predeploys hold what mainnet's constructors left: shown by their own addresses, not by trust."""

from __future__ import annotations

import hashlib

import pytest

from coc.execution import predeploys
from coc.execution.predeploys import Predeploy
from coc.primitives import rlp, secp256k1
from coc.primitives.keccak import keccak256
from coc.primitives.types import Signature

# The EIPs' deployment transactions: a signature with r = 0x539 that nobody made, so nobody owns the sender.
GAS_PRICE, GAS, R = 0xE8D4A51000, 0x3D090, 0x539
CASES = [
    (predeploys.BEACON_ROOTS, 0x1B9B6EB1F0),
    (predeploys.BLOCK_HASHES, 0xAA12693182426612186309F02CFE8A80A0000),
    (predeploys.WITHDRAWAL_REQUESTS, 0x5FEEB084551E4E03A3581E269BC2EA2F8D0008),
    (predeploys.CONSOLIDATION_REQUESTS, 0xC0730F92DC275B663D377A7CBB141B6600052),
]


def creation_code(predeploy: Predeploy) -> bytes:
    """Store the inhibitor in slot 0 where there is one, then return the runtime code that follows."""
    size = len(predeploy.code)
    if not predeploy.storage:
        return bytes.fromhex(f"60{size:02x}8060095f395ff3") + predeploy.code
    inhibit = b"\x7f" + predeploy.storage[0].to_bytes(32, "big") + bytes.fromhex("5f55")
    return inhibit + bytes.fromhex(f"61{size:04x}80602d5f395ff3") + predeploy.code


@pytest.mark.parametrize(("predeploy", "s"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_the_code_of_a_system_contract_gives_its_address(predeploy: Predeploy, s: int) -> None:
    signed = keccak256(rlp.encode([0, GAS_PRICE, GAS, b"", 0, creation_code(predeploy)]))
    signature = Signature(R.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\0")
    sender = secp256k1.recover_address(signed, signature)
    assert keccak256(rlp.encode([sender, 0]))[12:] == predeploy.address


def test_the_deposit_contract_is_the_one_that_was_verified_on_mainnet() -> None:
    code = predeploys.DEPOSITS.code
    assert len(code) == 6_358
    source = bytes.fromhex("1220dceca8706b29e917dacf25fceef95acac8d90d765ac926663ce4096195952b61")
    assert code.endswith(b"\xa2\x64ipfs\x58\x22" + source + b"\x64solc\x43\x00\x06\x0b\x00\x33")


def test_the_deposit_contract_starts_with_the_hashes_of_empty_subtrees() -> None:
    storage = predeploys.DEPOSITS.storage
    assert sorted(storage) == list(range(34, 65))
    assert storage[34] == int.from_bytes(hashlib.sha256(bytes(64)).digest(), "big")
    for slot in range(35, 65):
        below = storage[slot - 1].to_bytes(32, "big")
        assert storage[slot].to_bytes(32, "big") == hashlib.sha256(below * 2).digest()

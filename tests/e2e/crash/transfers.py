"""Signed transfers of the development accounts, one nonce after another, each known before it is sent."""

from __future__ import annotations

from coc.primitives import rlp, secp256k1
from coc.primitives.keccak import keccak256
from coc.primitives.mnemonic import dev_secrets

MNEMONIC = "test test test test test test test test test test test junk"
CHAIN_ID = 31_337
GAS = 21_000
GAS_PRICE_WEI = 100_000_000_000
RECEIVER = bytes.fromhex("00000000000000000000000000000000000c4a54")
"""Nobody's account: its balance in wei is the number of transfers that were ever executed."""


class Sender:
    """One account that gives away a wei at a time; `raw(nonce)` is the same bytes whenever it is asked."""

    def __init__(self, index: int) -> None:
        self._secret = dev_secrets(MNEMONIC, index + 1)[index]
        self.address = "0x" + secp256k1.address_of(self._secret).hex()

    def raw(self, nonce: int) -> bytes:
        """The signed legacy transaction (EIP-155) with this nonce."""
        fields: list[rlp.Encodable] = [nonce, GAS_PRICE_WEI, GAS, RECEIVER, 1, b""]
        digest = keccak256(rlp.encode([*fields, CHAIN_ID, 0, 0]))
        signature = secp256k1.sign(self._secret, digest)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        return rlp.encode([*fields, CHAIN_ID * 2 + 35 + signature[64], r, s])


def hash_of(raw: bytes) -> str:
    """The transaction's hash in hex."""
    return "0x" + keccak256(raw).hex()

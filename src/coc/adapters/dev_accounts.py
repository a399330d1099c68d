"""The unlocked accounts of a development chain: keys in memory, signing for whoever can reach the port.

Only development chains have them, and such a node binds loopback addresses alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from coc import _native
from coc.primitives.eip712 import hash_typed_data
from coc.primitives.keccak import keccak256
from coc.primitives.secp256k1 import Secret, address_of, sign
from coc.primitives.types import Hash32

_V_OFFSET = 27


class DevAccounts:
    """Accounts by address."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        """In the order of the mnemonic's paths."""
        self._secrets = {bytes(address_of(secret)): secret for secret in secrets}

    def addresses(self) -> Sequence[bytes]:
        """All of them, in order."""
        return list(self._secrets)

    def sign_transaction(self, address: bytes, unsigned: bytes, /) -> bytes:
        """The raw signed transaction of a complete GenericTransaction in JSON."""
        return _native.sign_transaction(self._secrets[address], unsigned)

    def sign_message(self, address: bytes, message: bytes, /) -> bytes:
        """EIP-191 version 0x45: r ‖ s ‖ v with v 27 or 28."""
        prefix = b"\x19Ethereum Signed Message:\n" + str(len(message)).encode()
        return self._sign(address, keccak256(prefix + message))

    def sign_typed_data(self, address: bytes, typed_data: bytes, /) -> bytes:
        """EIP-712: r ‖ s ‖ v with v 27 or 28."""
        return self._sign(address, hash_typed_data(typed_data).digest)

    def _sign(self, address: bytes, digest: Hash32) -> bytes:
        signature = sign(self._secrets[address], digest)
        return signature[:64] + bytes([signature[64] + _V_OFFSET])

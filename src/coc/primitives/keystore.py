"""Key files: Web3 Secret Storage version 3, which every Ethereum wallet reads and writes.

A password is stretched by scrypt or PBKDF2 to 32 bytes: the first 16 are the AES-128-CTR key of the secret,
the last 16, before the ciphertext, are hashed into a MAC that tells a wrong password. The work that a file
may ask for is bounded before it is done, so a hostile file cannot take the machine's memory or time.

What the MAC cannot tell apart, the address in the file often can: if it fits the decrypted key, the password
was right and the MAC is damaged; if the MAC fits and the address does not, the file is damaged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import ClassVar, Final, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from coc.primitives import limits
from coc.primitives.errors import PrimitivesError, quoted
from coc.primitives.frozen import frozen
from coc.primitives.keccak import keccak256
from coc.primitives.scrypt import scrypt
from coc.primitives.secp256k1 import Secret, SecretInvalid, address_of, secret_of
from coc.primitives.strict_json import Json, JsonInvalid, decode_json
from coc.primitives.types import Address

SECRET_BYTES: Final = 32
SALT_BYTES: Final = 32
IV_BYTES: Final = 16
DERIVED_KEY_BYTES: Final = 32
ID_BYTES: Final = 16

_HEX: Final = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)", re.ASCII)


class KeyFileError(PrimitivesError):
    """Root of what can be wrong with a key file."""

    id: ClassVar[str] = "COC-KEYFILE"


class KeyFileDamaged(KeyFileError):
    """The file does not have the form of a key file, or its parts contradict one another."""

    id: ClassVar[str] = "COC-KEYFILE-DAMAGED"


class KeyFileUnsupported(KeyFileError):
    """A well-formed file of another version, cipher or key derivation."""

    id: ClassVar[str] = "COC-KEYFILE-UNSUPPORTED"


class KeyFileTooCostly(KeyFileError):
    """The file asks for more memory or time than the limits grant."""

    id: ClassVar[str] = "COC-KEYFILE-COST"


class PasswordWrong(KeyFileError):
    """The password does not open the file."""

    id: ClassVar[str] = "COC-KEYFILE-PASSWORD"


@frozen
class Scrypt:
    """Parameters of RFC 7914: `n` blocks, a power of two; `r` block size; `p` lanes."""

    n: int
    r: int
    p: int
    salt: bytes

    def derive(self, password: bytes) -> bytes:
        """Stretch a password to `DERIVED_KEY_BYTES`; takes 128·r·(n + p + 2) bytes of memory."""
        return scrypt(password, self.salt, (self.n, self.r, self.p), DERIVED_KEY_BYTES)


@frozen
class Pbkdf2:
    """PBKDF2 with HMAC-SHA256 (RFC 8018)."""

    rounds: int
    salt: bytes

    def derive(self, password: bytes) -> bytes:
        """Stretch a password to `DERIVED_KEY_BYTES`."""
        return hashlib.pbkdf2_hmac("sha256", password, self.salt, self.rounds, DERIVED_KEY_BYTES)


Stretching: TypeAlias = Scrypt | Pbkdf2


@frozen
class ScryptCost:
    """How dear guessing is made: `n` blocks in `p` lanes, with r 8."""

    n: int
    p: int


STANDARD_COST: Final = ScryptCost(n=262_144, p=1)
"""256 MiB and about a second a guess, as go-ethereum's default."""

LIGHT_COST: Final = ScryptCost(n=4_096, p=6)
"""4 MiB and about 0.1 s, as go-ethereum's light key files; for tests and machines without memory."""


@frozen
class KeyFile:
    """A parsed key file."""

    address: Address | None
    stretching: Stretching
    iv: bytes
    ciphertext: bytes
    mac: bytes


@frozen
class Dice:
    """The random bytes of one new key file, given by the caller."""

    salt: bytes
    iv: bytes
    id: bytes


def parse_key_file(text: bytes) -> KeyFile:
    """Read a key file's form and check what it would cost to open.

    Raises:
        KeyFileDamaged: not JSON, or a field is missing, of the wrong type or of the wrong length.
        KeyFileUnsupported: another version, cipher or key derivation.
        KeyFileTooCostly: beyond the `KEYSTORE_…_MAX` limits.
    """
    try:
        document = decode_json(text, name="key file", bytes_max=limits.KEYSTORE_FILE_BYTES_MAX)
    except JsonInvalid as error:
        raise KeyFileDamaged(error.what, why=error.why, cure="restore it from a copy") from error
    if not isinstance(document, dict):
        raise _damaged("it is not a JSON object")
    if document.get("version") != 3 or isinstance(document.get("version"), bool):
        raise KeyFileUnsupported(
            "unsupported key file", why=f"version {quoted(document.get('version'))}, not 3"
        )
    crypto = _object(document, "crypto" if "crypto" in document else "Crypto")
    if crypto.get("cipher") != "aes-128-ctr":
        raise KeyFileUnsupported("unsupported key file", why=f"cipher {quoted(crypto.get('cipher'))}")
    return KeyFile(
        Address(_hex(document, "address", 20)) if "address" in document else None,
        _stretching(crypto),
        _hex(_object(crypto, "cipherparams"), "iv", IV_BYTES),
        _hex(crypto, "ciphertext", SECRET_BYTES),
        _hex(crypto, "mac", 32),
    )


def open_key_file(key_file: KeyFile, password: bytes) -> Secret:
    """Decrypt the secret. Takes as long as the file's key derivation asks, about a second.

    Raises:
        PasswordWrong: the MAC does not fit (a damaged ciphertext looks the same).
        KeyFileDamaged: the password is right, and yet MAC, address or secret is not.
    """
    derived = key_file.stretching.derive(password)
    secret = _secret_or_none(_aes_128_ctr(derived[:16], key_file.iv, key_file.ciphertext))
    address = None if secret is None else address_of(secret)
    is_mac_right = hmac.compare_digest(_mac(derived, key_file.ciphertext), key_file.mac)
    is_address_right = address is not None and address == key_file.address
    if not is_mac_right:
        if is_address_right:
            raise _damaged("the password opens it, but its MAC is altered")
        raise PasswordWrong(
            "the password does not open the key file",
            why="its MAC does not fit, so either the password is wrong or the ciphertext is altered",
            cure="try again; if you are sure of the password, restore the file from a copy",
        )
    if secret is None or (key_file.address is not None and not is_address_right):
        raise _damaged("the password opens it, but the key inside does not belong to its address")
    return secret


def seal_key_file(secret: Secret, password: bytes, dice: Dice, cost: ScryptCost = STANDARD_COST) -> bytes:
    """Encrypt a secret into a new key file's text. The random bytes must never be used twice.

    Raises:
        ValueError: random bytes of the wrong length.
    """
    if (len(dice.salt), len(dice.iv), len(dice.id)) != (SALT_BYTES, IV_BYTES, ID_BYTES):
        raise ValueError(f"a key file needs {SALT_BYTES}, {IV_BYTES} and {ID_BYTES} random bytes")
    stretching = Scrypt(cost.n, 8, cost.p, dice.salt)
    derived = stretching.derive(password)
    ciphertext = _aes_128_ctr(derived[:16], dice.iv, secret)
    document = {
        "address": address_of(secret).hex(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "ciphertext": ciphertext.hex(),
            "cipherparams": {"iv": dice.iv.hex()},
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": DERIVED_KEY_BYTES,
                "n": stretching.n,
                "p": stretching.p,
                "r": stretching.r,
                "salt": stretching.salt.hex(),
            },
            "mac": _mac(derived, ciphertext).hex(),
        },
        "id": _uuid_text(dice.id),
        "version": 3,
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _stretching(crypto: dict[str, Json]) -> Stretching:
    kdf, parameters = crypto.get("kdf"), _object(crypto, "kdfparams")
    if kdf not in ("scrypt", "pbkdf2"):
        raise KeyFileUnsupported("unsupported key file", why=f"key derivation {quoted(kdf)}")
    if _number(parameters, "dklen") != DERIVED_KEY_BYTES:
        raise KeyFileUnsupported(
            "unsupported key file", why=f"dklen {parameters['dklen']}, not {DERIVED_KEY_BYTES}"
        )
    salt = _hex(parameters, "salt", None)
    if len(salt) > limits.KEYSTORE_SALT_BYTES_MAX:
        raise KeyFileTooCostly("the key file's salt is too long", why=f"{len(salt)} bytes")
    if kdf == "scrypt":
        return _checked_scrypt(
            Scrypt(_number(parameters, "n"), _number(parameters, "r"), _number(parameters, "p"), salt)
        )
    if parameters.get("prf") != "hmac-sha256":
        raise KeyFileUnsupported("unsupported key file", why=f"PBKDF2 over {quoted(parameters.get('prf'))}")
    rounds = _number(parameters, "c")
    if rounds > limits.KEYSTORE_PBKDF2_ROUNDS_MAX:
        most = limits.KEYSTORE_PBKDF2_ROUNDS_MAX
        raise KeyFileTooCostly("opening the key file costs too much", why=f"{rounds} rounds, at most {most}")
    return Pbkdf2(rounds, salt)


def _checked_scrypt(stretching: Scrypt) -> Scrypt:
    n, r, p = stretching.n, stretching.r, stretching.p
    if n < 2 or n & (n - 1):
        raise _damaged(f"scrypt's n is {n}, which is no power of two")
    memory, most = 128 * r * (n + p + 2), limits.KEYSTORE_SCRYPT_MEMORY_BYTES_MAX
    if memory > most:
        raise KeyFileTooCostly(
            "opening the key file costs too much", why=f"{memory} bytes of memory, at most {most}"
        )
    if n * r * p > limits.KEYSTORE_SCRYPT_WORK_BLOCKS_MAX:
        most = limits.KEYSTORE_SCRYPT_WORK_BLOCKS_MAX
        raise KeyFileTooCostly(
            "opening the key file costs too much", why=f"n·r·p is {n * r * p}, at most {most}"
        )
    return stretching


def _aes_128_ctr(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt: the same operation in counter mode."""
    cipher = Cipher(AES(key), CTR(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def _mac(derived: bytes, ciphertext: bytes) -> bytes:
    return keccak256(derived[16:32] + ciphertext)


def _secret_or_none(raw: bytes) -> Secret | None:
    try:
        return secret_of(raw)
    except SecretInvalid:
        return None


def _uuid_text(raw: bytes) -> str:
    """Random bytes as a version 4 UUID (RFC 9562)."""
    digits = (
        (int.from_bytes(raw, "big") & ~(0xF << 76) & ~(0x3 << 62) | 4 << 76 | 2 << 62)
        .to_bytes(16, "big")
        .hex()
    )
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _object(parent: dict[str, Json], name: str) -> dict[str, Json]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _damaged(f"`{name}` is missing or not an object")
    return value


def _number(parent: dict[str, Json], name: str) -> int:
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _damaged(f"`{name}` is missing or not a positive number")
    return value


def _hex(parent: dict[str, Json], name: str, length: int | None) -> bytes:
    value = parent.get(name)
    match = _HEX.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _damaged(f"`{name}` is missing or not hexadecimal text")
    data = bytes.fromhex(match[1])
    if length is not None and len(data) != length:
        raise _damaged(f"`{name}` has {len(data)} bytes where {length} are needed")
    return data


def _damaged(why: str) -> KeyFileDamaged:
    return KeyFileDamaged("the key file is damaged", why=why, cure="restore it from a copy")

"""From words to keys: BIP-39 sentences, BIP-32 derivation, BIP-44 paths.

A sentence of 12 to 24 words carries entropy and a checksum; stretched, it is a 64-byte seed; HMAC-SHA512
turns a parent key and an index into a child key. Ethereum wallets, and every devnet, use the path
m/44'/60'/0'/0/i.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from typing import ClassVar, Final

from coc.primitives.errors import PrimitivesError, quoted
from coc.primitives.limits import DERIVATION_DEPTH_LEVELS_MAX, DEV_ACCOUNTS_MAX, MNEMONIC_CHARS_MAX
from coc.primitives.mnemonic_words import ENGLISH
from coc.primitives.secp256k1 import ORDER, Secret, compressed, public_key_of, secret_of

DEV_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The sentence behind the ten accounts that every Ethereum development tool knows."""

ETHEREUM_PATH: Final = "m/44'/60'/0'/0"
"""BIP-44: purpose, coin type 60 (Ether), first account, external chain; the account's index follows."""

HARDENED: Final = 2**31

_WORD_COUNTS: Final = (12, 15, 18, 21, 24)
_STRETCHING_ROUNDS: Final = 2048  # BIP-39
_PLACES: Final = {word: place for place, word in enumerate(ENGLISH)}
_STEP: Final = re.compile(r"(0|[1-9][0-9]{0,9})('?)", re.ASCII)


class MnemonicInvalid(PrimitivesError):
    """Words that are no BIP-39 sentence. The message names places, never a whole sentence."""

    id: ClassVar[str] = "COC-MNEMONIC"


class PathInvalid(PrimitivesError):
    """Text that is no derivation path, or more accounts of one than the limit."""

    id: ClassVar[str] = "COC-DERIVATION-PATH"


def normal_sentence(text: str) -> str:
    """The sentence in its one form: lower-case words, single spaces, checksum verified.

    Raises:
        MnemonicInvalid: wrong count, a word not in the English list, or a checksum that does not fit.
    """
    if len(text) > MNEMONIC_CHARS_MAX:
        raise MnemonicInvalid("not a mnemonic", why=f"it is longer than {MNEMONIC_CHARS_MAX} characters")
    words = unicodedata.normalize("NFKD", text).lower().split()
    if len(words) not in _WORD_COUNTS:
        raise MnemonicInvalid(
            "not a mnemonic", why=f"it has {len(words)} words, where 12, 15, 18, 21 or 24 are usual"
        )
    for number, word in enumerate(words, 1):
        if word not in _PLACES:
            raise MnemonicInvalid(
                "not a mnemonic", why=f"word {number}, {quoted(word)}, is not in the English list"
            )
    bits = 0
    for word in words:
        bits = bits << 11 | _PLACES[word]
    checksum_bits = len(words) // 3
    entropy = (bits >> checksum_bits).to_bytes(checksum_bits * 4, "big")
    if hashlib.sha256(entropy).digest()[0] >> (8 - checksum_bits) != bits & ((1 << checksum_bits) - 1):
        raise MnemonicInvalid(
            "not a mnemonic", why="its checksum does not fit", cure="check for a wrong or swapped word"
        )
    return " ".join(words)


def seed_of(mnemonic: str, passphrase: str = "") -> bytes:
    """The 64-byte seed of a sentence (BIP-39).

    Raises:
        MnemonicInvalid: as for `normal_sentence`.
    """
    salt = "mnemonic" + unicodedata.normalize("NFKD", passphrase)
    return hashlib.pbkdf2_hmac(
        "sha512", normal_sentence(mnemonic).encode(), salt.encode(), _STRETCHING_ROUNDS
    )


def parse_path(text: str) -> tuple[int, ...]:
    """Read a path such as `m/44'/60'/0'/0/7` as child indexes, hardened ones from `HARDENED` on.

    Raises:
        PathInvalid: another form, an index of 2^31 or more, or more than 255 steps.
    """
    root, *steps = text.split("/", DERIVATION_DEPTH_LEVELS_MAX + 1)
    if root != "m" or len(steps) > DERIVATION_DEPTH_LEVELS_MAX:
        raise PathInvalid(
            "not a derivation path", why=f"got {quoted(text)}", cure=f"write one like {ETHEREUM_PATH}/0"
        )
    indexes = []
    for step in steps:
        match = _STEP.fullmatch(step)
        if match is None or int(match[1]) >= HARDENED:
            raise PathInvalid(
                "not a derivation path",
                why=f"step {quoted(step)}",
                cure="a step is 0 to 2147483647, ' hardens it",
            )
        indexes.append(int(match[1]) + (HARDENED if match[2] else 0))
    return tuple(indexes)


def derive(seed: bytes, path: str) -> Secret:
    """The private key at a path below a seed (BIP-32).

    Raises:
        PathInvalid: as for `parse_path`.
        SecretInvalid: the path has no key; this happens for one index in 2^127.
    """
    key, chain_code = _split(hmac.digest(b"Bitcoin seed", seed, "sha512"))
    secret = secret_of(key)
    for index in parse_path(path):
        data = b"\0" + secret if index >= HARDENED else compressed(public_key_of(secret))
        tweak, chain_code = _split(hmac.digest(chain_code, data + index.to_bytes(4, "big"), "sha512"))
        child = int.from_bytes(tweak, "big") + int.from_bytes(secret, "big")
        if int.from_bytes(tweak, "big") >= ORDER:
            child = 0  # BIP-32: no key here; `secret_of` refuses the zero
        secret = secret_of((child % ORDER).to_bytes(32, "big"))
    return secret


def dev_secrets(mnemonic: str, count: int) -> list[Secret]:
    """The first `count` Ethereum accounts' keys of a sentence, at most `DEV_ACCOUNTS_MAX`.

    Raises:
        MnemonicInvalid: as for `normal_sentence`.
        PathInvalid: more accounts than the limit.
    """
    if count > DEV_ACCOUNTS_MAX:
        raise PathInvalid("too many accounts", why=f"{count} where {DEV_ACCOUNTS_MAX} are allowed")
    seed = seed_of(mnemonic)
    return [derive(seed, f"{ETHEREUM_PATH}/{index}") for index in range(count)]


def _split(digest: bytes) -> tuple[bytes, bytes]:
    return digest[:32], digest[32:]

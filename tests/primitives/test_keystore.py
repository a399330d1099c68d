"""Key files: ours open, wrong ones are told apart, and what costs too much is refused before it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coc.primitives import keystore, limits
from coc.primitives.secp256k1 import address_of, secret_of

SECRET = secret_of(b"\x07" * 32)
PASSWORD = "correct horse £".encode()
DICE = keystore.Dice(b"\x01" * 32, b"\x02" * 16, b"\xff" * 16)
SEALED = keystore.seal_key_file(SECRET, PASSWORD, DICE, keystore.ScryptCost(n=2, p=1))


def altered(**changes: Any) -> bytes:
    """The sealed file with fields changed; `crypto__mac` names a field inside another, `None` removes one."""
    document = json.loads(SEALED)
    for dotted, value in changes.items():
        *parents, name = dotted.split("__")
        place = document
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[name]
        else:
            place[name] = value
    return json.dumps(document).encode()


def scrypt(**parameters: Any) -> bytes:
    return altered(**{f"crypto__kdfparams__{name}": value for name, value in parameters.items()})


def pbkdf2(**parameters: Any) -> bytes:
    chosen = {"c": 1, "dklen": 32, "prf": "hmac-sha256", "salt": "00"} | parameters
    return altered(crypto__kdf="pbkdf2", crypto__kdfparams=chosen)


def test_a_sealed_key_opens_with_its_password() -> None:
    key_file = keystore.parse_key_file(SEALED)
    assert key_file.address == address_of(SECRET)
    assert keystore.open_key_file(key_file, PASSWORD) == SECRET


def test_the_id_of_a_key_file_is_a_random_uuid() -> None:
    assert json.loads(SEALED)["id"] == "ffffffff-ffff-4fff-bfff-ffffffffffff"


def test_the_usual_cost_is_within_the_limits() -> None:
    for cost in (keystore.STANDARD_COST, keystore.LIGHT_COST):
        keystore.parse_key_file(scrypt(n=cost.n, p=cost.p))


def test_a_wrong_password_is_told_from_a_damaged_file() -> None:
    with pytest.raises(keystore.PasswordWrong):
        keystore.open_key_file(keystore.parse_key_file(SEALED), b"wrong")
    for damage in (
        {"crypto__mac": "00" * 32},
        {"crypto__cipherparams__iv": "00" * 16},
        {"address": "00" * 20},
    ):
        with pytest.raises(keystore.KeyFileDamaged):
            keystore.open_key_file(keystore.parse_key_file(altered(**damage)), PASSWORD)


def test_a_file_without_an_address_opens_too() -> None:
    assert keystore.open_key_file(keystore.parse_key_file(altered(address=None)), PASSWORD) == SECRET


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        altered(crypto=None),
        altered(crypto__ciphertext=None),
        altered(crypto__ciphertext="00" * 31),
        altered(crypto__mac="xyz"),
        altered(crypto__mac=5),
        altered(crypto__cipherparams__iv="00" * 15),
        altered(address="0x00"),
        scrypt(n=3),
        scrypt(n=1),
        scrypt(n=True),
        scrypt(r=0),
        scrypt(salt="0"),
        pbkdf2(c=0),
        pbkdf2(c="1"),
    ],
)
def test_a_malformed_file_is_damaged(text: bytes) -> None:
    with pytest.raises(keystore.KeyFileDamaged):
        keystore.parse_key_file(text)


@pytest.mark.parametrize(
    "text",
    [
        altered(version=1),
        altered(version=None),
        altered(version=True),
        altered(crypto__cipher="aes-256-gcm"),
        altered(crypto__kdf="argon2"),
        scrypt(dklen=64),
        pbkdf2(prf="hmac-sha1"),
    ],
)
def test_a_file_of_another_kind_is_unsupported(text: bytes) -> None:
    with pytest.raises(keystore.KeyFileUnsupported):
        keystore.parse_key_file(text)


def test_a_file_may_ask_for_work_up_to_the_limits_and_not_beyond() -> None:
    lanes = limits.KEYSTORE_SCRYPT_MEMORY_BYTES_MAX // 128 - 4
    work = limits.KEYSTORE_SCRYPT_WORK_BLOCKS_MAX
    keystore.parse_key_file(scrypt(n=2, r=1, p=lanes))
    keystore.parse_key_file(scrypt(n=4096, r=1, p=work // 4096))
    keystore.parse_key_file(pbkdf2(c=limits.KEYSTORE_PBKDF2_ROUNDS_MAX))
    keystore.parse_key_file(scrypt(salt="00" * limits.KEYSTORE_SALT_BYTES_MAX))
    for text in (
        scrypt(n=2, r=1, p=lanes + 1),
        scrypt(n=4096, r=1, p=work // 4096 + 1),
        scrypt(n=2**40, r=1, p=1),
        scrypt(n=2, r=10**30, p=1),
        pbkdf2(c=limits.KEYSTORE_PBKDF2_ROUNDS_MAX + 1),
        scrypt(salt="00" * (limits.KEYSTORE_SALT_BYTES_MAX + 1)),
    ):
        with pytest.raises(keystore.KeyFileTooCostly):
            keystore.parse_key_file(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(1, 64), st.integers(1, 64))
def test_whatever_cost_a_file_names_is_paid_or_refused(bits: int, r: int, p: int) -> None:
    try:
        key_file = keystore.parse_key_file(scrypt(n=1 << bits, r=r, p=p))
        if (r * p) << bits > 2**16:
            return
        keystore.open_key_file(key_file, PASSWORD)
    except keystore.KeyFileError:
        return


def test_a_file_beyond_the_size_of_a_key_file_is_refused_unread() -> None:
    padding = b" " * (limits.KEYSTORE_FILE_BYTES_MAX - len(SEALED))
    keystore.parse_key_file(SEALED + padding)
    with pytest.raises(keystore.KeyFileDamaged, match="too large"):
        keystore.parse_key_file(SEALED + padding + b" ")


def test_random_bytes_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="random bytes"):
        keystore.seal_key_file(SECRET, PASSWORD, keystore.Dice(b"", b"", b""))


@settings(max_examples=200)
@given(st.data())
def test_any_single_change_of_the_text_is_refused_or_still_yields_the_key(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SEALED) - 1))
    byte = data.draw(st.integers(0, 255))
    text = SEALED[:place] + bytes((byte,)) + SEALED[place + 1 :]
    try:
        key_file = keystore.parse_key_file(text)
        if isinstance(key_file.stretching, keystore.Scrypt) and key_file.stretching.n > 2**12:
            return
        secret = keystore.open_key_file(key_file, PASSWORD)
    except keystore.KeyFileError:
        return
    assert secret == SECRET

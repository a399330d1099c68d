"""Inputs for the precompiled contracts: mostly well formed, sometimes cut short, prolonged or damaged."""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from typing import Any

from .blocks import keccak256
from .curves import secret_of, sign
from .networks import Fork

P256_ADDRESS = 0x100

SLOW = (0x08, 0x0D, 0x0E, 0x0F, 0x10, 0x11)
"""Precompiles that take the specification seconds: pairings and the second group of BLS12-381."""

_BN128_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583
_BLS_FIELD = (
    0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
)
_MODEXP_SIZE_LIMIT = 1024
"""EIP-7823: longest operand in bytes since Osaka."""

_bn128: Any = import_module("py_ecc.bn128")
_bls: Any = import_module("py_ecc.bls12_381")


def newest_precompile(fork: Fork) -> int:
    """Highest address of the contiguous precompiles of a fork."""
    if fork >= Fork.PRAGUE:
        return 0x11
    if fork >= Fork.CANCUN:
        return 0x0A
    if fork >= Fork.ISTANBUL:
        return 0x09
    return 0x08 if fork >= Fork.BYZANTIUM else 0x04


def sample(dice: random.Random, address: int) -> bytes:
    """An input for the precompile at this address; random bytes for any other."""
    maker = _MAKERS.get(address, _noise)
    data = maker(dice)
    match dice.randrange(10):
        case 0:
            return data[: dice.randrange(len(data) + 1)]
        case 1:
            return data + dice.randbytes(dice.randrange(1, 40))
        case 2 if data:
            position = dice.randrange(len(data))
            return data[:position] + bytes([data[position] ^ (1 << dice.randrange(8))]) + data[position + 1 :]
        case _:
            return data


def _word(value: int, size: int = 32) -> bytes:
    return value.to_bytes(size, "big")


def _noise(dice: random.Random) -> bytes:
    return dice.randbytes(dice.choice((0, 1, 31, 32, 33, 64, 100)))


def _ecrecover(dice: random.Random) -> bytes:
    digest = keccak256(dice.randbytes(8))
    parity, r, s = sign(secret_of(f"recover {dice.randrange(4)}"), digest)
    v = dice.choice((27 + parity, 27 + parity, 27 + parity, 28 - parity, 0, 29))
    return digest + _word(v) + _word(r) + _word(s)


def _modexp(dice: random.Random) -> bytes:
    sizes = [dice.choice((0, 1, 2, 8, 31, 32, 33, 40, 64)) for _ in range(3)]
    operands = [dice.randbytes(size) for size in sizes]
    if dice.random() < 0.1:
        sizes[dice.randrange(3)] = dice.choice(
            (_MODEXP_SIZE_LIMIT, _MODEXP_SIZE_LIMIT + 1, 2**32, 2**64, 2**255)
        )
    if dice.random() < 0.1:
        operands[2] = bytes(len(operands[2]))
    return b"".join(map(_word, sizes)) + b"".join(operands)


def _bn128_g1(dice: random.Random) -> bytes:
    scalar = dice.choice((0, 1, 2, 3, 5, 9))
    if scalar == 0:
        return bytes(64)
    x, y = _bn128.multiply(_bn128.G1, scalar)
    shift = _BN128_FIELD if dice.random() < 0.05 else 0
    return _word(int(x) + shift) + _word(int(y))


def _bn128_add(dice: random.Random) -> bytes:
    return _bn128_g1(dice) + _bn128_g1(dice)


def _bn128_mul(dice: random.Random) -> bytes:
    return _bn128_g1(dice) + _word(dice.choice((0, 1, 2, 9, 2**256 - 1, dice.getrandbits(256))))


def _bn128_pairing(dice: random.Random) -> bytes:
    if dice.random() < 0.3:
        return bytes(dice.choice((0, 0, 191, 193)))
    x, y = _bn128.G2
    second = b"".join(_word(int(part)) for part in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))
    pairs = [
        _bn128_g1(dice) + (second if dice.random() < 0.7 else bytes(128))
        for _ in range(dice.choice((1, 1, 2)))
    ]
    return b"".join(pairs)


def _blake2f(dice: random.Random) -> bytes:
    final = dice.choice((0, 1, 1, 1, 2))
    return _word(dice.choice((0, 1, 12, 50)), 4) + dice.randbytes(64 + 128 + 16) + bytes([final])


def _point_evaluation(dice: random.Random) -> bytes:
    """The zero polynomial: commitment and proof are the point at infinity, any evaluation is zero."""
    infinity = b"\xc0" + bytes(47)
    versioned_hash = b"\x01" + sha256(infinity).digest()[1:]
    y = 0 if dice.random() < 0.8 else 1
    return versioned_hash + _word(dice.getrandbits(200)) + _word(y) + infinity + infinity


def _bls_field(value: int) -> bytes:
    return _word(value, 64)


def _bls_g1(dice: random.Random) -> bytes:
    scalar = dice.choice((0, 1, 2, 3, 7))
    if scalar == 0:
        return bytes(128)
    x, y = _bls.multiply(_bls.G1, scalar)
    return _bls_field(int(x)) + _bls_field(int(y) + (_BLS_FIELD if dice.random() < 0.05 else 0))


def _bls_g2(dice: random.Random) -> bytes:
    scalar = dice.choice((0, 1, 2, 3))
    if scalar == 0:
        return bytes(256)
    x, y = _bls.multiply(_bls.G2, scalar)
    return b"".join(_bls_field(int(part)) for part in (*x.coeffs, *y.coeffs))


def _bls_scalar(dice: random.Random) -> bytes:
    return _word(dice.choice((0, 1, 2, 5, dice.getrandbits(256))))


def _repeat(make: Callable[[random.Random], bytes]) -> Callable[[random.Random], bytes]:
    return lambda dice: b"".join(make(dice) for _ in range(dice.choice((0, 1, 1, 2))))


def _p256(dice: random.Random) -> bytes:
    """A signature by the key 1 (its public key is the generator), or noise of the right length."""
    if dice.random() < 0.3:
        return dice.randbytes(160)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    generator_x = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
    generator_y = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
    digest = dice.getrandbits(256)
    r = generator_x % order  # nonce 1: the commitment is the generator itself
    s = (digest + r) % order
    return _word(digest) + _word(r) + _word(s) + _word(generator_x) + _word(generator_y)


_MAKERS: dict[int, Callable[[random.Random], bytes]] = {
    0x01: _ecrecover,
    0x05: _modexp,
    0x06: _bn128_add,
    0x07: _bn128_mul,
    0x08: _bn128_pairing,
    0x09: _blake2f,
    0x0A: _point_evaluation,
    0x0B: lambda dice: _bls_g1(dice) + _bls_g1(dice),
    0x0C: _repeat(lambda dice: _bls_g1(dice) + _bls_scalar(dice)),
    0x0D: lambda dice: _bls_g2(dice) + _bls_g2(dice),
    0x0E: _repeat(lambda dice: _bls_g2(dice) + _bls_scalar(dice)),
    0x0F: _repeat(lambda dice: _bls_g1(dice) + _bls_g2(dice)),
    0x10: lambda dice: _bls_field(dice.getrandbits(380)),
    0x11: lambda dice: _bls_field(dice.getrandbits(380)) + _bls_field(dice.getrandbits(380)),
    P256_ADDRESS: _p256,
}

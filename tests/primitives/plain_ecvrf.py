"""ECVRF of RFC 9381 a second time, in integers: try-and-increment, SHA-256, curves of prime order.

It shares nothing with the Rust one, is checked against the RFC's vectors, and takes its time: some 50 ms to
verify.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

Point = tuple[int, int] | None
"""x and y, or None for the point at infinity."""


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + a·x + b over a prime field, with its base point, and the suite's octet."""

    suite: int
    prime: int
    a: int
    b: int
    order: int
    base: tuple[int, int]

    def add(self, left: Point, right: Point) -> Point:
        """The sum of two points."""
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 != x2:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.prime)
        elif y1 == y2:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.prime)
        else:
            return None
        x = (slope * slope - x1 - x2) % self.prime
        return x, (slope * (x1 - x) - y1) % self.prime

    def multiply(self, scalar: int, point: Point) -> Point:
        """A point added to itself so many times."""
        total: Point = None
        while scalar:
            if scalar & 1:
                total = self.add(total, point)
            point = self.add(point, point)
            scalar >>= 1
        return total

    def holds(self, x: int, y: int) -> bool:
        """Whether there is such a point."""
        return max(x, y) < self.prime and (y * y - x**3 - self.a * x - self.b) % self.prime == 0

    def decompress(self, raw: bytes) -> Point:
        """The point of 33 bytes; None where they are no point's. Both primes are 3 modulo 4."""
        x = int.from_bytes(raw[1:], "big")
        square = (x**3 + self.a * x + self.b) % self.prime
        y = pow(square, (self.prime + 1) // 4, self.prime)
        if raw[0] not in (2, 3) or not self.holds(x, y):
            return None
        return x, y if y % 2 == raw[0] % 2 else self.prime - y

    def hash(self, front: int, *parts: bytes) -> bytes:
        """SHA-256 over the suite, what the hash is for, the parts, and the closing zero."""
        return hashlib.sha256(bytes((self.suite, front)) + b"".join(parts) + b"\0").digest()


SECP256K1 = Curve(
    suite=0xFE,
    prime=2**256 - 2**32 - 977,
    a=0,
    b=7,
    order=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    base=(
        0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
        0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
    ),
)
P256 = Curve(
    suite=0x01,
    prime=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=-3,
    b=0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
    order=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    base=(
        0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
        0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
    ),
)


def compress(point: Point) -> bytes:
    """The 33 bytes of a point, or the single one of the point at infinity (SEC 1 section 2.3.3)."""
    return b"\0" if point is None else bytes((2 + point[1] % 2,)) + point[0].to_bytes(32, "big")


def public_key(curve: Curve, secret: int) -> bytes:
    """The 33-byte public key of a secret number."""
    return compress(curve.multiply(secret, curve.base))


def encode_to_curve(curve: Curve, key: bytes, alpha: bytes) -> Point:
    """Section 5.4.1.1: the first counter whose hash is a point's x."""
    candidates = (curve.decompress(b"\2" + curve.hash(1, key, alpha, bytes((n,)))) for n in range(256))
    return next(point for point in candidates if point is not None)


def nonce(curve: Curve, secret: int, message: bytes) -> int:
    """RFC 6979 section 3.2 for a hash and an order of 256 bits."""
    number = int.from_bytes(hashlib.sha256(message).digest(), "big") % curve.order
    seed = secret.to_bytes(32, "big") + number.to_bytes(32, "big")
    key, value = bytes(32), b"\1" * 32
    for step in (b"\0", b"\1"):
        key = hmac.digest(key, value + step + seed, "sha256")
        value = hmac.digest(key, value, "sha256")
    while True:
        value = hmac.digest(key, value, "sha256")
        if 0 < (found := int.from_bytes(value, "big")) < curve.order:
            return found
        key = hmac.digest(key, value + b"\0", "sha256")
        value = hmac.digest(key, value, "sha256")


def prove(curve: Curve, secret: int, alpha: bytes, k: int | None = None) -> bytes:
    """Section 5.1; `k` takes the place of the nonce, for those who would cheat with it."""
    key = public_key(curve, secret)
    point = encode_to_curve(curve, key, alpha)
    if k is None:
        k = nonce(curve, secret, compress(point))
    gamma = compress(curve.multiply(secret, point))
    u, v = curve.multiply(k, curve.base), curve.multiply(k, point)
    challenge = curve.hash(2, key, compress(point), gamma, compress(u), compress(v))[:16]
    scalar = (k + int.from_bytes(challenge, "big") * secret) % curve.order
    return gamma + challenge + scalar.to_bytes(32, "big")


def verify(curve: Curve, key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """Section 5.3: the output, or None where the proof does not hold. Infinity has no 33 bytes."""
    if len(proof) != 81:
        return None
    gamma_bytes, challenge, scalar = proof[:33], proof[33:49], int.from_bytes(proof[49:], "big")
    public, gamma = curve.decompress(key), curve.decompress(gamma_bytes)
    if public is None or gamma is None or scalar >= curve.order:
        return None
    point = encode_to_curve(curve, key, alpha)
    minus = -int.from_bytes(challenge, "big") % curve.order
    u = curve.add(curve.multiply(scalar, curve.base), curve.multiply(minus, public))
    v = curve.add(curve.multiply(scalar, point), curve.multiply(minus, gamma))
    if u is None or v is None:
        return None
    if curve.hash(2, key, compress(point), gamma_bytes, compress(u), compress(v))[:16] != challenge:
        return None
    return curve.hash(3, gamma_bytes)

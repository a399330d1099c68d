"""Signed transactions from plans: encoding by hand, so that flawed ones can be written as well."""

from __future__ import annotations

from dataclasses import dataclass

from . import rlp
from .blocks import keccak256
from .curves import SECP256K1_ORDER, sign
from .plan import Authorization, Transaction

_SET_CODE_MAGIC = b"\x05"
"""EIP-7702: first byte of what an authority signs."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a unit costs in the block that shall hold the transaction, in wei."""

    base_fee: int
    blob_price: int


@dataclass(frozen=True, slots=True)
class Fees:
    """The fee fields a transaction ends up with."""

    cap: int
    tip: int
    blob_cap: int

    @classmethod
    def of(cls, plan: Transaction, prices: Prices) -> Fees:
        """Absolute fees from relative ones; never negative."""
        cap = max(0, prices.base_fee + plan.fee_surplus)
        return cls(cap, max(0, plan.tip), max(0, prices.blob_price + plan.blob_fee_surplus))


def sign_transaction(plan: Transaction, nonce: int, nonces: dict[int, int], prices: Prices) -> rlp.Item:
    """The transaction as it stands in a block: a list for a legacy one, bytes for a typed one.

    ``nonces`` gives the account nonce of each authority's secret before this transaction.
    """
    fees = Fees.of(plan, prices)
    nonce = plan.nonce_fixed if plan.nonce_fixed is not None else max(0, nonce + plan.nonce_shift)
    if plan.kind == 0:
        return _sign_legacy(plan, nonce, fees)
    payload = _typed_payload(plan, nonce, fees, nonces)
    prefix = bytes([0x7E if plan.flaw == "unknown_type" else plan.kind])
    parity, r, s = _flawed(plan.flaw, *sign(plan.secret, keccak256(prefix + rlp.encode(payload))))
    return prefix + rlp.encode([*payload, rlp.quantity(parity), rlp.quantity(r), rlp.quantity(s)])


def _sign_legacy(plan: Transaction, nonce: int, fees: Fees) -> rlp.Item:
    payload: list[rlp.Item] = [
        rlp.quantity(nonce), rlp.quantity(fees.cap), rlp.quantity(plan.gas_limit), plan.to,
        rlp.quantity(plan.value), plan.data,
    ]  # fmt: skip
    protected = [] if plan.chain_id is None else [rlp.quantity(plan.chain_id), b"", b""]
    parity, r, s = _flawed(plan.flaw, *sign(plan.secret, keccak256(rlp.encode([*payload, *protected]))))
    v = parity + (27 if plan.chain_id is None else 35 + 2 * plan.chain_id)
    return [*payload, rlp.quantity(v), rlp.quantity(r), rlp.quantity(s)]


def _typed_payload(plan: Transaction, nonce: int, fees: Fees, nonces: dict[int, int]) -> list[rlp.Item]:
    chain_id = rlp.quantity(plan.chain_id or 0)
    price = [fees.cap] if plan.kind == 1 else [fees.tip, fees.cap]
    payload: list[rlp.Item] = [
        chain_id,
        rlp.quantity(nonce),
        *map(rlp.quantity, price),
        rlp.quantity(plan.gas_limit),
    ]
    access: list[rlp.Item] = [
        [address, [slot.to_bytes(32, "big") for slot in slots]] for address, slots in plan.access_list
    ]
    payload += [plan.to, rlp.quantity(plan.value), plan.data, access]
    if plan.kind == 3:
        payload += [rlp.quantity(fees.blob_cap), list(plan.blob_hashes)]
    if plan.kind == 4:
        payload += [[sign_authorization(one, nonces.get(one.signer, 0)) for one in plan.authorizations]]
    return payload


def authorization_fields(plan: Authorization, nonce: int) -> tuple[int, bytes, int, int, int, int]:
    """(chain id, address, nonce, y parity, r, s) of a signed authorization."""
    nonce = max(0, nonce + plan.nonce_shift)
    message: list[rlp.Item] = [rlp.quantity(plan.chain_id), plan.address, rlp.quantity(nonce)]
    digest = keccak256(_SET_CODE_MAGIC + rlp.encode(message))
    parity, r, s = _flawed(plan.flaw, *sign(plan.signer, digest))
    return plan.chain_id, plan.address, nonce, parity, r, s


def sign_authorization(plan: Authorization, nonce: int) -> rlp.Item:
    """A signed authorization as an RLP item."""
    fields = authorization_fields(plan, nonce)
    return [value if isinstance(value, bytes) else rlp.quantity(value) for value in fields]


def _flawed(flaw: str, parity: int, r: int, s: int) -> tuple[int, int, int]:
    match flaw:
        case "high_s":
            return 1 - parity, r, SECP256K1_ORDER - s
        case "zero_r":
            return parity, 0, s
        case "huge_r":
            return parity, SECP256K1_ORDER + 1, s
        case "bad_parity":
            return parity + 2, r, s
        case _:
            return parity, r, s

"""Accounts as of a block: balance, nonce, code, storage, and proofs of them."""

from __future__ import annotations

from typing import Final

import msgspec

from coc.primitives.limits_rpc import RPC_PROOF_SLOTS_MAX
from coc.primitives.types import format_data, format_quantity
from coc.rpc.block_refs import BLOCK, BlockRef, Tag, resolve
from coc.rpc.jobs import Answer, Pooled
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.parameters import (
    ADDRESS,
    STORAGE_SLOT,
    Kind,
    Parameter,
    decode_storage_slot,
    list_of,
)


class _StorageProof(msgspec.Struct, frozen=True):
    """One entry of a proof's `storageProof`."""

    key: str
    value: msgspec.Raw
    proof: msgspec.Raw


_FULL_SLOT_CHARS: Final = 66


def get_balance(context: Context, address: bytes, ref: BlockRef) -> Answer:
    """Balance in wei."""
    return format_quantity(context.chain.account(resolve(context.chain, ref), address)[1])


def get_transaction_count(context: Context, address: bytes, ref: BlockRef) -> Answer:
    """Nonce; for `pending`, the one that the next transaction should carry."""
    if ref is Tag.PENDING:
        waiting = context.pool.next_nonce(address)
        if waiting is not None:
            return format_quantity(waiting)
    return format_quantity(context.chain.account(resolve(context.chain, ref), address)[0])


def get_code(context: Context, address: bytes, ref: BlockRef) -> Answer:
    """The account's code, empty for one without."""
    return format_data(context.chain.code(resolve(context.chain, ref), address))


def get_storage_at(context: Context, address: bytes, slot: bytes, ref: BlockRef) -> Answer:
    """The 32 bytes at a storage slot."""
    return format_data(context.chain.storage(resolve(context.chain, ref), address, slot))


def get_proof(context: Context, address: bytes, keys: list[tuple[bytes, str]], ref: BlockRef) -> Answer:
    """Account and slots with Merkle proofs against the block's state root (EIP-1186)."""
    chain = context.chain
    block = resolve(chain, ref)

    def prove() -> Answer:
        return _with_keys_as_sent(chain.proof_json(block, address, [slot for slot, _ in keys]), keys)

    return Pooled(prove)


def _decode_key(value: object) -> tuple[bytes, str]:
    """A slot, and how the answer names it: in full where it was sent so, otherwise as a quantity."""
    slot = decode_storage_slot(value)
    full = isinstance(value, str) and len(value) == _FULL_SLOT_CHARS
    return slot, format_data(slot) if full else format_quantity(int.from_bytes(slot, "big"))


def _with_keys_as_sent(proof: bytes, keys: list[tuple[bytes, str]]) -> Answer:
    members = msgspec.json.decode(proof, type=dict[str, msgspec.Raw])
    entries = msgspec.json.decode(members["storageProof"], type=list[_StorageProof])
    named = [
        _StorageProof(key, entry.value, entry.proof) for (_, key), entry in zip(keys, entries, strict=True)
    ]
    members["storageProof"] = msgspec.Raw(msgspec.json.encode(named))
    return members


_ADDRESS: Final = Parameter("address", ADDRESS)
_BLOCK: Final = Parameter("block", BLOCK, default=Tag.LATEST)
_KEYS: Final = list_of(Kind("storage slot", _decode_key), RPC_PROOF_SLOTS_MAX, "RPC_PROOF_SLOTS_MAX")

METHODS: Final = (
    Method(
        "eth_getBalance",
        get_balance,
        (_ADDRESS, _BLOCK),
        returns="quantity, wei",
        doc="Balance of an account.",
    ),
    Method(
        "eth_getTransactionCount",
        get_transaction_count,
        (_ADDRESS, _BLOCK),
        returns="quantity",
        doc="Nonce of an account; `pending` counts its transactions in the pool.",
    ),
    Method("eth_getCode", get_code, (_ADDRESS, _BLOCK), cost=2, returns="data", doc="Code of an account."),
    Method(
        "eth_getStorageAt",
        get_storage_at,
        (_ADDRESS, Parameter("slot", STORAGE_SLOT), _BLOCK),
        returns="data, 32 bytes",
        doc="Value at a storage slot; short and odd-length slots such as `0x0` are taken.",
    ),
    Method(
        "eth_getProof",
        get_proof,
        (_ADDRESS, Parameter("storage slots", _KEYS), _BLOCK),
        runs=Runs.POOLED,
        cost=10,
        returns="account with accountProof and storageProof",
        doc="An account and some of its slots with Merkle proofs (EIP-1186).",
    ),
)

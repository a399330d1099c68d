"""Faults of the header: every field wrong in turn, and headers of another fork's shape."""

from __future__ import annotations

from . import rlp
from .blocks import encode_header, keccak256
from .faults import Attempt, fault
from .networks import Fork


@fault("BlockException.UNKNOWN_PARENT")
def wrong_parent_hash(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(parent_hash=attempt.dice.randbytes(32))


@fault("BlockException.UNKNOWN_PARENT")
def child_of_itself(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(parent_hash=keccak256(rlp.encode(encode_header(attempt.fields))))


@fault("BlockException.INVALID_UNCLES_HASH")
def wrong_ommers_hash(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(ommers_hash=attempt.dice.randbytes(32))


@fault("BlockException.INVALID_STATE_ROOT")
def wrong_state_root(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(state_root=attempt.dice.randbytes(32))


@fault("BlockException.INVALID_STATE_ROOT")
def other_coinbase(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(coinbase=attempt.dice.randbytes(20))


@fault("BlockException.INVALID_TRANSACTIONS_ROOT")
def wrong_transactions_root(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(transactions_root=attempt.dice.randbytes(32))


@fault("BlockException.INVALID_RECEIPTS_ROOT")
def wrong_receipts_root(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(receipt_root=attempt.dice.randbytes(32))


@fault("BlockException.INVALID_LOG_BLOOM")
def wrong_bloom(attempt: Attempt) -> bytes | None:
    bloom = bytearray(attempt.bytes_in("bloom"))
    bloom[attempt.dice.randrange(256)] ^= 1 << attempt.dice.randrange(8)
    return attempt.with_fields(bloom=bytes(bloom))


@fault("BlockException.INVALID_DIFFICULTY")
def wrong_difficulty(attempt: Attempt) -> bytes | None:
    return attempt.shifted("difficulty", -1, 1, 2048)


@fault("BlockException.INVALID_BLOCK_NUMBER")
def wrong_number(attempt: Attempt) -> bytes | None:
    return attempt.shifted("number", -1, 1, 1000)


@fault("BlockException.INVALID_GASLIMIT")
def gas_limit_jumps(attempt: Attempt) -> bytes | None:
    parent = attempt.ledger.header()["gas_limit"]
    assert isinstance(parent, int)
    step = parent // 1024
    return attempt.with_fields(
        gas_limit=attempt.dice.choice((parent + step, parent - step, parent * 2, 2**63))
    )


@fault("BlockException.INVALID_GASLIMIT")
def gas_limit_below_minimum(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(gas_limit=4999)


@fault("BlockException.INVALID_GAS_USED")
def wrong_gas_used(attempt: Attempt) -> bytes | None:
    return attempt.shifted("gas_used", -1, 1, 21000)


@fault("BlockException.GAS_USED_OVERFLOW")
def gas_used_above_limit(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(gas_used=attempt.number_in("gas_limit") + 1)


@fault("BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT")
def parents_timestamp(attempt: Attempt) -> bytes | None:
    timestamp = attempt.ledger.header()["timestamp"]
    return attempt.with_fields(timestamp=timestamp)


@fault("BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT")
def falling_timestamp(attempt: Attempt) -> bytes | None:
    timestamp = attempt.ledger.header()["timestamp"]
    assert isinstance(timestamp, int)
    return attempt.with_fields(timestamp=timestamp - 1) if timestamp else None


@fault("BlockException.EXTRA_DATA_TOO_BIG")
def long_extra_data(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(extra_data=attempt.dice.randbytes(attempt.dice.choice((33, 100))))


@fault("BlockException.EXTRA_DATA_INVALID_DAO", Fork.DAO, Fork.DAO)
def without_dao_marker(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(extra_data=attempt.dice.choice((b"", b"dao-hard-forK", b"dao-hard-fork\0")))


@fault("BlockException.INVALID_BASEFEE_PER_GAS", Fork.LONDON)
def wrong_base_fee(attempt: Attempt) -> bytes | None:
    return attempt.shifted("base_fee_per_gas", -1, 1) if "base_fee_per_gas" in attempt.fields else None


@fault("BlockException.INVALID_NONCE", Fork.PARIS)
def nonce_after_the_merge(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(nonce=bytes(7) + b"\x01")


@fault("BlockException.IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS", Fork.PARIS)
def difficulty_after_the_merge(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(difficulty=attempt.dice.choice((1, 0x20000)))


@fault("BlockException.INVALID_STATE_ROOT", Fork.PARIS)
def other_randomness(attempt: Attempt) -> bytes | None:
    name = "prev_randao" if "prev_randao" in attempt.fields else "mix_digest"
    return attempt.with_fields(**{name: attempt.dice.randbytes(32)})


@fault("BlockException.INVALID_WITHDRAWALS_ROOT", Fork.SHANGHAI)
def wrong_withdrawals_root(attempt: Attempt) -> bytes | None:
    known = "withdrawals_root" in attempt.fields
    return attempt.with_fields(withdrawals_root=attempt.dice.randbytes(32)) if known else None


@fault("BlockException.INCORRECT_BLOB_GAS_USED", Fork.CANCUN)
def wrong_blob_gas_used(attempt: Attempt) -> bytes | None:
    return attempt.shifted("blob_gas_used", -(2**17), 2**17, 1) if "blob_gas_used" in attempt.fields else None


@fault("BlockException.INCORRECT_EXCESS_BLOB_GAS", Fork.CANCUN)
def wrong_excess_blob_gas(attempt: Attempt) -> bytes | None:
    known = "excess_blob_gas" in attempt.fields
    return attempt.shifted("excess_blob_gas", -(2**17), 2**17, 1) if known else None


@fault("BlockException.INVALID_STATE_ROOT", Fork.CANCUN)
def other_beacon_root(attempt: Attempt) -> bytes | None:
    known = "parent_beacon_block_root" in attempt.fields
    return attempt.with_fields(parent_beacon_block_root=attempt.dice.randbytes(32)) if known else None


@fault("BlockException.INVALID_REQUESTS", Fork.PRAGUE)
def wrong_requests_hash(attempt: Attempt) -> bytes | None:
    known = "requests_hash" in attempt.fields
    return attempt.with_fields(requests_hash=attempt.dice.randbytes(32)) if known else None


@fault("BlockException.INCORRECT_BLOCK_FORMAT")
def header_field_missing(attempt: Attempt) -> bytes | None:
    return rlp.encode(attempt.body.item(encode_header(attempt.fields)[:-1]))


@fault("BlockException.INCORRECT_BLOCK_FORMAT")
def header_field_too_many(attempt: Attempt) -> bytes | None:
    extra = attempt.dice.choice((b"", b"\x07", attempt.dice.randbytes(32)))
    return rlp.encode(attempt.body.item([*encode_header(attempt.fields), extra]))


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def header_number_with_leading_zero(attempt: Attempt) -> bytes | None:
    header = encode_header(attempt.fields)
    position = attempt.spec.header_names.index(
        attempt.dice.choice(("number", "gas_limit", "gas_used", "timestamp"))
    )
    value = header[position]
    assert isinstance(value, bytes)
    header[position] = b"\0" + value
    return rlp.encode(attempt.body.item(header))


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def header_hash_too_short(attempt: Attempt) -> bytes | None:
    return attempt.with_fields(state_root=attempt.bytes_in("state_root")[1:])

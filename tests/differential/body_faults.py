"""Faults of the body: transactions, ommers and withdrawals, and bytes that are no block."""

from __future__ import annotations

import dataclasses

from . import rlp
from .blocks import BlockBody, HeaderFields, encode_header
from .faults import Attempt, fault
from .networks import Fork

_MAX_OMMERS = 2
_MAX_OMMER_DEPTH = 6


def _with_transactions(attempt: Attempt, *transactions: rlp.Item) -> bytes:
    return attempt.with_body(dataclasses.replace(attempt.body, transactions=transactions))


def _with_ommers(attempt: Attempt, *ommers: HeaderFields) -> bytes:
    encoded: tuple[rlp.Item, ...] = tuple(encode_header(ommer) for ommer in ommers)
    return attempt.executed_again(dataclasses.replace(attempt.body, ommers=encoded))


def _rival(attempt: Attempt, generations: int = 0, coinbase: int = 1) -> HeaderFields | None:
    """A header beside an ancestor; None for the genesis block, which had no rivals."""
    if attempt.ledger.length - 1 <= generations:
        return None
    header = attempt.ledger.header(generations)
    return header | {"coinbase": coinbase.to_bytes(20, "big")}


@fault("BlockException.INVALID_STATE_ROOT")
def transaction_missing(attempt: Attempt) -> bytes | None:
    transactions = attempt.body.transactions
    return _with_transactions(attempt, *transactions[:-1]) if transactions else None


@fault("TransactionException.NONCE_MISMATCH_TOO_LOW")
def transaction_twice(attempt: Attempt) -> bytes | None:
    transactions = attempt.body.transactions
    return _with_transactions(attempt, *transactions, transactions[-1]) if transactions else None


@fault("BlockException.INVALID_STATE_ROOT")
def transactions_swapped(attempt: Attempt) -> bytes | None:
    transactions = attempt.body.transactions
    return _with_transactions(attempt, *reversed(transactions)) if len(transactions) > 1 else None


@fault("BlockException.INVALID_TRANSACTIONS_ROOT")
def transaction_dropped_but_not_from_the_root(attempt: Attempt) -> bytes | None:
    transactions = attempt.body.transactions
    if not transactions:
        return None
    return dataclasses.replace(attempt.body, transactions=transactions[1:]).encode(attempt.fields)


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def transaction_is_empty(attempt: Attempt) -> bytes | None:
    return _with_transactions(attempt, *attempt.body.transactions, [])


@fault("BlockException.RLP_STRUCTURES_ENCODING", Fork.BERLIN)
def typed_transaction_as_list(attempt: Attempt) -> bytes | None:
    for position, item in enumerate(attempt.body.transactions):
        if isinstance(item, bytes):
            transactions = list(attempt.body.transactions)
            transactions[position] = rlp.decode(item[1:])
            return _with_transactions(attempt, *transactions)
    return None


@fault("BlockException.RLP_STRUCTURES_ENCODING", Fork.BERLIN)
def legacy_transaction_as_string(attempt: Attempt) -> bytes | None:
    for position, item in enumerate(attempt.body.transactions):
        if not isinstance(item, bytes):
            transactions = list(attempt.body.transactions)
            transactions[position] = rlp.encode(item)
            return _with_transactions(attempt, *transactions)
    return None


@fault("TransactionException.INVALID_SIGNATURE_VRS")
def transaction_changed_after_signing(attempt: Attempt) -> bytes | None:
    for position, item in enumerate(attempt.body.transactions):
        if not isinstance(item, bytes):
            transactions = list(attempt.body.transactions)
            changed = list(item)
            changed[4] = rlp.quantity(int.from_bytes(bytes(item[4]), "big") + 1)  # type: ignore[arg-type]
            transactions[position] = changed
            return _with_transactions(attempt, *transactions)
    return None


@fault("BlockException.TOO_MANY_UNCLES", until=Fork.GRAY_GLACIER)
def three_ommers(attempt: Attempt) -> bytes | None:
    rivals = [_rival(attempt, 0, number) for number in range(1, _MAX_OMMERS + 2)]
    return _with_ommers(attempt, *(rival for rival in rivals if rival is not None))


@fault("BlockException.UNCLE_IN_CHAIN", until=Fork.GRAY_GLACIER)
def same_ommer_twice(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival, rival) if rival else None


@fault("BlockException.UNCLE_IS_ANCESTOR", until=Fork.GRAY_GLACIER)
def ancestor_as_ommer(attempt: Attempt) -> bytes | None:
    return _with_ommers(attempt, attempt.ledger.header(min(1, attempt.ledger.length - 1)))


@fault("BlockException.UNCLE_IS_BROTHER", until=Fork.GRAY_GLACIER)
def brother_as_ommer(attempt: Attempt) -> bytes | None:
    return _with_ommers(attempt, attempt.fields | {"coinbase": bytes(20)})


@fault("BlockException.UNCLE_PARENT_INCORRECT", until=Fork.GRAY_GLACIER)
def ommer_without_parent(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival | {"parent_hash": attempt.dice.randbytes(32)}) if rival else None


@fault("BlockException.INVALID_DIFFICULTY", until=Fork.GRAY_GLACIER)
def ommer_of_wrong_difficulty(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival | {"difficulty": 0x20001}) if rival else None


@fault("BlockException.INVALID_GASLIMIT", until=Fork.GRAY_GLACIER)
def ommer_of_wrong_gas_limit(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival | {"gas_limit": 2**40}) if rival else None


@fault("BlockException.INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT", until=Fork.GRAY_GLACIER)
def ommer_without_time(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival | {"timestamp": 0}) if rival else None


@fault("BlockException.EXTRA_DATA_TOO_BIG", until=Fork.GRAY_GLACIER)
def ommer_with_long_extra_data(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival | {"extra_data": bytes(33)}) if rival else None


@fault("BlockException.UNCLE_UNKNOWN_PARENT", until=Fork.GRAY_GLACIER)
def ommer_too_old(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt, _MAX_OMMER_DEPTH)
    return _with_ommers(attempt, rival) if rival else None


@fault("BlockException.UNCLE_IN_CHAIN", until=Fork.GRAY_GLACIER)
def ommer_included_before(attempt: Attempt) -> bytes | None:
    used = attempt.ledger.ommers(0)
    if not used:
        return None
    return attempt.executed_again(dataclasses.replace(attempt.body, ommers=(rlp.decode(used[0]),)))


@fault("BlockException.INVALID_STATE_ROOT", until=Fork.GRAY_GLACIER)
def ommer_not_paid(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt, 0, 0xABCDEF)
    if rival is None or attempt.body.ommers:
        return None
    return attempt.with_body(dataclasses.replace(attempt.body, ommers=(encode_header(rival),)))


@fault("BlockException.IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", Fork.PARIS)
def ommer_after_the_merge(attempt: Attempt) -> bytes | None:
    rival = _rival(attempt)
    return _with_ommers(attempt, rival) if rival else None


@fault("BlockException.INVALID_WITHDRAWALS_ROOT", Fork.SHANGHAI)
def withdrawal_too_many(attempt: Attempt) -> bytes | None:
    if attempt.body.withdrawals is None:
        return None
    extra: list[rlp.Item] = [b"\x01", b"\x01", attempt.dice.randbytes(20), b"\x05"]
    return attempt.with_body(
        dataclasses.replace(attempt.body, withdrawals=(*attempt.body.withdrawals, extra))
    )


@fault("BlockException.INCORRECT_BLOCK_FORMAT", Fork.SHANGHAI)
def withdrawals_absent(attempt: Attempt) -> bytes | None:
    return attempt.with_body(dataclasses.replace(attempt.body, withdrawals=None))


@fault("BlockException.INCORRECT_BLOCK_FORMAT", until=Fork.PARIS)
def withdrawals_too_early(attempt: Attempt) -> bytes | None:
    return attempt.with_body(dataclasses.replace(attempt.body, withdrawals=()))


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def trailing_bytes(attempt: Attempt) -> bytes | None:
    return attempt.with_fields() + b"\0"


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def cut_short(attempt: Attempt) -> bytes | None:
    raw = attempt.with_fields()
    return raw[: attempt.dice.choice((1, len(raw) // 2, len(raw) - 1))]


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def block_in_a_list(attempt: Attempt) -> bytes | None:
    return rlp.encode([attempt.body.item(encode_header(attempt.fields))])


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def body_parts_swapped(attempt: Attempt) -> bytes | None:
    header = encode_header(attempt.fields)
    body = BlockBody(attempt.body.ommers, attempt.body.transactions, attempt.body.withdrawals)
    return rlp.encode(body.item(header)) if attempt.body.transactions else None


@fault("BlockException.RLP_STRUCTURES_ENCODING")
def length_with_leading_zero(attempt: Attempt) -> bytes | None:
    raw = attempt.with_fields()
    if raw[0] < 0xF8:
        return None
    return bytes([raw[0] + 1, 0]) + raw[1:]

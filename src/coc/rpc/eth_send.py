"""Sending transactions: signed ones as they are, those of unlocked accounts after completing them."""

from __future__ import annotations

from typing import Final

from coc.primitives.frozen import replace
from coc.primitives.limits_rpc import RPC_CALL_GAS_MAX
from coc.primitives.types import format_data
from coc.rpc.call_object import TRANSACTION_OBJECT, CallObject
from coc.rpc.errors import invalid_params, refused, unavailable
from coc.rpc.eth_accounts import unlocked
from coc.rpc.faults import transaction_refusal
from coc.rpc.jobs import Answer, Pooled, Submit
from coc.rpc.methods import Context, Method, Runs
from coc.rpc.overrides import NO_OVERRIDES
from coc.rpc.parameters import DATA, Parameter
from coc.rpc.ports import Accepted, Outcome

_LEGACY: Final = 0
_ACCESS_LIST: Final = 1
_DYNAMIC_FEE: Final = 2
_SET_CODE: Final = 4
_JOURNAL_FAILED: Final = "JOURNAL_FAILED"


def send_raw_transaction(context: Context, raw: bytes) -> Answer:
    """Admit a signed transaction to the pool."""
    return Submit(raw, hash_or_refusal)


def send_transaction(context: Context, transaction: CallObject) -> Answer:
    """Complete, sign and admit a transaction of an unlocked account."""
    sender = unlocked(context, transaction.sender)
    complete = _completed(context, transaction)
    if complete.gas is not None:
        return _sign_and_submit(context, sender, complete)
    chain, head = context.chain, context.chain.head.hash
    text = complete.to_json()
    return Pooled(
        lambda: chain.estimate_gas(head, text, NO_OVERRIDES, RPC_CALL_GAS_MAX),
        lambda gas: _sign_and_submit(context, sender, replace(complete, gas=gas)),
    )


def sign_transaction(context: Context, transaction: CallObject) -> Answer:
    """Sign a transaction without sending it; what would be guessed must be stated."""
    sender = unlocked(context, transaction.sender)
    for name, member in (("gas", transaction.gas), ("nonce", transaction.nonce)):
        if member is None:
            raise invalid_params(f"{name} not specified; signing does not guess it")
    if transaction.gas_price is None and transaction.max_fee_per_gas is None:
        raise invalid_params(
            "missing gasPrice or maxFeePerGas/maxPriorityFeePerGas; signing does not guess them"
        )
    return format_data(_signed(context, sender, _completed(context, transaction)))


def hash_or_refusal(outcome: Outcome) -> Answer:
    """The hash of an admitted transaction.

    Raises:
        CallError: -32000 with the reason for a refusal; -32002 when the pool could not keep its promise.
    """
    if isinstance(outcome, Accepted):
        return format_data(outcome.hash)
    if isinstance(outcome, Exception):
        raise outcome
    if outcome.code == _JOURNAL_FAILED:
        raise unavailable(outcome.reason)
    raise refused(transaction_refusal(outcome.code, outcome.reason))


def _completed(context: Context, transaction: CallObject) -> CallObject:
    """Fill in type, chain id, value and fees, as far as the client has not stated them."""
    chain = context.chain
    if transaction.chain_id not in (None, chain.chain_id):
        raise invalid_params(
            f"chainId does not match node's (have={transaction.chain_id}, want={chain.chain_id})"
        )
    if transaction.blob_hashes is not None or transaction.max_fee_per_blob_gas is not None:
        raise invalid_params(
            "blob transactions are not signed here; sign them yourself and use eth_sendRawTransaction"
        )
    if transaction.to is None and not transaction.data:
        raise invalid_params("contract creation without any data provided")
    kind = _type_of(context, transaction)
    complete = replace(
        transaction,
        type=kind,
        chain_id=chain.chain_id,
        value=transaction.value or 0,
        data=transaction.data or b"",
    )
    if kind != _LEGACY and complete.access_list is None:
        complete = replace(complete, access_list=[])
    tip = context.fees.priority_fee(chain)
    next_base_fee = 0 if chain.head.base_fee_per_gas is None else chain.next_base_fee(chain.head.hash)
    if kind in (_LEGACY, _ACCESS_LIST):
        return (
            complete if complete.gas_price is not None else replace(complete, gas_price=next_base_fee + tip)
        )
    if complete.max_priority_fee_per_gas is None:
        cap = complete.max_fee_per_gas
        complete = replace(complete, max_priority_fee_per_gas=tip if cap is None else min(tip, cap))
    if complete.max_fee_per_gas is None:
        complete = replace(
            complete, max_fee_per_gas=2 * next_base_fee + (complete.max_priority_fee_per_gas or 0)
        )
    return complete


def _type_of(context: Context, transaction: CallObject) -> int:
    if transaction.authorizations is not None:
        return _SET_CODE
    dynamic = transaction.max_fee_per_gas is not None or transaction.max_priority_fee_per_gas is not None
    stated = transaction.type
    if stated is not None:
        known = (_LEGACY, _ACCESS_LIST, _DYNAMIC_FEE)
        if stated not in known:
            raise invalid_params(
                f"transaction type {stated:#x} cannot be completed here; want one of 0x0, 0x1, 0x2, 0x4"
            )
        if dynamic and stated != _DYNAMIC_FEE:
            raise invalid_params(
                f"maxFeePerGas and maxPriorityFeePerGas do not go with transaction type {stated:#x}"
            )
        if transaction.gas_price is not None and stated == _DYNAMIC_FEE:
            raise invalid_params("gasPrice does not go with transaction type 0x2; use maxFeePerGas")
        return stated
    if dynamic or (transaction.gas_price is None and context.chain.head.base_fee_per_gas is not None):
        return _DYNAMIC_FEE
    return _LEGACY if transaction.access_list is None else _ACCESS_LIST


def _sign_and_submit(context: Context, sender: bytes, transaction: CallObject) -> Answer:
    """Choose the nonce as late as possible, sign and hand over; the nonce is taken until the pool answers."""
    stated = transaction.nonce
    nonce = context.nonces.take(sender, _next_nonce(context, sender)) if stated is None else stated
    try:
        raw = _signed(context, sender, replace(transaction, nonce=nonce))
    except BaseException:
        _give_back(context, sender, nonce, stated)
        raise

    def then(outcome: Outcome) -> Answer:
        _give_back(context, sender, nonce, stated)
        return hash_or_refusal(outcome)

    return Submit(raw, then)


def _give_back(context: Context, sender: bytes, nonce: int, stated: int | None) -> None:
    if stated is None:
        context.nonces.give_back(sender, nonce)


def _next_nonce(context: Context, sender: bytes) -> int:
    waiting = context.pool.next_nonce(sender)
    return context.chain.account(context.chain.head.hash, sender)[0] if waiting is None else waiting


def _signed(context: Context, sender: bytes, transaction: CallObject) -> bytes:
    try:
        return context.accounts.sign_transaction(sender, transaction.to_json())
    except ValueError as error:
        raise invalid_params(f"the transaction cannot be signed: {error}") from None


METHODS: Final = (
    Method(
        "eth_sendRawTransaction",
        send_raw_transaction,
        (Parameter("transaction", DATA),),
        runs=Runs.WAITING,
        cost=10,
        returns="transaction hash",
        doc="Put a signed transaction into the pool; it is answered when it is in the pool's journal.",
    ),
    Method(
        "eth_sendTransaction",
        send_transaction,
        (Parameter("transaction", TRANSACTION_OBJECT),),
        runs=Runs.WAITING,
        cost=30,
        returns="transaction hash",
        doc="Complete, sign and send a transaction of an unlocked development account.",
    ),
    Method(
        "eth_signTransaction",
        sign_transaction,
        (Parameter("transaction", TRANSACTION_OBJECT),),
        cost=10,
        returns="data, the signed transaction",
        doc="Sign a complete transaction of an unlocked development account without sending it.",
    ),
)

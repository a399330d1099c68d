"""Names of refusals: what the specification raises, in the words of the public test suites."""

from __future__ import annotations

_BY_EXCEPTION = {
    "InsufficientBalanceError": "TransactionException.INSUFFICIENT_ACCOUNT_FUNDS",
    "InvalidSenderError": "TransactionException.SENDER_NOT_EOA",
    "InvalidSignatureError": "TransactionException.INVALID_SIGNATURE_VRS",
    "GasUsedExceedsLimitError": "TransactionException.GAS_ALLOWANCE_EXCEEDED",
    "InsufficientTransactionGasError": "TransactionException.INTRINSIC_GAS_TOO_LOW",
    "NonceOverflowError": "TransactionException.NONCE_IS_MAX",
    "TransactionTypeError": "TransactionException.TYPE_NOT_SUPPORTED",
    "InvalidTransaction": "TransactionException.TYPE_NOT_SUPPORTED",
    "TransactionTypeContractCreationError": "TransactionException.TYPE_3_TX_CONTRACT_CREATION",
    "BlobGasLimitExceededError": "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
    "BlobCountExceededError": "TransactionException.TYPE_3_TX_BLOB_COUNT_EXCEEDED",
    "InsufficientMaxFeePerBlobGasError": "TransactionException.INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",
    "InsufficientMaxFeePerGasError": "TransactionException.INSUFFICIENT_MAX_FEE_PER_GAS",
    "InvalidBlobVersionedHashError": "TransactionException.TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
    "NoBlobDataError": "TransactionException.TYPE_3_TX_ZERO_BLOBS",
    "PriorityFeeGreaterThanMaxFeeError": "TransactionException.PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
    "EmptyAuthorizationListError": "TransactionException.TYPE_4_EMPTY_AUTHORIZATION_LIST",
    "InitCodeTooLargeError": "TransactionException.INITCODE_SIZE_EXCEEDED",
    "TransactionGasLimitExceededError": "TransactionException.GAS_LIMIT_EXCEEDS_MAXIMUM",
    "DecodingError": "BlockException.RLP_STRUCTURES_ENCODING",
}

_BY_MESSAGE = {
    "InvalidSignatureError: wrong chain id": "TransactionException.INVALID_CHAINID",
    "NonceMismatchError: nonce too low": "TransactionException.NONCE_MISMATCH_TOO_LOW",
    "NonceMismatchError: nonce too high": "TransactionException.NONCE_MISMATCH_TOO_HIGH",
    "InvalidBlock: System contract address": "BlockException.SYSTEM_CONTRACT_EMPTY",
    "InvalidBlock: System contract (": "BlockException.SYSTEM_CONTRACT_CALL_FAILED",
    "InvalidBlock: Invalid": "BlockException.INVALID_DEPOSIT_EVENT_LAYOUT",
    "InvalidBlock: Block rlp size": "BlockException.RLP_BLOCK_LIMIT_EXCEEDED",
}


def refusal_name(reason: str, otherwise: str = "BlockException") -> str:
    """The public name for a reason such as ``"NonceMismatchError: nonce too low"``."""
    for beginning, name in _BY_MESSAGE.items():
        if reason.startswith(beginning):
            return name
    return _BY_EXCEPTION.get(reason.partition(":")[0], otherwise)

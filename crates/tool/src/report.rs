//! The `result` object of a transition, with go-ethereum's names.

use crate::environment::Environment;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use coc_evm::executor::{Executed, roots};
use coc_evm::fork::Fork;
use coc_evm::requests::requests_hash;
use coc_evm::transaction::{TransactionInvalid, blob_gas};
use coc_evm::types::{Outcome, Receipt, Transaction, effective_gas_price};
use serde_json::{Map, Value, json};

/// What go-ethereum's tool gives as the hash of the block it makes: there is no header to hash.
const BLOCK_HASH: B256 = {
    let mut hash = [0u8; 32];
    (hash[0], hash[1]) = (0x13, 0x37);
    B256::new(hash)
};

/// A transaction that is in the block.
pub struct Included {
    /// The transaction.
    pub transaction: Transaction,
    /// Who sent it.
    pub sender: Address,
}

/// A transaction that is not in the block.
pub struct Rejected {
    /// Its place in the list that was given.
    pub index: usize,
    /// Why.
    pub reason: TransactionInvalid,
}

/// The whole object; `block_exception` is the rule the block as a whole breaks.
pub fn result(
    environment: &Environment,
    executed: &Executed,
    included: &[Included],
    rejected: &[Rejected],
    block_exception: Option<&str>,
) -> Value {
    let (header, rules) = (&environment.header, &environment.rules);
    let transactions: Vec<Transaction> =
        included.iter().map(|included| included.transaction.clone()).collect();
    let logs: Vec<_> = executed.receipts.iter().flat_map(|receipt| receipt.logs.iter()).collect();
    let mut result = Map::new();
    let mut put = |name: &str, value: Value| result.insert(name.into(), value);
    put("stateRoot", executed.state.accounts.root_hash().to_string().into());
    put("txRoot", roots::transactions(&transactions).to_string().into());
    put("receiptsRoot", roots::receipts(&executed.receipts).to_string().into());
    put("logsHash", logs_hash(&logs).to_string().into());
    put("logsBloom", executed.bloom.to_string().into());
    put("receipts", receipts(environment, &executed.receipts, included));
    if !rejected.is_empty() {
        put(
            "rejected",
            rejected.iter().map(|one| json!({"index": one.index, "error": wording(&one.reason)})).collect(),
        );
    }
    let difficulty = if rules.at_least(Fork::Paris) { Value::Null } else { number(header.difficulty) };
    put("currentDifficulty", difficulty);
    put("gasUsed", number(executed.gas_used));
    if let Some(base_fee) = header.base_fee_per_gas {
        put("currentBaseFee", number(base_fee));
    }
    if rules.at_least(Fork::Shanghai) {
        put("withdrawalsRoot", roots::withdrawals(&environment.withdrawals).to_string().into());
    }
    if let Some(excess) = header.excess_blob_gas {
        put("currentExcessBlobGas", number(excess));
        put("blobGasUsed", number(executed.blob_gas_used));
    }
    if let Some(requests) = &executed.requests {
        let filled: Vec<&Bytes> = requests.iter().filter(|request| request.len() > 1).collect();
        put("requestsHash", requests_hash(requests).to_string().into());
        put("requests", filled.into_iter().map(hex::encode_prefixed).collect());
    }
    if let Some(exception) = block_exception {
        put("blockException", exception.into());
    }
    Value::Object(result)
}

fn number(value: impl std::fmt::LowerHex) -> Value {
    format!("{value:#x}").into()
}

fn logs_hash(logs: &[&alloy_primitives::Log]) -> B256 {
    let mut rlp = Vec::new();
    alloy_rlp::encode_list::<_, alloy_primitives::Log>(logs, &mut rlp);
    keccak256(rlp)
}

fn receipts(environment: &Environment, receipts: &[Receipt], included: &[Included]) -> Value {
    let mut first_log = 0;
    let one = |(index, (receipt, included)): (usize, (&Receipt, &Included))| {
        let entry = receipt_entry(environment, index, first_log, receipt, included);
        first_log += receipt.logs.len();
        entry
    };
    receipts.iter().zip(included).enumerate().map(one).collect()
}

fn receipt_entry(
    environment: &Environment,
    index: usize,
    first_log: usize,
    receipt: &Receipt,
    included: &Included,
) -> Value {
    let (header, rules) = (&environment.header, &environment.rules);
    let transaction = &included.transaction;
    let created =
        if transaction.to().is_none() { included.sender.create(transaction.nonce()) } else { Address::ZERO };
    let (root, status) = match receipt.outcome {
        Outcome::Root(root) => (root.to_string(), None),
        Outcome::Status(status) => ("0x".to_owned(), Some(status)),
    };
    let log = |(position, log): (usize, &alloy_primitives::Log)| {
        json!({
            "address": format!("{:#x}", log.address),
            "topics": log.topics().iter().map(B256::to_string).collect::<Vec<_>>(),
            "data": hex::encode_prefixed(&log.data.data),
            "blockNumber": number(header.number),
            "blockHash": BLOCK_HASH.to_string(),
            "transactionHash": transaction.tx_hash().to_string(),
            "transactionIndex": number(index),
            "logIndex": number(first_log + position),
            "removed": false,
        })
    };
    let mut entry = json!({
        "type": number(receipt.tx_type),
        "root": root,
        // Before Byzantium a receipt does not say whether its transaction succeeded.
        "status": status.map(|status| number(u8::from(status))),
        "cumulativeGasUsed": number(receipt.cumulative_gas_used),
        "logsBloom": receipt.bloom.to_string(),
        "logs": receipt.logs.iter().enumerate().map(log).collect::<Vec<_>>(),
        "transactionHash": transaction.tx_hash().to_string(),
        "contractAddress": format!("{created:#x}"),
        "gasUsed": number(receipt.gas_used),
        "effectiveGasPrice": number(effective_gas_price(transaction, header.base_fee_per_gas)),
        "blockHash": BLOCK_HASH.to_string(),
        "blockNumber": number(header.number),
        "transactionIndex": number(index),
    });
    if let (3, Some(blobs), Some(excess)) = (receipt.tx_type, rules.blobs, header.excess_blob_gas) {
        entry["blobGasUsed"] = number(blob_gas(transaction));
        entry["blobGasPrice"] = number(blobs.base_fee(excess));
    }
    entry
}

/// A refusal in go-ethereum's words, which test generators compare, followed by ours.
fn wording(reason: &TransactionInvalid) -> String {
    let words = match reason.code {
        "NONCE_MISMATCH_TOO_LOW" => "nonce too low",
        "NONCE_MISMATCH_TOO_HIGH" => "nonce too high",
        "NONCE_IS_MAX" => "nonce has max value",
        "GAS_ALLOWANCE_EXCEEDED" => "gas limit reached",
        "GAS_LIMIT_EXCEEDS_MAXIMUM" => "transaction gas limit too high",
        "INITCODE_SIZE_EXCEEDED" => "max initcode size exceeded",
        "INSUFFICIENT_ACCOUNT_FUNDS" | "GASLIMIT_PRICE_PRODUCT_OVERFLOW" => {
            "insufficient funds for gas * price + value"
        }
        "INTRINSIC_GAS_TOO_LOW" => "intrinsic gas too low",
        "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST" => "insufficient gas for floor data gas cost",
        "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS" => "max priority fee per gas higher than max fee per gas",
        "INSUFFICIENT_MAX_FEE_PER_GAS" => "max fee per gas less than block base fee",
        "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS" => "max fee per blob gas less than block blob gas fee",
        "SENDER_NOT_EOA" => "sender not an eoa",
        "INVALID_CHAINID" => "invalid chain id for signer",
        "INVALID_SIGNATURE_VRS" => "invalid transaction v, r, s values",
        "TYPE_NOT_SUPPORTED" => "transaction type not supported",
        "TYPE_3_TX_ZERO_BLOBS" => "blob transaction missing blob hashes",
        "TYPE_3_TX_CONTRACT_CREATION" => "blob transaction of type create",
        "TYPE_3_TX_BLOB_COUNT_EXCEEDED" => "blob transaction has too many blobs",
        "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED" => "blob gas would exceed maximum allowance",
        "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH" => "blob has invalid hash version",
        "TYPE_4_EMPTY_AUTHORIZATION_LIST" => "EIP-7702 transaction with empty auth list",
        "TYPE_4_TX_CONTRACT_CREATION" => "EIP-7702 transaction cannot be used to create contract",
        _ => return reason.to_string(),
    };
    format!("{words}: {} ({})", reason.sentence, reason.code)
}

//! Blocks, transactions, receipts and logs as the execution APIs show them.

use crate::text::Text;
use alloy_consensus::Transaction as _;
use alloy_eips::{Encodable2718 as _, Typed2718 as _};
use alloy_primitives::{Address, B256, Log};
use coc_chain::record::StoredBlock;
use coc_evm::executor::block_env;
use coc_evm::fork::Rules;
use coc_evm::transaction::blob_gas;
use coc_evm::types::{Header, Outcome, Transaction, effective_gas_price};

/// Where a transaction stands; pending ones stand nowhere.
#[derive(Clone, Copy)]
pub struct Standing {
    /// Hash of the block.
    pub block_hash: B256,
    /// Its height.
    pub block_number: u64,
    /// Its timestamp.
    pub timestamp: u64,
    /// Index in the block.
    pub index: usize,
    /// Base fee of the block.
    pub base_fee: Option<u64>,
}

impl Standing {
    /// The place of the transaction at `index` of `block`.
    pub fn of(block: &StoredBlock, index: usize) -> Standing {
        let header = &block.block.header;
        Standing {
            block_hash: block.hash,
            block_number: header.number,
            timestamp: header.timestamp,
            index,
            base_fee: header.base_fee_per_gas,
        }
    }
}

/// The fields of a header (EIP-1474, execution-apis `Block`).
fn write_header(text: &mut Text, header: &Header, hash: &B256) {
    text.put_data("hash", hash);
    text.put_data("parentHash", header.parent_hash);
    text.put_data("sha3Uncles", header.ommers_hash);
    text.put_data("miner", header.beneficiary);
    text.put_data("stateRoot", header.state_root);
    text.put_data("transactionsRoot", header.transactions_root);
    text.put_data("receiptsRoot", header.receipts_root);
    text.put_data("logsBloom", header.logs_bloom);
    text.put256("difficulty", header.difficulty);
    text.put("number", header.number);
    text.put("gasLimit", header.gas_limit);
    text.put("gasUsed", header.gas_used);
    text.put("timestamp", header.timestamp);
    text.put_data("extraData", &header.extra_data);
    text.put_data("mixHash", header.mix_hash);
    text.put_data("nonce", header.nonce);
    if let Some(fee) = header.base_fee_per_gas {
        text.put("baseFeePerGas", fee);
    }
    if let Some(root) = header.withdrawals_root {
        text.put_data("withdrawalsRoot", root);
    }
    if let Some(used) = header.blob_gas_used {
        text.put("blobGasUsed", used);
    }
    if let Some(excess) = header.excess_blob_gas {
        text.put("excessBlobGas", excess);
    }
    if let Some(root) = header.parent_beacon_block_root {
        text.put_data("parentBeaconBlockRoot", root);
    }
    if let Some(hash) = header.requests_hash {
        text.put_data("requestsHash", hash);
    }
}

/// A block; transactions in full or as hashes.
pub fn block_json(block: &StoredBlock, full: bool) -> Vec<u8> {
    let body = &block.block.body;
    let mut text = Text::with_capacity(2_048 + block.rlp_length * 4);
    text.open('{');
    write_header(&mut text, &block.block.header, &block.hash);
    text.put("size", block.rlp_length as u64);
    text.put256("totalDifficulty", block.total_difficulty);
    text.key("transactions");
    text.open('[');
    for (index, transaction) in body.transactions.iter().enumerate() {
        if full {
            write_transaction(&mut text, transaction, block.senders[index], Some(Standing::of(block, index)));
        } else {
            text.data(transaction.tx_hash());
        }
    }
    text.close(']');
    text.key("uncles");
    text.open('[');
    for ommer in &body.ommers {
        text.data(ommer.hash_slow());
    }
    text.close(']');
    if let Some(withdrawals) = &body.withdrawals {
        text.key("withdrawals");
        text.open('[');
        for withdrawal in withdrawals.iter() {
            text.open('{');
            text.put("index", withdrawal.index);
            text.put("validatorIndex", withdrawal.validator_index);
            text.put_data("address", withdrawal.address);
            text.put("amount", withdrawal.amount);
            text.close('}');
        }
        text.close(']');
    }
    text.close('}');
    text.into_bytes()
}

/// An ommer: a block without a body.
pub fn ommer_json(header: &Header) -> Vec<u8> {
    let mut text = Text::with_capacity(2_048);
    text.open('{');
    write_header(&mut text, header, &header.hash_slow());
    text.put("size", alloy_rlp::Encodable::length(header) as u64);
    text.key("uncles");
    text.raw("[]");
    text.close('}');
    text.into_bytes()
}

/// A transaction (execution-apis `TransactionInfo`).
pub fn transaction_json(transaction: &Transaction, sender: Address, standing: Option<Standing>) -> Vec<u8> {
    let mut text = Text::with_capacity(1_024);
    write_transaction(&mut text, transaction, sender, standing);
    text.into_bytes()
}

fn write_transaction(
    text: &mut Text,
    transaction: &Transaction,
    sender: Address,
    standing: Option<Standing>,
) {
    let tx_type = transaction.ty();
    text.open('{');
    write_standing(text, standing);
    text.put_data("from", sender);
    text.put("gas", transaction.gas_limit());
    let base_fee = standing.and_then(|standing| standing.base_fee);
    let price = if standing.is_some() {
        effective_gas_price(transaction, base_fee)
    } else {
        transaction.max_fee_per_gas()
    };
    text.put("gasPrice", price);
    if let Some(tip) = transaction.max_priority_fee_per_gas() {
        text.put("maxFeePerGas", transaction.max_fee_per_gas());
        text.put("maxPriorityFeePerGas", tip);
    }
    if let Some(fee) = transaction.max_fee_per_blob_gas() {
        text.put("maxFeePerBlobGas", fee);
    }
    text.put_data("hash", transaction.tx_hash());
    text.put_data("input", transaction.input());
    text.put("nonce", transaction.nonce());
    text.put_optional("to", transaction.to());
    text.put256("value", transaction.value());
    text.put("type", tx_type);
    write_lists(text, transaction);
    if let Some(chain_id) = transaction.chain_id() {
        text.put("chainId", chain_id);
    }
    if let Some(hashes) = transaction.blob_versioned_hashes() {
        text.key("blobVersionedHashes");
        text.open('[');
        hashes.iter().for_each(|hash| text.data(hash));
        text.close(']');
    }
    let signature = transaction.signature();
    let parity = u64::from(signature.v());
    let v = match (tx_type, transaction.chain_id()) {
        (0, Some(chain_id)) => u128::from(chain_id) * 2 + 35 + u128::from(parity),
        (0, None) => 27 + u128::from(parity),
        _ => u128::from(parity),
    };
    text.put("v", v);
    text.put256("r", signature.r());
    text.put256("s", signature.s());
    if tx_type != 0 {
        text.put("yParity", parity);
    }
    text.close('}');
}

fn write_standing(text: &mut Text, standing: Option<Standing>) {
    match standing {
        Some(standing) => {
            text.put_data("blockHash", standing.block_hash);
            text.put("blockNumber", standing.block_number);
            text.put("transactionIndex", standing.index as u64);
        }
        None => {
            for key in ["blockHash", "blockNumber", "transactionIndex"] {
                text.key(key);
                text.null();
            }
        }
    }
}

fn write_lists(text: &mut Text, transaction: &Transaction) {
    if let Some(list) = transaction.access_list() {
        text.key("accessList");
        text.open('[');
        for item in &list.0 {
            text.open('{');
            text.put_data("address", item.address);
            text.key("storageKeys");
            text.open('[');
            item.storage_keys.iter().for_each(|key| text.data(key));
            text.close(']');
            text.close('}');
        }
        text.close(']');
    }
    if let Some(list) = transaction.authorization_list() {
        text.key("authorizationList");
        text.open('[');
        for authorization in list {
            text.open('{');
            text.put256("chainId", *authorization.chain_id());
            text.put_data("address", authorization.address());
            text.put("nonce", authorization.nonce());
            text.put("yParity", authorization.y_parity());
            text.put256("r", authorization.r());
            text.put256("s", authorization.s());
            text.close('}');
        }
        text.close(']');
    }
}

/// The receipt of the transaction at `index`; `rules` are those of the block.
pub fn receipt_json(block: &StoredBlock, index: usize, rules: &Rules) -> Vec<u8> {
    let first_log = block.receipts[..index].iter().map(|receipt| receipt.logs.len()).sum();
    let mut text = Text::with_capacity(2_048);
    write_receipt(&mut text, block, index, first_log, rules);
    text.into_bytes()
}

/// All receipts of a block.
pub fn receipts_json(block: &StoredBlock, rules: &Rules) -> Vec<u8> {
    let mut text = Text::with_capacity(1_536 * block.receipts.len() + 2);
    let mut first_log = 0;
    text.open('[');
    for (index, receipt) in block.receipts.iter().enumerate() {
        write_receipt(&mut text, block, index, first_log, rules);
        first_log += receipt.logs.len();
    }
    text.close(']');
    text.into_bytes()
}

fn write_receipt(text: &mut Text, block: &StoredBlock, index: usize, first_log: usize, rules: &Rules) {
    let (receipt, transaction) = (&block.receipts[index], &block.block.body.transactions[index]);
    let standing = Standing::of(block, index);
    text.open('{');
    text.put_data("blockHash", standing.block_hash);
    text.put("blockNumber", standing.block_number);
    text.put_optional("contractAddress", receipt.created);
    text.put("cumulativeGasUsed", receipt.cumulative_gas_used);
    text.put("effectiveGasPrice", effective_gas_price(transaction, standing.base_fee));
    text.put_data("from", block.senders[index]);
    text.put("gasUsed", receipt.gas_used);
    if transaction.is_eip4844() {
        let price = block_env(&block.block.header, rules).blob_excess_gas_and_price;
        text.put("blobGasUsed", blob_gas(transaction));
        text.put("blobGasPrice", price.map_or(0, |blob| blob.blob_gasprice));
    }
    text.key("logs");
    text.open('[');
    for (offset, log) in receipt.logs.iter().enumerate() {
        write_log(text, log, transaction.tx_hash(), standing, first_log + offset);
    }
    text.close(']');
    text.put_data("logsBloom", receipt.bloom);
    match receipt.outcome {
        Outcome::Status(status) => text.put("status", u8::from(status)),
        Outcome::Root(root) => text.put_data("root", root),
    }
    text.put_optional("to", transaction.to());
    text.put_data("transactionHash", transaction.tx_hash());
    text.put("transactionIndex", index as u64);
    text.put("type", receipt.tx_type);
    text.close('}');
}

/// One log of a block.
pub fn write_log(text: &mut Text, log: &Log, transaction_hash: &B256, standing: Standing, index: usize) {
    text.open('{');
    text.put_data("address", log.address);
    text.key("topics");
    text.open('[');
    log.topics().iter().for_each(|topic| text.data(topic));
    text.close(']');
    text.put_data("data", &log.data.data);
    text.put("blockNumber", standing.block_number);
    text.put_data("transactionHash", transaction_hash);
    text.put("transactionIndex", standing.index as u64);
    text.put_data("blockHash", standing.block_hash);
    text.put("logIndex", index as u64);
    text.key("removed");
    text.boolean(false);
    text.close('}');
}

/// Consensus encodings of a block's receipts.
pub fn receipts_raw(block: &StoredBlock) -> Vec<Vec<u8>> {
    block.receipts.iter().map(coc_evm::types::Receipt::consensus_bytes).collect()
}

/// Canonical encoding of a transaction.
pub fn transaction_raw(transaction: &Transaction) -> Vec<u8> {
    transaction.encoded_2718()
}

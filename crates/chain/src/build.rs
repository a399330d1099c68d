//! Making a block: the same transition as validating one, with transactions that do not fit left out.

use crate::chain::Chain;
use crate::consensus_data;
use crate::error::ChainError;
use crate::shared::Lineage;
use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_eips::Encodable2718 as _;
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, Bytes, U256};
use coc_evm::block::{BLOCK_RLP_MAX_OSAKA, Validated};
use coc_evm::executor::{BlockExecutor, roots};
use coc_evm::fork::{Fork, Rules};
use coc_evm::header::{base_fee_after, validate_header};
use coc_evm::requests::requests_hash;
use coc_evm::transaction::TransactionInvalid;
use coc_evm::types::{Block, Body, Header, Transaction};
use std::sync::Arc;

/// Bytes of a block kept free for its header and lists when transactions are chosen.
const BLOCK_RLP_MARGIN: usize = 4_096;
/// A block's gas limit may differ from its parent's by less than this part of it (yellow paper 45, 46).
const GAS_LIMIT_BOUND_DIVISOR: u64 = 1_024;

/// What the proposer decides about a block.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// Who gets the tips.
    pub beneficiary: Address,
    /// Free bytes, at most 32.
    pub extra_data: Bytes,
    /// The gas limit to move towards.
    pub gas_limit_target: u64,
    /// Consensus data as RLP (our chains).
    pub consensus_data: Bytes,
}

/// A built block, already a candidate.
pub struct Built {
    /// Its hash.
    pub hash: B256,
    /// Its RLP.
    pub rlp: Vec<u8>,
    /// Hashes of the transactions it holds.
    pub included: Vec<B256>,
    /// Transactions that were refused, and why.
    pub refused: Vec<(B256, TransactionInvalid)>,
    /// Gas it uses.
    pub gas_used: u64,
}

/// The next gas limit on the way from `parent` to `target`.
pub fn next_gas_limit(parent: u64, target: u64) -> u64 {
    let step = (parent / GAS_LIMIT_BOUND_DIVISOR).saturating_sub(1);
    target.clamp(parent.saturating_sub(step), parent.saturating_add(step)).max(coc_evm::header::GAS_LIMIT_MIN)
}

impl Chain {
    /// Builds a block on `parent` from `transactions` in the order given, until gas or `stop` says so.
    pub fn build(
        &self,
        parent: &B256,
        attributes: &Attributes,
        transactions: impl IntoIterator<Item = (Arc<Transaction>, Address)>,
        stop: impl Fn() -> bool,
    ) -> Result<Built, ChainError> {
        let parent = self.shared.parent(parent)?;
        let number = parent.header.number + 1;
        let rules = self.shared.schedule.rules(number, attributes.timestamp, parent.total_difficulty);
        let header = self.draft(&parent.header, parent.hash, &rules, attributes)?;
        let calls = self.shared.engine.calls(number, header.beneficiary, &attributes.consensus_data)?;
        let lineage = Arc::new(Lineage { shared: self.shared.clone(), from: parent.hash });
        let reads = self.shared.failed_reads.count();
        let mut executor =
            BlockExecutor::begin(&header, rules, parent.state.clone(), lineage, &calls.before)?;
        let mut body = Body { transactions: Vec::new(), ommers: Vec::new(), withdrawals: None };
        let (mut senders, mut refused, mut bytes) = (Vec::new(), Vec::new(), BLOCK_RLP_MARGIN);
        for (transaction, sender) in transactions {
            if stop() {
                break;
            }
            let length = transaction.encode_2718_len() + 8;
            if bytes + length > BLOCK_RLP_MAX_OSAKA {
                continue;
            }
            if let Some(invalid) = self.refuse_for_building(&transaction) {
                refused.push((*transaction.tx_hash(), invalid));
                continue;
            }
            match executor.transact(&transaction, sender)? {
                Ok(_) => {
                    bytes += length;
                    body.transactions.push(Transaction::clone(&transaction));
                    senders.push(sender);
                }
                Err(invalid) => refused.push((*transaction.tx_hash(), invalid)),
            }
        }
        let executed = executor.finish(&[], &[], &calls.after)?;
        self.shared.failed_reads.refuse_since(reads)?;
        if rules.at_least(Fork::Shanghai) {
            body.withdrawals = Some(Withdrawals::default());
        }
        let header = Header {
            state_root: executed.state.accounts.root_hash(),
            transactions_root: roots::transactions(&body.transactions),
            receipts_root: roots::receipts(&executed.receipts),
            logs_bloom: executed.bloom,
            gas_used: executed.gas_used,
            blob_gas_used: rules.at_least(Fork::Cancun).then_some(executed.blob_gas_used),
            requests_hash: executed.requests.as_deref().map(requests_hash),
            ..header
        };
        // What the proposer chose (time, extra data) is held to the rules as any other's block is.
        validate_header(&header, &parent.header, &rules)?;
        let block = Block { header, body };
        let rlp = alloy_rlp::encode(&block);
        let hash = block.header.hash_slow();
        let included = block.body.transactions.iter().map(|transaction| *transaction.tx_hash()).collect();
        let gas_used = executed.gas_used;
        let validated = Validated { executed, senders, rules };
        let data = attributes.consensus_data.clone();
        self.insert(hash, block, rlp.len(), data, parent.total_difficulty, validated)?;
        Ok(Built { hash, rlp, included, refused, gas_used })
    }

    fn refuse_for_building(&self, transaction: &Transaction) -> Option<TransactionInvalid> {
        let no_blobs = self.shared.is_coc && self.shared.schedule.blob_activations.is_empty();
        (no_blobs && transaction.is_eip4844()).then(|| {
            TransactionInvalid::new(
                "COC_BLOBS",
                "this chain's genesis has no blob schedule, so it takes no blob transactions",
            )
        })
    }

    /// The header before execution.
    pub(crate) fn draft(
        &self,
        parent: &Header,
        parent_hash: B256,
        rules: &Rules,
        attributes: &Attributes,
    ) -> Result<Header, ChainError> {
        let number = parent.number + 1;
        let root = if attributes.consensus_data.is_empty() {
            B256::ZERO
        } else {
            consensus_data::root(&attributes.consensus_data)?
        };
        Ok(Header {
            parent_hash,
            number,
            timestamp: attributes.timestamp,
            beneficiary: attributes.beneficiary,
            extra_data: attributes.extra_data.clone(),
            gas_limit: next_gas_limit(parent.gas_limit, attributes.gas_limit_target),
            mix_hash: consensus_data::next_randomness(&parent.mix_hash, number, &attributes.consensus_data)?,
            difficulty: U256::ZERO,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            base_fee_per_gas: base_fee_after(parent, rules),
            withdrawals_root: rules.at_least(Fork::Shanghai).then(|| roots::withdrawals(&[])),
            blob_gas_used: rules.at_least(Fork::Cancun).then_some(0),
            excess_blob_gas: rules.at_least(Fork::Cancun).then(|| rules.excess_blob_gas(parent)),
            parent_beacon_block_root: rules.at_least(Fork::Cancun).then_some(root),
            ..Header::default()
        })
    }
}

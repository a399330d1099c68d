//! Finding where our execution of a certified block parts from that of all others.
//!
//! The block is executed once more beside the chain, with nothing compared and nothing kept. Receipts of peers are held to the
//! header's receipts root, accounts of peers to its state root; then the first transaction and the first account that are not ours
//! are facts, whoever sent them. What our own side could have got wrong before, code in the index, is held to its hashes.

use crate::chain::Chain;
use crate::consensus_data;
use crate::error::ChainError;
use crate::record::decode_receipts;
use crate::shared::Lineage;
use crate::snapshot::SnapshotError;
use crate::snapshot::payload::{StateRequest, decode_codes, decode_hashes, decode_ranges, string, text};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Header as RlpHeader;
use coc_evm::block::{Trial as Execution, decode_block, try_block};
use coc_evm::state::Account;
use coc_evm::types::{Block, Outcome, Receipt};
use coc_store::{Batch, Table};
use coc_trie::{ordered_root, verify_range};
use std::sync::Arc;

/// Rows of code that are read at a time.
const CODE_ROWS: usize = 256;

/// What is not the same: its name, what we have, what is certified.
pub type Field = (&'static str, String, String);

/// How many accounts were compared, and the first that is not the same: its place among them, and what differs.
pub type Compared = (usize, Option<(usize, Vec<Field>)>);

/// A block that was executed beside the chain.
pub struct Trial {
    block: Block,
    execution: Execution,
}

/// The first transaction whose receipt is not the certified one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionDifference {
    /// Its place in the block.
    pub index: usize,
    /// Its hash.
    pub hash: B256,
    /// What is not the same in its receipt.
    pub fields: Vec<Field>,
}

impl Chain {
    /// Executes a block on its parent, which must be known, and keeps nothing of it.
    ///
    /// # Errors
    /// [`ChainError::Invalid`] where the block breaks a rule before any transaction, and what the store says.
    pub fn trial(&self, rlp: &[u8], consensus_data: &Bytes) -> Result<Trial, ChainError> {
        let block = decode_block(rlp)?;
        let parent = self.shared.parent(&block.header.parent_hash)?;
        if self.shared.is_coc {
            let withdrawals = block.body.withdrawals.as_ref().map_or(0, |list| list.len());
            consensus_data::validate(&block.header, withdrawals, &parent.header, consensus_data)?;
        }
        let calls =
            self.shared.engine.calls(block.header.number, block.header.beneficiary, consensus_data)?;
        let lineage = Lineage { shared: self.shared.clone(), from: parent.hash };
        let reads = self.shared.failed_reads.count();
        let context = (Arc::new(lineage.clone()) as Arc<_>, &lineage as &_);
        let execution = try_block(&self.shared.schedule, &parent, &block, rlp.len(), None, context, &calls);
        self.shared.failed_reads.refuse_since(reads)?;
        Ok(Trial { execution: execution?, block })
    }

    /// Hashes under which the index has another code: read from the whole table.
    ///
    /// # Errors
    /// What the index says.
    pub fn damaged_codes(&self) -> Result<Vec<B256>, ChainError> {
        let mut damaged = Vec::new();
        let mut from = Vec::new();
        loop {
            let rows = self.shared.index.range(Table::Code, &from, None, CODE_ROWS, false)?;
            let Some((last, _)) = rows.last() else { return Ok(damaged) };
            from = [last.as_slice(), &[0]].concat();
            let hashes =
                rows.iter().filter_map(|(key, code)| Some((B256::try_from(key.as_slice()).ok()?, code)));
            damaged.extend(hashes.filter(|(hash, code)| keccak256(code) != *hash).map(|(hash, _)| hash));
        }
    }

    /// Puts codes that a peer sent where damaged ones are, each under its own hash: the hashes of those that were asked for and
    /// are still missing.
    ///
    /// # Errors
    /// [`SnapshotError::Refused`] where a code is none of those asked for, and what the index says.
    pub fn restore_codes(&self, request: &[u8], answer: &Bytes) -> Result<Vec<B256>, SnapshotError> {
        let mut wanted = decode_hashes(request).map_err(SnapshotError::Refused)?;
        let mut batch = Batch::new();
        for code in
            decode_codes(answer).map_err(SnapshotError::Refused)?.iter().filter(|code| !code.is_empty())
        {
            let hash = keccak256(code);
            if !wanted.contains(&hash) {
                return Err(SnapshotError::Refused("a code that was not asked for".into()));
            }
            wanted.retain(|each| *each != hash);
            batch.put(Table::Code, hash.as_slice(), code);
        }
        if !batch.is_empty() {
            self.shared.index.write(batch)?;
        }
        Ok(wanted)
    }
}

impl Trial {
    /// What the header states and the execution does not give: nothing where both agree after all.
    pub fn disagreements(&self) -> Vec<Field> {
        let found = self.execution.disagreements(&self.block.header);
        found.into_iter().map(|(name, says, is)| (name, is, says)).collect()
    }

    /// The transaction that cannot stand in the block here, and why.
    pub fn refused(&self) -> Option<(usize, String)> {
        self.execution.refused.as_ref().map(|(index, invalid)| (*index, invalid.sentence.clone()))
    }

    /// The first transaction that did something else than its certified receipt says; none where only the state is another.
    ///
    /// `surroundings` is what a peer answers when it is asked for those of the block.
    ///
    /// # Errors
    /// [`SnapshotError::Refused`] where the receipts are not those that the header covers.
    pub fn first_transaction(
        &self,
        surroundings: &Bytes,
    ) -> Result<Option<TransactionDifference>, SnapshotError> {
        let certified = self.certified_receipts(surroundings).map_err(SnapshotError::Refused)?;
        let ours = &self.execution.executed.receipts;
        let transactions = &self.block.body.transactions;
        for (index, (transaction, theirs)) in transactions.iter().zip(&certified).enumerate() {
            let fields = match ours.get(index) {
                Some(receipt) => receipt_fields(receipt, theirs),
                None => vec![("refused", self.refused().unwrap_or_default().1, "included".to_owned())],
            };
            if !fields.is_empty() {
                return Ok(Some(TransactionDifference { index, hash: *transaction.tx_hash(), fields }));
            }
        }
        Ok(None)
    }

    fn certified_receipts(&self, surroundings: &Bytes) -> Result<Vec<Receipt>, String> {
        let mut rest: &[u8] = surroundings;
        let mut fields = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
        RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
        string(surroundings, &mut fields)?;
        string(surroundings, &mut fields)?;
        let receipts = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
        let receipts = decode_receipts(receipts, &self.block.body.transactions, &self.execution.senders)?;
        let root = ordered_root(receipts.iter().map(Receipt::consensus_bytes));
        if !rest.is_empty() || !fields.is_empty() || root != self.block.header.receipts_root {
            return Err("the receipts are not those of the block".into());
        }
        Ok(receipts)
    }

    /// The accounts to compare: first those that a transaction names, then all that the execution changed.
    pub fn addresses(&self, transaction: Option<usize>) -> Vec<Address> {
        let named = transaction.and_then(|index| {
            let sender = self.execution.senders.get(index)?;
            let called = self.block.body.transactions.get(index)?.to();
            Some(std::iter::once(*sender).chain(called))
        });
        let mut changed = self.execution.executed.changed.clone();
        changed.sort_unstable();
        let mut found: Vec<Address> = Vec::with_capacity(changed.len() + 2);
        for address in named.into_iter().flatten().chain(changed) {
            if found.len() < 2 && found.contains(&address) || found.last() == Some(&address) {
                continue;
            }
            found.push(address);
        }
        found
    }

    /// How many of the accounts of a request an answer speaks of, and the first of them that is not as it is here.
    ///
    /// # Errors
    /// [`SnapshotError::Refused`] where the answer does not prove itself against the block's state root.
    pub fn first_account(&self, request: &[u8], answer: &Bytes) -> Result<Compared, SnapshotError> {
        let request = StateRequest::decode(request).map_err(SnapshotError::Refused)?;
        let ranges = decode_ranges(answer).map_err(SnapshotError::Refused)?;
        if ranges.len() > request.wishes.len() {
            return Err(SnapshotError::Refused("it answers more than was asked".into()));
        }
        let root = self.block.header.state_root;
        for (index, (wish, range)) in request.wishes.iter().zip(&ranges).enumerate() {
            verify_range(root, &wish.start, range).map_err(|why| SnapshotError::Refused(why.to_string()))?;
            if wish.account.is_some() || range.end != wish.end || wish.start != wish.end {
                return Err(SnapshotError::Refused("a range is not the one of its account".into()));
            }
            let theirs = range.leaves.first().map(|(_, value)| Account::decode_rlp(value));
            let theirs = theirs.transpose().map_err(|why| SnapshotError::Refused(why.to_string()))?;
            let state = &self.execution.executed.state;
            let ours = state.accounts.get(&*state.nodes, wish.start.as_slice())?;
            let ours = ours.map(|value| Account::decode_rlp(value.rlp())).transpose();
            let ours = ours.map_err(ChainError::from)?;
            let fields = account_fields(ours, theirs);
            if !fields.is_empty() {
                return Ok((index + 1, Some((index, fields))));
            }
        }
        Ok((ranges.len(), None))
    }
}

fn differing<const N: usize>(fields: [Field; N]) -> Vec<Field> {
    fields.into_iter().filter(|(_, ours, theirs)| ours != theirs).collect()
}

fn receipt_fields(ours: &Receipt, theirs: &Receipt) -> Vec<Field> {
    let outcome = |receipt: &Receipt| match &receipt.outcome {
        Outcome::Root(root) => root.to_string(),
        Outcome::Status(status) => u8::from(*status).to_string(),
    };
    let logs = |receipt: &Receipt| {
        format!("{} with hash {}", receipt.logs.len(), keccak256(alloy_rlp::encode(&receipt.logs)))
    };
    let gas = |receipt: &Receipt| receipt.cumulative_gas_used.to_string();
    differing([
        ("status", outcome(ours), outcome(theirs)),
        ("cumulativeGasUsed", gas(ours), gas(theirs)),
        ("logs", logs(ours), logs(theirs)),
    ])
}

fn account_fields(ours: Option<Account>, theirs: Option<Account>) -> Vec<Field> {
    if ours.is_none() || theirs.is_none() {
        let word = |account: Option<Account>| if account.is_some() { "there" } else { "absent" }.to_owned();
        return differing([("account", word(ours), word(theirs))]);
    }
    let nothing = Account { nonce: 0, balance: U256::ZERO, storage_root: B256::ZERO, code_hash: B256::ZERO };
    let (ours, theirs) = (ours.unwrap_or(nothing), theirs.unwrap_or(nothing));
    differing([
        ("nonce", ours.nonce.to_string(), theirs.nonce.to_string()),
        ("balance", ours.balance.to_string(), theirs.balance.to_string()),
        ("storageRoot", ours.storage_root.to_string(), theirs.storage_root.to_string()),
        ("codeHash", ours.code_hash.to_string(), theirs.code_hash.to_string()),
    ])
}

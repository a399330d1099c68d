//! Now, later or never: the one answer that pool and builder share about a transaction on a state.
//!
//! *Never* is what no later block can change: the transaction breaks a rule, or its nonce is spent. *Later* waits: for a nonce before
//! it, a lower base fee, or money. Only never is refused at the door.

use crate::chain::Chain;
use crate::error::ChainError;
use alloy_consensus::Transaction as _;
use alloy_eips::Typed2718 as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use coc_evm::fork::{EMPTY_CODE_HASH, Fork, Rules};
use coc_evm::header::base_fee_after;
use coc_evm::state::WorldState;
use coc_evm::transaction::{TransactionInvalid, check_type, max_cost};
use coc_evm::types::{Header, Transaction};
use revm::context::result::InvalidTransaction;
use revm::interpreter::gas::calculate_initial_tx_gas;

/// Largest transaction in bytes that a pool takes (go-ethereum's bound): four slots of 32 KiB.
pub const TRANSACTION_BYTES_MAX: usize = 128 << 10;
/// Most gas of one transaction from Osaka on (EIP-7825).
const TRANSACTION_GAS_MAX_OSAKA: u64 = 1 << 24;
/// Longest initcode in bytes from Shanghai on (EIP-3860).
const INITCODE_BYTES_MAX: usize = 2 * 24_576;

/// What a transaction may expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be in the next block.
    Now,
    /// It waits, for this reason.
    Later(TransactionInvalid),
    /// It is refused, for this reason.
    Never(TransactionInvalid),
}

/// The state and rules that verdicts are given on: a block and what its child will demand.
pub struct Bench {
    rules: Rules,
    state: WorldState,
    base_fee: u64,
    blob_base_fee: u128,
    gas_limit: u64,
    takes_blobs: bool,
}

impl Chain {
    /// The bench of the child of `block`, at a second after it.
    pub fn bench(&self, block: &B256) -> Result<Bench, ChainError> {
        let stored = self.shared.stored(block)?.ok_or(ChainError::UnknownBlock(*block))?;
        let header: &Header = &stored.block.header;
        let rules = self.shared.schedule.rules(
            header.number + 1,
            header.timestamp.saturating_add(1),
            stored.total_difficulty,
        );
        let excess = rules.excess_blob_gas(header);
        Ok(Bench {
            rules,
            state: self.shared.state(block)?,
            base_fee: base_fee_after(header, &rules).unwrap_or(0),
            blob_base_fee: rules.blobs.map_or(0, |blobs| blobs.base_fee(excess)),
            gas_limit: header.gas_limit,
            takes_blobs: !self.shared.is_coc || !self.shared.schedule.blob_activations.is_empty(),
        })
    }
}

fn refuse(code: &'static str, sentence: impl Into<String>) -> TransactionInvalid {
    TransactionInvalid::new(code, sentence)
}

impl Bench {
    /// The rules of the next block.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Nonce and balance of an account, and whether it has code.
    pub fn account(&self, address: &Address) -> Result<(u64, U256, bool), ChainError> {
        let account = self.state.account(address)?;
        Ok(account.map_or((0, U256::ZERO, false), |(account, _)| {
            (account.nonce, account.balance, account.code_hash != EMPTY_CODE_HASH)
        }))
    }

    /// The verdict on a transaction of `sender`; then the sender's nonce and balance, and whether it has code.
    pub fn classify(
        &self,
        transaction: &Transaction,
        sender: &Address,
    ) -> Result<(Verdict, u64, U256, bool), ChainError> {
        let account = self.state.account(sender)?.map(|(account, _)| account);
        let (nonce, balance) = account.map_or((0, U256::ZERO), |account| (account.nonce, account.balance));
        let code_hash = account.map_or(EMPTY_CODE_HASH, |account| account.code_hash);
        let has_code = code_hash != EMPTY_CODE_HASH;
        let may_send = self.may_send(&code_hash)?;
        if let Err(never) = self.never(transaction, nonce, balance).and(may_send) {
            return Ok((Verdict::Never(never), nonce, balance, has_code));
        }
        let verdict = self.later(transaction, nonce).map_or(Verdict::Now, Verdict::Later);
        Ok((verdict, nonce, balance, has_code))
    }

    /// Only accounts without code, or with an EIP-7702 delegation, send transactions (EIP-3607). Code that cannot be read says
    /// nothing about the transaction, so that is an error of ours.
    fn may_send(&self, code_hash: &B256) -> Result<Result<(), TransactionInvalid>, ChainError> {
        if *code_hash == EMPTY_CODE_HASH {
            return Ok(Ok(()));
        }
        let is_delegation = |code: Bytes| code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00]);
        if self.rules.at_least(Fork::Prague) && is_delegation(self.state.code(code_hash)?) {
            return Ok(Ok(()));
        }
        Ok(Err(refuse("SENDER_NOT_EOA", "the sender is a contract")))
    }

    fn never(&self, transaction: &Transaction, nonce: u64, balance: U256) -> Result<(), TransactionInvalid> {
        check_type(transaction.ty(), &self.rules)?;
        if transaction.chain_id().is_some_and(|id| id != self.rules.chain_id) {
            let id = transaction.chain_id().unwrap_or(0);
            return Err(refuse(
                "INVALID_CHAINID",
                format!("the transaction is for chain {id}, this is {}", self.rules.chain_id),
            ));
        }
        if transaction.nonce() < nonce {
            return Err(refuse(
                "NONCE_MISMATCH_TOO_LOW",
                format!("nonce too low: the transaction has {}, the account {nonce}", transaction.nonce()),
            ));
        }
        if transaction.nonce() == u64::MAX {
            return Err(refuse("NONCE_IS_MAX", "the nonce has no successor (EIP-2681)"));
        }
        self.check_fees(transaction)?;
        self.check_gas(transaction)?;
        self.check_blobs(transaction)?;
        if transaction.ty() == 4 && transaction.authorization_list().is_none_or(|list| list.is_empty()) {
            return Err(refuse("TYPE_4_EMPTY_AUTHORIZATION_LIST", "the authorization list is empty"));
        }
        let cost = max_cost(transaction);
        if cost > balance {
            return Err(refuse(
                "INSUFFICIENT_ACCOUNT_FUNDS",
                format!("insufficient funds: the transaction can cost {cost} wei, the balance is {balance}"),
            ));
        }
        Ok(())
    }

    fn check_fees(&self, transaction: &Transaction) -> Result<(), TransactionInvalid> {
        if transaction.max_priority_fee_per_gas().is_some_and(|tip| tip > transaction.max_fee_per_gas()) {
            return Err(refuse(
                "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
                "the priority fee is above the fee cap",
            ));
        }
        Ok(())
    }

    fn check_gas(&self, transaction: &Transaction) -> Result<(), TransactionInvalid> {
        let gas = transaction.gas_limit();
        if gas > self.gas_limit {
            return Err(refuse(
                "GAS_ALLOWANCE_EXCEEDED",
                format!(
                    "exceeds block gas limit: the transaction asks for {gas}, a block holds {}",
                    self.gas_limit
                ),
            ));
        }
        if self.rules.at_least(Fork::Osaka) && gas > TRANSACTION_GAS_MAX_OSAKA {
            return Err(refuse(
                "GAS_LIMIT_EXCEEDS_MAXIMUM",
                format!("the gas limit {gas} is above {TRANSACTION_GAS_MAX_OSAKA} (EIP-7825)"),
            ));
        }
        let create = transaction.kind().is_create();
        if create && self.rules.at_least(Fork::Shanghai) && transaction.input().len() > INITCODE_BYTES_MAX {
            return Err(refuse(
                "INITCODE_SIZE_EXCEEDED",
                format!(
                    "the initcode has {} bytes, {INITCODE_BYTES_MAX} are allowed (EIP-3860)",
                    transaction.input().len()
                ),
            ));
        }
        let (accounts, slots) = transaction.access_list().map_or((0, 0), |list| {
            (list.0.len() as u64, list.0.iter().map(|item| item.storage_keys.len() as u64).sum())
        });
        let authorizations = transaction.authorization_list().map_or(0, |list| list.len() as u64);
        let needed = calculate_initial_tx_gas(
            self.rules.spec,
            transaction.input(),
            create,
            accounts,
            slots,
            authorizations,
            None,
        );
        if gas < needed.initial_total_gas() {
            let invalid = InvalidTransaction::CallGasCostMoreThanGasLimit {
                initial_gas: needed.initial_total_gas(),
                gas_limit: gas,
            };
            return Err(refuse("INTRINSIC_GAS_TOO_LOW", format!("intrinsic gas too low: {invalid}")));
        }
        if gas < needed.floor_gas() && self.rules.at_least(Fork::Prague) {
            return Err(refuse(
                "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",
                format!(
                    "the calldata costs at least {} gas (EIP-7623), the limit is {gas}",
                    needed.floor_gas()
                ),
            ));
        }
        Ok(())
    }

    fn check_blobs(&self, transaction: &Transaction) -> Result<(), TransactionInvalid> {
        let Some(hashes) = transaction.blob_versioned_hashes() else { return Ok(()) };
        if !self.takes_blobs {
            return Err(refuse(
                "COC_BLOBS",
                "this chain's genesis has no blob schedule, so it takes no blob transactions",
            ));
        }
        if hashes.is_empty() {
            return Err(refuse("TYPE_3_TX_ZERO_BLOBS", "a blob transaction has at least one blob"));
        }
        let max = self.rules.blobs_per_transaction().unwrap_or(0);
        if hashes.len() as u64 > max {
            return Err(refuse(
                "TYPE_3_TX_BLOB_COUNT_EXCEEDED",
                format!("the transaction has {} blobs, {max} are allowed", hashes.len()),
            ));
        }
        if hashes.iter().any(|hash| hash[0] != 1) {
            return Err(refuse(
                "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
                "a blob hash does not begin with version 1",
            ));
        }
        Ok(())
    }

    fn later(&self, transaction: &Transaction, nonce: u64) -> Option<TransactionInvalid> {
        if transaction.nonce() > nonce {
            return Some(refuse(
                "NONCE_MISMATCH_TOO_HIGH",
                format!("nonce {} waits for {nonce}", transaction.nonce()),
            ));
        }
        if transaction.max_fee_per_gas() < u128::from(self.base_fee) {
            return Some(refuse(
                "INSUFFICIENT_MAX_FEE_PER_GAS",
                format!(
                    "the fee cap {} is below the base fee {}",
                    transaction.max_fee_per_gas(),
                    self.base_fee
                ),
            ));
        }
        if transaction.max_fee_per_blob_gas().is_some_and(|fee| fee < self.blob_base_fee) {
            return Some(refuse(
                "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",
                format!("the blob fee cap is below the blob base fee {}", self.blob_base_fee),
            ));
        }
        None
    }
}

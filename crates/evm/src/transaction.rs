//! From a signed transaction to what the EVM takes, and from the EVM's refusals to ours.

use crate::error::BlockInvalid;
use crate::fork::{Fork, GAS_PER_BLOB, Rules};
use crate::types::Transaction;
use alloy_consensus::Transaction as _;
use alloy_eips::Typed2718 as _;
use alloy_primitives::{Address, B256, U256};
use rayon::prelude::*;
use revm::context::TxEnv;
use revm::context::either::Either;
use revm::context::result::InvalidTransaction;
use secp256k1::Message;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};

/// Signatures handed to one core at a time: below this, splitting costs more than it saves.
const RECOVERIES_PER_TASK: usize = 8;

/// Half the order of secp256k1: from Homestead on `s` may not be above it (EIP-2).
const HALF_ORDER: U256 = U256::from_limbs([
    0xdfe9_2f46_681b_20a0,
    0x5d57_6e73_57a4_501d,
    0xffff_ffff_ffff_ffff,
    0x7fff_ffff_ffff_ffff,
]);

/// A transaction that a block cannot hold, or a pool cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionInvalid {
    /// Stable name of the broken rule.
    pub code: &'static str,
    /// What was found and what was expected.
    pub sentence: String,
}

impl TransactionInvalid {
    /// A refusal of `code` explained by `sentence`.
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        TransactionInvalid { code, sentence: sentence.into() }
    }

    /// The refusal of a block for the transaction at `index`.
    pub fn in_block(self, index: usize) -> BlockInvalid {
        BlockInvalid::new(self.code, format!("transaction {index}: {}", self.sentence))
    }
}

impl std::fmt::Display for TransactionInvalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence)
    }
}

impl std::error::Error for TransactionInvalid {}

/// The 64-byte public key that made a signature, or `None` where no key could have.
pub fn recover_public_key(digest: &B256, r: U256, s: U256, odd: bool) -> Option<[u8; 64]> {
    let mut compact = [0u8; 64];
    compact[..32].copy_from_slice(&r.to_be_bytes::<32>());
    compact[32..].copy_from_slice(&s.to_be_bytes::<32>());
    let id = if odd { RecoveryId::One } else { RecoveryId::Zero };
    let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = signature.recover_ecdsa(Message::from_digest(digest.0)).ok()?;
    let mut out = [0u8; 64];
    out.copy_from_slice(&key.serialize_uncompressed()[1..]);
    Some(out)
}

/// The sender of a transaction under the rules of `fork`.
pub fn recover_sender(transaction: &Transaction, fork: Fork) -> Result<Address, TransactionInvalid> {
    let signature = transaction.signature();
    if fork < Fork::SpuriousDragon && transaction.chain_id().is_some() {
        return Err(TransactionInvalid::new(
            "INVALID_SIGNATURE_VRS",
            "replay protection came with Spurious Dragon (EIP-155)",
        ));
    }
    if (fork >= Fork::Homestead || transaction.ty() != 0) && signature.s() > HALF_ORDER {
        return Err(TransactionInvalid::new(
            "INVALID_SIGNATURE_VRS",
            "s is in the upper half of the order (EIP-2)",
        ));
    }
    let key = recover_public_key(&transaction.signature_hash(), signature.r(), signature.s(), signature.v())
        .ok_or_else(|| {
            TransactionInvalid::new("INVALID_SIGNATURE_VRS", "no key could have made the signature")
        })?;
    Ok(Address::from_raw_public_key(&key))
}

/// The senders of all transactions, recovered on all cores.
pub fn recover_senders(transactions: &[Transaction], fork: Fork) -> Result<Vec<Address>, BlockInvalid> {
    let recover = |(index, transaction): (usize, &Transaction)| {
        recover_sender(transaction, fork).map_err(|refused| refused.in_block(index))
    };
    transactions.par_iter().enumerate().with_min_len(RECOVERIES_PER_TASK).map(recover).collect()
}

/// Blob gas a transaction takes.
pub fn blob_gas(transaction: &Transaction) -> u64 {
    transaction.blob_versioned_hashes().map_or(0, |hashes| hashes.len() as u64 * GAS_PER_BLOB)
}

/// What the EVM takes.
pub fn tx_env(transaction: &Transaction, sender: Address) -> TxEnv {
    TxEnv {
        tx_type: transaction.ty(),
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: transaction.blob_versioned_hashes().map(<[_]>::to_vec).unwrap_or_default(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or(0),
        authorization_list: transaction
            .authorization_list()
            .map(|list| list.iter().cloned().map(Either::Left).collect())
            .unwrap_or_default(),
    }
}

/// Most a transaction can cost its sender: value, gas and blob gas at their caps.
pub fn max_cost(transaction: &Transaction) -> U256 {
    let gas = U256::from(transaction.gas_limit()).saturating_mul(U256::from(transaction.max_fee_per_gas()));
    let blobs = U256::from(blob_gas(transaction))
        .saturating_mul(U256::from(transaction.max_fee_per_blob_gas().unwrap_or(0)));
    transaction.value().saturating_add(gas).saturating_add(blobs)
}

/// Whether the rules know transactions of this EIP-2718 type.
pub fn check_type(tx_type: u8, rules: &Rules) -> Result<(), TransactionInvalid> {
    let since = match tx_type {
        0 => return Ok(()),
        1 => Fork::Berlin,
        2 => Fork::London,
        3 => Fork::Cancun,
        4 => Fork::Prague,
        _ => {
            let sentence = format!("{tx_type:#x} is no transaction type of any fork");
            return Err(TransactionInvalid::new("TYPE_NOT_SUPPORTED", sentence));
        }
    };
    if rules.at_least(since) {
        return Ok(());
    }
    Err(TransactionInvalid::new(
        "TYPE_NOT_SUPPORTED",
        format!(
            "transactions of type {tx_type} came with {}, this block is {}",
            since.name(),
            rules.fork.name()
        ),
    ))
}

/// Our name and sentence for what the EVM refuses.
pub fn refusal(error: InvalidTransaction) -> TransactionInvalid {
    use InvalidTransaction as E;
    let code = match &error {
        E::PriorityFeeGreaterThanMaxFee => "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
        E::GasPriceLessThanBasefee => "INSUFFICIENT_MAX_FEE_PER_GAS",
        E::CallerGasLimitMoreThanBlock => "GAS_ALLOWANCE_EXCEEDED",
        E::CallGasCostMoreThanGasLimit { .. } => "INTRINSIC_GAS_TOO_LOW",
        E::GasFloorMoreThanGasLimit { .. } => "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",
        E::RejectCallerWithCode => "SENDER_NOT_EOA",
        E::LackOfFundForMaxFee { .. } => "INSUFFICIENT_ACCOUNT_FUNDS",
        E::OverflowPaymentInTransaction => "GASLIMIT_PRICE_PRODUCT_OVERFLOW",
        E::NonceOverflowInTransaction => "NONCE_IS_MAX",
        E::NonceTooHigh { .. } => "NONCE_MISMATCH_TOO_HIGH",
        E::NonceTooLow { .. } => "NONCE_MISMATCH_TOO_LOW",
        E::CreateInitCodeSizeLimit => "INITCODE_SIZE_EXCEEDED",
        E::InvalidChainId | E::MissingChainId => "INVALID_CHAINID",
        E::TxGasLimitGreaterThanCap { .. } => "GAS_LIMIT_EXCEEDS_MAXIMUM",
        E::BlobGasPriceGreaterThanMax { .. } => "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",
        E::EmptyBlobs => "TYPE_3_TX_ZERO_BLOBS",
        E::BlobCreateTransaction => "TYPE_3_TX_CONTRACT_CREATION",
        E::TooManyBlobs { .. } => "TYPE_3_TX_BLOB_COUNT_EXCEEDED",
        E::BlobVersionNotSupported => "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
        E::EmptyAuthorizationList => "TYPE_4_EMPTY_AUTHORIZATION_LIST",
        E::AuthorizationListInvalidFields => "TYPE_4_TX_CONTRACT_CREATION",
        _ => "TYPE_NOT_SUPPORTED",
    };
    TransactionInvalid::new(code, error.to_string())
}

//! Ethereum's own formats: the aliases and the receipt this workspace uses for them.
//!
//! Headers and transactions are those of `alloy-consensus`; the receipt is ours, because one type must carry both the
//! state root of forks before Byzantium and the status of later ones, with the gas its transaction used.

use alloy_consensus::{EthereumTxEnvelope, Transaction as _, TxEip4844};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log};
use alloy_rlp::{BufMut, Encodable, Header as RlpHeader};

pub use alloy_consensus::Header;
pub use alloy_eips::eip4895::Withdrawal;

/// A signed transaction in the form blocks hold (blobs without their sidecar).
pub type Transaction = EthereumTxEnvelope<TxEip4844>;
/// Header, transactions, ommers, withdrawals.
pub type Block = alloy_consensus::Block<Transaction>;
/// What a block holds beside its header.
pub type Body = alloy_consensus::BlockBody<Transaction>;

/// How a transaction ended, as its receipt says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Before Byzantium: the state root after the transaction.
    Root(B256),
    /// From Byzantium on (EIP-658).
    Status(bool),
}

/// A transaction receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// EIP-2718 type of the transaction.
    pub tx_type: u8,
    /// How it ended.
    pub outcome: Outcome,
    /// Gas used in the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// Bloom over `logs`.
    pub bloom: Bloom,
    /// Logs in order of emission.
    pub logs: Vec<Log>,
    /// Gas this transaction alone used (not part of the encoding).
    pub gas_used: u64,
    /// Address of the contract this transaction created (not part of the encoding).
    pub created: Option<Address>,
}

impl Receipt {
    fn payload_length(&self) -> usize {
        let outcome = match &self.outcome {
            Outcome::Root(root) => root.length(),
            Outcome::Status(_) => 1,
        };
        outcome + self.cumulative_gas_used.length() + self.bloom.length() + self.logs.length()
    }

    /// Appends the consensus encoding: type byte (for types above 0) and RLP list, as the receipts trie holds it.
    pub fn encode_consensus(&self, out: &mut dyn BufMut) {
        if self.tx_type != 0 {
            out.put_u8(self.tx_type);
        }
        RlpHeader { list: true, payload_length: self.payload_length() }.encode(out);
        match &self.outcome {
            Outcome::Root(root) => root.encode(out),
            Outcome::Status(status) => status.encode(out),
        }
        self.cumulative_gas_used.encode(out);
        self.bloom.encode(out);
        self.logs.encode(out);
    }

    /// The consensus encoding as bytes of its own.
    pub fn consensus_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload_length() + 8);
        self.encode_consensus(&mut out);
        out
    }
}

/// Effective price of a unit of gas in wei.
pub fn effective_gas_price(transaction: &Transaction, base_fee: Option<u64>) -> u128 {
    transaction.effective_gas_price(base_fee)
}

/// Input data of a transaction, shared rather than copied.
pub fn input_of(transaction: &Transaction) -> Bytes {
    transaction.input().clone()
}

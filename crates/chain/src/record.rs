//! What the log holds of a block: everything a restart needs to have it back without asking anyone.
//!
//! A record is the RLP list `[version, block, consensus data, seal, senders, receipts, total difficulty]`. Receipts are kept in
//! their consensus encoding; what that leaves out (gas of the one transaction, created contract) is derived again.

use alloy_consensus::Transaction as _;
use alloy_eips::Typed2718 as _;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use alloy_rlp::{Decodable, Encodable, Header as RlpHeader};
use coc_evm::types::{Block, Outcome, Receipt, Transaction};

/// Version of the record format.
const VERSION: u64 = 1;

/// A block with everything that was decided and computed about it.
#[derive(Clone, Debug)]
pub struct StoredBlock {
    /// Its hash.
    pub hash: B256,
    /// The block.
    pub block: Block,
    /// Length of its RLP encoding in bytes.
    pub rlp_length: usize,
    /// Its consensus data as RLP; empty on Ethereum chains.
    pub consensus_data: Bytes,
    /// Its seal; empty where there is none.
    pub seal: Bytes,
    /// Senders of its transactions.
    pub senders: Vec<Address>,
    /// Receipts of its transactions.
    pub receipts: Vec<Receipt>,
    /// Sum of difficulties up to and including it.
    pub total_difficulty: U256,
}

impl StoredBlock {
    /// The record as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let block = alloy_rlp::encode(&self.block);
        let senders: Vec<u8> = self.senders.iter().flat_map(|sender| sender.0.0).collect();
        let receipts: Vec<Bytes> =
            self.receipts.iter().map(|receipt| receipt.consensus_bytes().into()).collect();
        let payload_length = VERSION.length()
            + block.as_slice().length()
            + self.consensus_data.length()
            + self.seal.length()
            + senders.as_slice().length()
            + receipts.length()
            + self.total_difficulty.length();
        let mut out = Vec::with_capacity(payload_length + 8);
        RlpHeader { list: true, payload_length }.encode(&mut out);
        VERSION.encode(&mut out);
        block.as_slice().encode(&mut out);
        self.consensus_data.encode(&mut out);
        self.seal.encode(&mut out);
        senders.as_slice().encode(&mut out);
        receipts.encode(&mut out);
        self.total_difficulty.encode(&mut out);
        out
    }

    /// Reads a record back.
    pub fn decode(record: &[u8]) -> Result<StoredBlock, String> {
        let text = |error: alloy_rlp::Error| error.to_string();
        let mut rest = record;
        let header = RlpHeader::decode(&mut rest).map_err(text)?;
        if !header.list || header.payload_length != rest.len() {
            return Err("it is not one RLP list".into());
        }
        let version = u64::decode(&mut rest).map_err(text)?;
        if version != VERSION {
            return Err(format!("it has version {version}, this release reads {VERSION}"));
        }
        let rlp = RlpHeader::decode_bytes(&mut rest, false).map_err(text)?;
        let block = coc_evm::block::decode_block(rlp).map_err(|error| error.to_string())?;
        let consensus_data = Bytes::decode(&mut rest).map_err(text)?;
        let seal = Bytes::decode(&mut rest).map_err(text)?;
        let senders = RlpHeader::decode_bytes(&mut rest, false).map_err(text)?;
        let senders: Vec<Address> = senders.chunks_exact(20).map(Address::from_slice).collect();
        let encoded = Vec::<Bytes>::decode(&mut rest).map_err(text)?;
        let total_difficulty = U256::decode(&mut rest).map_err(text)?;
        let transactions = &block.body.transactions;
        if senders.len() != transactions.len() || encoded.len() != transactions.len() {
            return Err("it has another number of senders or receipts than of transactions".into());
        }
        let receipts = decode_receipts(&encoded, transactions, &senders)?;
        Ok(StoredBlock {
            hash: block.header.hash_slow(),
            rlp_length: rlp.len(),
            block,
            consensus_data,
            seal,
            senders,
            receipts,
            total_difficulty,
        })
    }

    /// Bytes this block takes in memory, roughly: what a bounded cache counts.
    pub fn memory_bytes(&self) -> usize {
        let logs: usize = self.receipts.iter().map(|receipt| receipt.logs.len() * 200 + 320).sum();
        self.rlp_length * 3 + logs + 1_024
    }
}

fn decode_receipts(
    encoded: &[Bytes],
    transactions: &[Transaction],
    senders: &[Address],
) -> Result<Vec<Receipt>, String> {
    let mut before = 0;
    let mut receipts = Vec::with_capacity(encoded.len());
    for ((bytes, transaction), sender) in encoded.iter().zip(transactions).zip(senders) {
        let mut receipt = decode_receipt(bytes, transaction).map_err(|error| error.to_string())?;
        receipt.gas_used = receipt.cumulative_gas_used.saturating_sub(before);
        before = receipt.cumulative_gas_used;
        let failed = receipt.outcome == Outcome::Status(false);
        if transaction.kind().is_create() && !failed {
            receipt.created = Some(sender.create(transaction.nonce()));
        }
        receipts.push(receipt);
    }
    Ok(receipts)
}

fn decode_receipt(bytes: &[u8], transaction: &Transaction) -> alloy_rlp::Result<Receipt> {
    let tx_type = transaction.ty();
    let mut rest =
        if tx_type == 0 { bytes } else { bytes.get(1..).ok_or(alloy_rlp::Error::InputTooShort)? };
    let header = RlpHeader::decode(&mut rest)?;
    if !header.list {
        return Err(alloy_rlp::Error::UnexpectedString);
    }
    let outcome = if rest.first() == Some(&0xa0) {
        Outcome::Root(B256::decode(&mut rest)?)
    } else {
        Outcome::Status(bool::decode(&mut rest)?)
    };
    Ok(Receipt {
        tx_type,
        outcome,
        cumulative_gas_used: u64::decode(&mut rest)?,
        bloom: alloy_primitives::Bloom::decode(&mut rest)?,
        logs: Vec::<Log>::decode(&mut rest)?,
        gas_used: 0,
        created: None,
    })
}

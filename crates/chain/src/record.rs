//! What the log holds of a block: everything a restart needs to have it back without asking anyone.
//!
//! A record is the RLP list `[version, block, consensus data, seal, senders, receipts, total difficulty]`, a receipt the list
//! `[outcome, cumulative gas, logs]`. What that leaves out is derived again: type and created contract from the transaction, gas
//! from the receipt before, and the bloom, most of a plain transfer's receipt, from the logs.

use alloy_consensus::Transaction as _;
use alloy_eips::Typed2718 as _;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use coc_evm::types::{Block, Outcome, Receipt, Transaction};

/// Version of the record format.
const VERSION: u64 = 2;

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
        let block = RlpHeader { list: false, payload_length: self.block.length() };
        let senders = RlpHeader { list: false, payload_length: self.senders.len() * Address::len_bytes() };
        let kept = kept(&self.receipts);
        let payload_length = VERSION.length()
            + block.length_with_payload()
            + self.consensus_data.length()
            + self.seal.length()
            + senders.length_with_payload()
            + kept.length()
            + self.total_difficulty.length();
        let record = RlpHeader { list: true, payload_length };
        let mut out = Vec::with_capacity(record.length_with_payload());
        record.encode(&mut out);
        VERSION.encode(&mut out);
        block.encode(&mut out);
        self.block.encode(&mut out);
        self.consensus_data.encode(&mut out);
        self.seal.encode(&mut out);
        senders.encode(&mut out);
        self.senders.iter().for_each(|sender| out.extend_from_slice(sender.as_slice()));
        kept.encode(&mut out);
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
        let (senders, odd) = senders.as_chunks::<20>();
        if !odd.is_empty() {
            return Err("a sender does not have 20 bytes".into());
        }
        let senders: Vec<Address> = senders.iter().map(Address::from).collect();
        let receipts = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
        let total_difficulty = U256::decode(&mut rest).map_err(text)?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow its last field", rest.len()));
        }
        let transactions = &block.body.transactions;
        if senders.len() != transactions.len() {
            return Err("it has another number of senders than of transactions".into());
        }
        let receipts = decode_receipts(receipts, transactions, &senders)?;
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

/// Appends receipts as a record has them.
pub(crate) fn encode_receipts(receipts: &[Receipt], out: &mut dyn BufMut) {
    kept(receipts).encode(out);
}

fn kept(receipts: &[Receipt]) -> Vec<KeptReceipt<'_>> {
    receipts.iter().map(KeptReceipt).collect()
}

/// A receipt as a record has it.
struct KeptReceipt<'a>(&'a Receipt);

impl KeptReceipt<'_> {
    fn header(&self) -> RlpHeader {
        let outcome = match &self.0.outcome {
            Outcome::Root(root) => root.length(),
            Outcome::Status(_) => 1,
        };
        let payload_length = outcome + self.0.cumulative_gas_used.length() + self.0.logs.length();
        RlpHeader { list: true, payload_length }
    }
}

impl Encodable for KeptReceipt<'_> {
    fn encode(&self, out: &mut dyn BufMut) {
        self.header().encode(out);
        match &self.0.outcome {
            Outcome::Root(root) => root.encode(out),
            Outcome::Status(status) => status.encode(out),
        }
        self.0.cumulative_gas_used.encode(out);
        self.0.logs.encode(out);
    }

    fn length(&self) -> usize {
        self.header().length_with_payload()
    }
}

/// Reads the receipts of these transactions back from the payload of their list.
pub(crate) fn decode_receipts(
    mut rest: &[u8],
    transactions: &[Transaction],
    senders: &[Address],
) -> Result<Vec<Receipt>, String> {
    let mut before = 0;
    let mut receipts = Vec::with_capacity(transactions.len());
    for (transaction, sender) in transactions.iter().zip(senders) {
        let receipt =
            decode_receipt(&mut rest, transaction, sender, before).map_err(|error| error.to_string())?;
        before = receipt.cumulative_gas_used;
        receipts.push(receipt);
    }
    if !rest.is_empty() {
        return Err("it has more receipts than transactions".into());
    }
    Ok(receipts)
}

fn decode_receipt(
    rest: &mut &[u8],
    transaction: &Transaction,
    sender: &Address,
    gas_before: u64,
) -> alloy_rlp::Result<Receipt> {
    let mut fields = RlpHeader::decode_bytes(rest, true)?;
    let outcome = if fields.first() == Some(&0xa0) {
        Outcome::Root(B256::decode(&mut fields)?)
    } else {
        Outcome::Status(bool::decode(&mut fields)?)
    };
    let cumulative_gas_used = u64::decode(&mut fields)?;
    let logs = Vec::<Log>::decode(&mut fields)?;
    if !fields.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    let creates = transaction.kind().is_create() && outcome != Outcome::Status(false);
    Ok(Receipt {
        tx_type: transaction.ty(),
        outcome,
        cumulative_gas_used,
        bloom: alloy_primitives::logs_bloom(&logs),
        logs,
        gas_used: cumulative_gas_used.saturating_sub(gas_before),
        created: creates.then(|| sender.create(transaction.nonce())),
    })
}

//! What a chain needs around the block whose state it starts from: the block itself, its receipts, the headers before it.
//!
//! RLP: `[[header, …], block, consensus data, receipts]`, the oldest header first, receipts as the log keeps them. Everything is
//! checked against the hash of the block: headers by their links, the body by the roots in the header, consensus data by theirs.

use super::payload::{list, string, text};
use crate::base::Base;
use crate::consensus_data;
use crate::genesis::Origin;
use crate::record::{StoredBlock, decode_receipts, encode_receipts};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable as _, Encodable as _, Header as RlpHeader};
use coc_evm::block::{check_commitments, decode_block};
use coc_evm::transaction::recover_senders;
use coc_evm::types::{Block, Header, Receipt};
use coc_trie::ordered_root;

/// Headers before the block: those that BLOCKHASH reaches.
pub const ANCESTORS_MAX: u64 = 256;

/// A block and what lies around it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The headers before it, oldest first: [`ANCESTORS_MAX`], or all there are.
    pub headers: Vec<Header>,
    /// The block.
    pub block: Block,
    /// Its consensus data.
    pub consensus_data: Bytes,
    /// Receipts of its transactions.
    pub receipts: Vec<Receipt>,
}

impl Surroundings {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        list(|out| {
            self.headers.encode(out);
            alloy_rlp::encode(&self.block).as_slice().encode(out);
            self.consensus_data.encode(out);
            encode_receipts(&self.receipts, out);
        })
    }

    /// Reads them back and checks that they are those of the block with this hash on our chain: the block as the log is to keep
    /// it, without its seal, and what the log begins with.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(crate) fn verified(
        bytes: &Bytes,
        wanted: &B256,
        origin: &Origin,
    ) -> Result<(StoredBlock, Base), String> {
        let mut rest: &[u8] = bytes;
        let mut fields = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
        let headers = Vec::<Header>::decode(&mut fields).map_err(text)?;
        let rlp = string(bytes, &mut fields)?;
        let consensus_data = string(bytes, &mut fields)?;
        let receipts = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
        if !rest.is_empty() || !fields.is_empty() {
            return Err("the surroundings of a block have four parts".into());
        }
        let block = decode_block(&rlp).map_err(|invalid| invalid.to_string())?;
        let header = &block.header;
        let hash = header.hash_slow();
        if hash != *wanted {
            return Err(format!("these are the surroundings of block {hash}, not of {wanted}"));
        }
        check_commitments(&block).map_err(|invalid| invalid.to_string())?;
        let root = consensus_data::root(&consensus_data).map_err(|invalid| invalid.to_string())?;
        if header.parent_beacon_block_root != Some(root) {
            return Err("the consensus data are not those of the block".into());
        }
        let rules = origin.genesis.schedule.rules(header.number, header.timestamp, origin.header.difficulty);
        let transactions = &block.body.transactions;
        let senders = recover_senders(transactions, rules.fork).map_err(|invalid| invalid.to_string())?;
        let receipts = decode_receipts(receipts, transactions, &senders)?;
        if ordered_root(receipts.iter().map(Receipt::consensus_bytes)) != header.receipts_root {
            return Err("the receipts are not those of the block".into());
        }
        let base = Base::before(&block.header, hash, headers)?;
        let total_difficulty = origin.header.difficulty;
        let (rlp_length, seal) = (rlp.len(), Bytes::new());
        let stored = StoredBlock {
            hash,
            block,
            rlp_length,
            consensus_data,
            seal,
            senders,
            receipts,
            total_difficulty,
        };
        Ok((stored, base))
    }
}

//! The first record of a log that begins with a snapshot instead of block 0.
//!
//! RLP: `["base", version, block hash, [header, …]]`. The next record is the block with that hash, whose state came from peers; the
//! headers are those before it, oldest first. They answer what execution asks of ancestors that have no record (BLOCKHASH), and
//! link the chain to nothing less than what its headers say. Opening checks all of it ([`Base::read`]): a log that begins with
//! anything but block 0 or such a pair is refused.

use crate::error::ChainError;
use crate::record::StoredBlock;
use crate::recover::place_of;
use crate::tree::Place;
use alloy_primitives::B256;
use alloy_rlp::{Decodable as _, Encodable as _, Header as RlpHeader};
use coc_evm::types::Header;
use coc_log::{BlockLog, Record};

/// First field of the record.
const TAG: &[u8] = b"base";
/// Version of its format.
const VERSION: u64 = 1;

/// The block that a log begins with, and the headers before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Hash of the block.
    pub hash: B256,
    /// Its height.
    pub number: u64,
    ancestors: Vec<(B256, Header)>,
}

impl Base {
    /// The base of a block with these headers before it, oldest first.
    ///
    /// # Errors
    /// What does not fit, in words: each header must be the parent of the next, and all that BLOCKHASH reaches must be there.
    pub fn before(header: &Header, hash: B256, headers: Vec<Header>) -> Result<Base, String> {
        let number = header.number;
        let needed = number.min(crate::snapshot::ANCESTORS_MAX);
        if headers.len() as u64 != needed {
            return Err(format!("{} headers before block {number}, {needed} are needed", headers.len()));
        }
        let mut child = (header.parent_hash, number);
        let mut ancestors = Vec::with_capacity(headers.len());
        for header in headers.into_iter().rev() {
            let hash = header.hash_slow();
            if hash != child.0 || header.number + 1 != child.1 {
                return Err(format!("header {hash} is not the parent of the block at height {}", child.1));
            }
            child = (header.parent_hash, header.number);
            ancestors.push((hash, header));
        }
        ancestors.reverse();
        Ok(Base { hash, number, ancestors })
    }

    /// The record.
    pub fn encode(&self) -> Vec<u8> {
        let headers: Vec<&Header> = self.ancestors.iter().map(|(_, header)| header).collect();
        let mut payload = Vec::new();
        TAG.encode(&mut payload);
        VERSION.encode(&mut payload);
        self.hash.encode(&mut payload);
        headers.encode(&mut payload);
        let mut out = Vec::new();
        RlpHeader { list: true, payload_length: payload.len() }.encode(&mut out);
        out.extend(payload);
        out
    }

    /// Whether a record is such a one.
    pub fn is_in(record: &[u8]) -> bool {
        let mut rest = record;
        RlpHeader::decode_bytes(&mut rest, true)
            .is_ok_and(|mut fields| RlpHeader::decode_bytes(&mut fields, false).is_ok_and(|tag| tag == TAG))
    }

    /// The base that a log begins with, and where the record of its block lies; nothing where the log begins with another record.
    ///
    /// # Errors
    /// [`ChainError::Record`] for a base that does not fit the record behind it.
    pub fn read(log: &BlockLog) -> Result<Option<(Base, Place)>, ChainError> {
        let mut records = log.iter_from(log.first_position());
        let Some(first) = records.next().transpose()?.filter(|record| Base::is_in(&record.bytes)) else {
            return Ok(None);
        };
        let second = records.next().transpose()?;
        match Base::checked(&first, second.as_ref()) {
            Ok(found) => Ok(Some(found)),
            Err(reason) => Err(ChainError::Record { position: first.position.0, reason }),
        }
    }

    fn checked(first: &Record, second: Option<&Record>) -> Result<(Base, Place), String> {
        let text = |error: alloy_rlp::Error| error.to_string();
        let mut rest: &[u8] = &first.bytes;
        let mut fields = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
        RlpHeader::decode_bytes(&mut fields, false).map_err(text)?; // the tag
        let version = u64::decode(&mut fields).map_err(text)?;
        if version != VERSION {
            return Err(format!("its base has version {version}, this release reads {VERSION}"));
        }
        let hash = B256::decode(&mut fields).map_err(text)?;
        let headers = Vec::<Header>::decode(&mut fields).map_err(text)?;
        if !rest.is_empty() || !fields.is_empty() {
            return Err("bytes follow the last field of its base".into());
        }
        let second = second.ok_or("no block follows its base")?;
        let stored = StoredBlock::decode(&second.bytes)?;
        if stored.hash != hash {
            return Err(format!("block {} follows the base of block {hash}", stored.hash));
        }
        Ok((Base::before(&stored.block.header, hash, headers)?, place_of(second)))
    }

    /// The error of a log that has lost its store: no state can be made from it.
    pub fn store_lost(&self, place: &str) -> ChainError {
        ChainError::Snapshot(format!(
            "the store in {place} is lost, and its block log begins with the snapshot of block {}, before which nothing can be executed \
             again; move the folder away and start the node anew: it fetches a newer snapshot",
            self.number
        ))
    }

    /// The header with this hash, if it is one of those before the block.
    pub fn ancestor(&self, hash: &B256) -> Option<&Header> {
        self.ancestors.iter().find(|(known, _)| known == hash).map(|(_, header)| header)
    }

    /// The hash of the block before it at this height, if its header is here.
    pub fn ancestor_at(&self, number: u64) -> Option<B256> {
        let from_end = usize::try_from(self.number.checked_sub(number)?).ok()?;
        let index = self.ancestors.len().checked_sub(from_end)?;
        self.ancestors.get(index).map(|(hash, _)| *hash)
    }
}

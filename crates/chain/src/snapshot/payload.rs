//! What peers say to each other about a state, as RLP, read strictly.
//!
//! ```text
//! request of ranges   [block hash, bytes, [[account or empty, start, end], …]]
//! ranges              [[end, [[key, value], …], [proof node, …]], …]   as many as fit, in the order of the request
//! request of codes    [hash, …]
//! codes               [code or empty, …]                               as many as fit, in the order of the request
//! ```
//!
//! An account is named by the hash of its address, which is its key in the state; without one the account trie itself is meant.
//! No range at all says that the state is not kept.

use super::{CODES_MAX, WISHES_MAX};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable, Header as RlpHeader};
use coc_trie::LeafRange;

/// A range that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whose storage; the accounts themselves without it.
    pub account: Option<B256>,
    /// The first key.
    pub start: B256,
    /// The last key.
    pub end: B256,
}

/// A request of ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRequest {
    /// The block after which the state is meant.
    pub block: B256,
    /// Bytes of leaves and proofs after which the answer may end.
    pub bytes_max: u64,
    /// The ranges, at least one.
    pub wishes: Vec<Wish>,
}

impl StateRequest {
    /// The request as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut wishes = Vec::new();
        for wish in &self.wishes {
            let account = wish.account.as_ref().map_or(&[][..], |account| account.as_slice());
            encode_list(&mut wishes, |out| {
                account.encode(out);
                wish.start.encode(out);
                wish.end.encode(out);
            });
        }
        list(|out| {
            self.block.encode(out);
            self.bytes_max.encode(out);
            encode_list(out, |out| out.extend_from_slice(&wishes));
        })
    }

    /// Reads a request back.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn decode(bytes: &[u8]) -> Result<StateRequest, String> {
        let mut fields = whole_list(bytes)?;
        let block = hash(&mut fields)?;
        let bytes_max = u64::decode(&mut fields).map_err(text)?;
        let mut rest = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
        let mut wishes = Vec::new();
        while !rest.is_empty() {
            let mut wish = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
            let account = RlpHeader::decode_bytes(&mut wish, false).map_err(text)?;
            let account = match account.len() {
                0 => None,
                32 => Some(B256::from_slice(account)),
                length => return Err(format!("an account's key has 32 bytes, not {length}")),
            };
            let (start, end) = (hash(&mut wish)?, hash(&mut wish)?);
            if !wish.is_empty() || end < start {
                return Err("a wish is an account, a first and a last key".into());
            }
            wishes.push(Wish { account, start, end });
        }
        if !fields.is_empty() || wishes.is_empty() || wishes.len() > WISHES_MAX {
            return Err(format!("a request has a block, a number of bytes and up to {WISHES_MAX} wishes"));
        }
        Ok(StateRequest { block, bytes_max, wishes })
    }
}

/// Ranges as bytes.
pub fn encode_ranges(ranges: &[LeafRange]) -> Vec<u8> {
    list(|out| {
        for range in ranges {
            encode_list(out, |out| {
                range.end.encode(out);
                encode_list(out, |out| {
                    for (key, value) in &range.leaves {
                        RlpHeader { list: true, payload_length: key.length() + value.length() }.encode(out);
                        key.encode(out);
                        value.encode(out);
                    }
                });
                range.proof.encode(out);
            });
        }
    })
}

/// Reads ranges back; their values share the memory of `bytes`.
///
/// # Errors
/// What is wrong with them, in words.
pub fn decode_ranges(bytes: &Bytes) -> Result<Vec<LeafRange>, String> {
    let mut rest = whole_list(bytes)?;
    let mut ranges = Vec::new();
    while !rest.is_empty() {
        let mut fields = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
        let end = hash(&mut fields)?;
        let mut pairs = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
        let mut leaves = Vec::new();
        while !pairs.is_empty() {
            let mut pair = RlpHeader::decode_bytes(&mut pairs, true).map_err(text)?;
            leaves.push((hash(&mut pair)?, string(bytes, &mut pair)?));
            if !pair.is_empty() {
                return Err("a leaf is a key and a value".into());
            }
        }
        let proof = strings(bytes, &mut fields, usize::MAX)?;
        if !fields.is_empty() || ranges.len() == WISHES_MAX {
            return Err(format!("up to {WISHES_MAX} ranges, each an end, leaves and a proof"));
        }
        ranges.push(LeafRange { end, leaves, proof });
    }
    Ok(ranges)
}

/// Bytes that a range counts towards the size of an answer.
pub fn range_bytes(range: &LeafRange) -> u64 {
    let leaves = range.leaves.iter().map(|(key, value)| key.len() + value.len());
    let proof = range.proof.iter().map(|node| node.len());
    leaves.chain(proof).sum::<usize>() as u64
}

/// Hashes of codes as bytes.
pub fn encode_hashes(hashes: &[B256]) -> Vec<u8> {
    list(|out| hashes.iter().for_each(|hash| hash.encode(out)))
}

/// Reads hashes of codes back.
///
/// # Errors
/// What is wrong with them, in words.
pub fn decode_hashes(bytes: &[u8]) -> Result<Vec<B256>, String> {
    let mut rest = whole_list(bytes)?;
    let mut hashes = Vec::new();
    while !rest.is_empty() {
        hashes.push(hash(&mut rest)?);
        if hashes.len() > CODES_MAX {
            return Err(format!("at most {CODES_MAX} codes are asked for at once"));
        }
    }
    Ok(hashes)
}

/// Codes as bytes.
pub fn encode_codes(codes: &[Bytes]) -> Vec<u8> {
    list(|out| codes.iter().for_each(|code| code.encode(out)))
}

/// Reads codes back; they share the memory of `bytes`.
///
/// # Errors
/// What is wrong with them, in words.
pub fn decode_codes(bytes: &Bytes) -> Result<Vec<Bytes>, String> {
    let mut rest: &[u8] = bytes;
    let codes = strings(bytes, &mut rest, CODES_MAX)?;
    if rest.is_empty() { Ok(codes) } else { Err("bytes follow the codes".into()) }
}

/// One RLP list that `write` fills.
pub(super) fn list(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode_list(&mut out, write);
    out
}

/// Appends one RLP list that `write` fills.
pub(super) fn encode_list(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut payload = Vec::new();
    write(&mut payload);
    RlpHeader { list: true, payload_length: payload.len() }.encode(out);
    out.extend_from_slice(&payload);
}

/// The payload of exactly one RLP list.
pub(super) fn whole_list(bytes: &[u8]) -> Result<&[u8], String> {
    let mut rest = bytes;
    let payload = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
    if rest.is_empty() { Ok(payload) } else { Err("bytes follow the list".into()) }
}

/// The next item, which is a hash.
pub(super) fn hash(fields: &mut &[u8]) -> Result<B256, String> {
    B256::decode(fields).map_err(text)
}

/// The next item, which is a string, in the memory of `bytes`.
pub(crate) fn string(bytes: &Bytes, fields: &mut &[u8]) -> Result<Bytes, String> {
    let found = RlpHeader::decode_bytes(fields, false).map_err(text)?;
    Ok(if found.is_empty() { Bytes::new() } else { bytes.slice_ref(found) })
}

/// The next item, which is a list of strings.
pub(super) fn strings(bytes: &Bytes, fields: &mut &[u8], most: usize) -> Result<Vec<Bytes>, String> {
    let mut rest = RlpHeader::decode_bytes(fields, true).map_err(text)?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        found.push(string(bytes, &mut rest)?);
        if found.len() > most {
            return Err(format!("a list has more than {most} strings"));
        }
    }
    Ok(found)
}

pub(crate) fn text(error: alloy_rlp::Error) -> String {
    error.to_string()
}

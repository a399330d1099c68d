//! The progress of a snapshot as a file: how far the node files reach, and the open edge of every trie that is under way.
//!
//! RLP: `[version, lengths, [block hash, growing, next, [accounts, slots, codes, bytes], earlier, [storage, …]]]`, where `earlier` is
//! `[root, place, next]` or empty, a storage is `[root, account, place or 0, growing, next]`, and an empty `next` means complete.

use super::builder::Counts;
use super::job::Job;
use super::payload::{encode_list, hash, list, text, whole_list};
use super::storages::{Earlier, Stand, Storage, Storages};
use alloy_primitives::B256;
use alloy_rlp::{Decodable, Encodable, Header as RlpHeader};
use coc_store::GenerationLength;
use coc_trie::{GrowingTrie, Loc, Trie};
use std::collections::BTreeMap;

/// Version of the format.
const VERSION: u64 = 1;

/// What an earlier process has saved.
#[derive(Default)]
pub(super) struct Saved {
    pub lengths: Vec<GenerationLength>,
    pub attempt: Option<Attempt>,
}

/// A snapshot that an earlier process was at.
pub(super) struct Attempt {
    pub block: B256,
    pub accounts: Job,
    pub storages: Storages,
    pub counts: Counts,
}

/// The progress as bytes; every job has settled.
pub(super) fn encode(
    lengths: &[GenerationLength],
    block: &B256,
    accounts: &Job,
    storages: &Storages,
    counts: &Counts,
) -> Vec<u8> {
    list(|out| {
        VERSION.encode(out);
        GenerationLength::encode_list(lengths).as_slice().encode(out);
        encode_list(out, |out| {
            block.encode(out);
            accounts.root.encode(out);
            accounts.encode().as_slice().encode(out);
            encode_key(accounts.next(), out);
            encode_list(out, |out| {
                [counts.accounts, counts.slots, counts.codes, counts.bytes]
                    .iter()
                    .for_each(|count| count.encode(out));
            });
            encode_list(out, |out| encode_earlier(storages.earlier.as_ref(), out));
            encode_list(out, |out| {
                storages.by_root.iter().for_each(|(root, storage)| encode_storage(root, storage, out));
            });
        });
    })
}

impl Saved {
    /// Reads the progress back; nothing for bytes that are none, or of another version.
    pub fn decode(content: &[u8]) -> Option<Saved> {
        read(content).ok()
    }
}

fn read(content: &[u8]) -> Result<Saved, String> {
    let mut rest = whole_list(content)?;
    if u64::decode(&mut rest).map_err(text)? != VERSION {
        return Err("another version".into());
    }
    let lengths = GenerationLength::decode_list(string(&mut rest)?).ok_or("lengths that are none")?;
    let mut fields = RlpHeader::decode_bytes(&mut rest, true).map_err(text)?;
    let block = hash(&mut fields)?;
    let accounts = read_job(hash(&mut fields)?, &mut fields)?;
    let mut numbers = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
    let mut number = || u64::decode(&mut numbers).map_err(text);
    let counts = Counts { accounts: number()?, slots: number()?, codes: number()?, bytes: number()? };
    let mut earlier = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
    let earlier = read_earlier(&mut earlier)?;
    let mut by_root = BTreeMap::new();
    let mut list = RlpHeader::decode_bytes(&mut fields, true).map_err(text)?;
    while !list.is_empty() {
        let mut storage = RlpHeader::decode_bytes(&mut list, true).map_err(text)?;
        let (root, account) = (hash(&mut storage)?, hash(&mut storage)?);
        let stand = match u64::decode(&mut storage).map_err(text)? {
            0 => Stand::Open(Box::new(read_job(root, &mut storage)?)),
            place => Stand::Written(Loc(place)),
        };
        by_root.insert(root, Storage::resumed(account, stand));
    }
    let storages = Storages::resumed(by_root, earlier);
    Ok(Saved { lengths, attempt: Some(Attempt { block, accounts, storages, counts }) })
}

fn encode_storage(root: &B256, storage: &Storage, out: &mut Vec<u8>) {
    match &storage.stand {
        Stand::Written(loc) => encode_list(out, |out| {
            root.encode(out);
            storage.account.encode(out);
            loc.0.encode(out);
        }),
        Stand::Open(job) if job.has_begun() => encode_list(out, |out| {
            root.encode(out);
            storage.account.encode(out);
            0_u64.encode(out);
            job.encode().as_slice().encode(out);
            encode_key(job.next(), out);
        }),
        Stand::Open(_) => {}
    }
}

fn encode_earlier(earlier: Option<&Earlier>, out: &mut Vec<u8>) {
    let Some(earlier) = earlier else { return };
    let Some(loc) = earlier.accounts.loc() else { return };
    earlier.accounts.root_hash().encode(out);
    loc.0.encode(out);
    encode_key(earlier.next, out);
}

fn read_earlier(fields: &mut &[u8]) -> Result<Option<Earlier>, String> {
    if fields.is_empty() {
        return Ok(None);
    }
    let (root, place) = (hash(fields)?, u64::decode(fields).map_err(text)?);
    Ok(Some(Earlier { accounts: Trie::stored(root, Loc(place)), next: read_key(fields)? }))
}

fn read_job(root: B256, fields: &mut &[u8]) -> Result<Job, String> {
    let growing = GrowingTrie::decode(string(fields)?).ok_or("a trie that is none")?;
    Ok(Job::resumed(root, growing, read_key(fields)?))
}

fn encode_key(key: Option<B256>, out: &mut Vec<u8>) {
    key.as_ref().map_or(&[][..], |key| key.as_slice()).encode(out);
}

fn read_key(fields: &mut &[u8]) -> Result<Option<B256>, String> {
    match string(fields)? {
        [] => Ok(None),
        key => B256::try_from(key).map(Some).map_err(|_| "a key that is none".into()),
    }
}

fn string<'a>(fields: &mut &'a [u8]) -> Result<&'a [u8], String> {
    RlpHeader::decode_bytes(fields, false).map_err(text)
}

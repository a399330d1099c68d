//! A folder's chain on its way from pieces of peers: what it is made of, how it begins, and what it saves.

use super::job::Job;
use super::progress::{self, Saved};
use super::storages::{Earlier, Storages};
use super::{SnapshotError, Surroundings};
use crate::error::ChainError;
use crate::folder::{self, REBUILD_MARK, SNAPSHOT_FILE, SNAPSHOT_SURROUNDINGS_FILE, genesis_of};
use crate::genesis::Origin;
use crate::open::{ChainOptions, GENESIS_FILE, Parts, marker_in};
use crate::rows::SNAPSHOT_CODES;
use alloy_primitives::map::B256Set;
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Decodable as _;
use coc_disk::{AtomicFileError, Disk, RealDisk, load_checked, replace_file, save_checked};
use coc_evm::types::Header;
use coc_store::{Batch, Index, NodeFiles, NodeFilesOptions, StoreError, Table};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The block whose state is fetched.
#[derive(Clone)]
pub(super) struct Target {
    pub header: Header,
    pub hash: B256,
}

/// How much was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accounts that are in the trie.
    pub accounts: u64,
    /// Slots that are in their tries.
    pub slots: u64,
    /// Codes.
    pub codes: u64,
    /// Bytes of answers.
    pub bytes: u64,
}

/// Where a snapshot stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The block whose state it is.
    pub block: B256,
    /// Its height.
    pub number: u64,
    /// The first account key that is still to come; nothing when all accounts are here.
    pub next: Option<B256>,
    /// Whether the surroundings of the block are here.
    pub has_surroundings: bool,
    /// How much was taken in.
    pub counts: Counts,
}

/// What beginning has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing that could be used.
    Anew,
    /// A snapshot of this very block, which goes on.
    Resumed,
    /// A snapshot of another block: its codes, and its storages with the same root, are used again.
    Turned,
}

/// What the range of an answer has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GainedRange {
    /// The last key that is certain now: the last of all where the trie has no more.
    pub end: B256,
    /// Accounts whose storage is to be fetched, and from which key on.
    pub storages: Vec<(B256, B256)>,
    /// Codes that are to be fetched.
    pub codes: Vec<B256>,
}

/// What an answer has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gained {
    /// One entry for each of its ranges.
    pub ranges: Vec<GainedRange>,
    /// The first account key that is not in the trie: everything before it is done with; nothing when all are.
    pub next: Option<B256>,
}

/// A snapshot under way. Dropping it leaves one that can be gone on with.
pub struct SnapshotBuilder {
    pub(super) origin: Origin,
    pub(super) parts: Parts,
    pub(super) options: ChainOptions,
    pub(super) nodes: Arc<NodeFiles>,
    pub(super) target: Target,
    pub(super) accounts: Job,
    pub(super) storages: Storages,
    pub(super) codes_missing: B256Set,
    pub(super) surroundings: Option<Bytes>,
    pub(super) counts: Counts,
    /// Bytes that had been taken in when the progress was saved last.
    pub(super) saved_bytes: u64,
}

impl SnapshotBuilder {
    /// Begins, or goes on with, the snapshot of the block with this header in a folder that is new, or holds block 0 and no more.
    ///
    /// # Errors
    /// [`ChainError::Snapshot`] for a folder that holds a chain, a chain that is not ours, and a header that is none; what keeps
    /// a folder from being opened.
    pub fn begin(
        genesis: &[u8],
        dir: &Path,
        header: &[u8],
        options: &ChainOptions,
    ) -> Result<(SnapshotBuilder, Begun), ChainError> {
        let disk = RealDisk::new();
        let origin = Origin::of(&disk, dir, genesis)?;
        let lock = folder::claim(&disk, dir)?;
        origin.refuse_other(dir, genesis)?;
        let parts = Parts::in_folder(dir, lock, &origin, options)?;
        if genesis_of(dir)?.is_none() {
            replace_file(&disk, &dir.join(GENESIS_FILE), genesis)?;
        }
        Self::start(origin, parts, header, options)
    }

    /// The same on a disk and an index of the caller's.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn begin_on(
        genesis: &[u8],
        disk: Arc<dyn Disk>,
        index: Arc<dyn Index>,
        header: &[u8],
        options: &ChainOptions,
    ) -> Result<(SnapshotBuilder, Begun), ChainError> {
        Self::start(Origin::read(genesis)?, Parts::given(disk, index), header, options)
    }

    fn start(
        origin: Origin,
        parts: Parts,
        header: &[u8],
        options: &ChainOptions,
    ) -> Result<(SnapshotBuilder, Begun), ChainError> {
        let target = target(&origin, header)?;
        let disk = parts.disk.clone();
        if disk.exists(&parts.root.join(REBUILD_MARK))? {
            return Err(ChainError::RebuildUnfinished { place: parts.place() });
        }
        let saved = match load_checked(&*disk, &parts.root.join(SNAPSHOT_FILE)) {
            Ok(content) => content.map(|content| Saved::decode(&content).unwrap_or_default()),
            // Nothing in it is worth more than fetching it again.
            Err(AtomicFileError::Damaged { .. }) => Some(Saved::default()),
            Err(AtomicFileError::Disk(error)) => return Err(error.into()),
        };
        if saved.is_none() {
            refuse_a_chain(&origin, &parts)?;
            disk.create_dir(&parts.root)?;
            // Durable before anything is cleared: a folder with this file is never opened as a chain.
            save_checked(&*disk, &parts.root.join(SNAPSHOT_FILE), &[])?;
        }
        let node_options =
            NodeFilesOptions { genesis_hash: origin.hash, cache_bytes: options.node_cache_bytes };
        let mut saved = saved.unwrap_or_default();
        let open =
            |saved: &Saved| NodeFiles::open(disk.clone(), &parts.state_dir(), node_options, &saved.lengths);
        let nodes = match open(&saved) {
            Err(StoreError::Damaged { .. }) => {
                saved = Saved::default();
                open(&saved)?.0
            }
            opened => opened?.0,
        };
        let mut builder = SnapshotBuilder {
            accounts: Job::new(target.header.state_root),
            origin,
            parts,
            options: options.clone(),
            nodes: Arc::new(nodes),
            target,
            storages: Storages::default(),
            codes_missing: B256Set::default(),
            surroundings: None,
            counts: Counts::default(),
            saved_bytes: 0,
        };
        let begun = builder.go_on_from(saved)?;
        builder.save()?;
        builder.clear_index()?;
        Ok((builder, begun))
    }

    /// Takes over what an earlier process has saved, unless the index has lost codes that came before it was.
    fn go_on_from(&mut self, saved: Saved) -> Result<Begun, ChainError> {
        let Some(attempt) = saved.attempt else { return Ok(Begun::Anew) };
        let codes = self.parts.index.get(Table::Meta, SNAPSHOT_CODES)?;
        let codes = codes.and_then(|codes| codes.as_slice().try_into().ok().map(u64::from_be_bytes));
        if codes.unwrap_or(0) < attempt.counts.codes {
            return Ok(Begun::Anew);
        }
        self.storages = attempt.storages;
        self.counts = attempt.counts;
        if attempt.block == self.target.hash {
            self.accounts = attempt.accounts;
            self.surroundings = self.saved_surroundings()?;
            return Ok(Begun::Resumed);
        }
        let built = attempt.accounts;
        let reached = |next: Option<B256>| next.map_or((1, B256::ZERO), |next| (0, next));
        let is_further =
            self.storages.earlier.as_ref().is_none_or(|old| reached(built.next()) > reached(old.next));
        if built.has_begun() && is_further {
            let accounts = built.trie().flush(&mut self.nodes.appender())?;
            self.storages.earlier = Some(Earlier { accounts, next: built.next() });
        }
        self.counts.accounts = 0;
        Ok(Begun::Turned)
    }

    /// Where it stands.
    pub fn stand(&self) -> Stand {
        Stand {
            block: self.target.hash,
            number: self.target.header.number,
            next: self.accounts.next(),
            has_surroundings: self.surroundings.is_some(),
            counts: self.counts,
        }
    }

    /// Makes everything durable that is in the tries; what waits for its turn is fetched again after a kill.
    ///
    /// # Errors
    /// What the disk says.
    pub fn save(&mut self) -> Result<(), ChainError> {
        let nodes = self.nodes.clone();
        let mut appender = nodes.appender();
        self.accounts.settle(&mut appender)?;
        self.storages.open().try_for_each(|job| job.settle(&mut appender))?;
        let lengths = appender.sync()?;
        let content =
            progress::encode(&lengths, &self.target.hash, &self.accounts, &self.storages, &self.counts);
        save_checked(&*self.parts.disk, &self.parts.root.join(SNAPSHOT_FILE), &content)?;
        self.saved_bytes = self.counts.bytes;
        Ok(())
    }

    pub(super) fn keep_surroundings(&mut self, content: Bytes) -> Result<(), SnapshotError> {
        save_checked(&*self.parts.disk, &self.surroundings_file(), &content)?;
        self.surroundings = Some(content);
        Ok(())
    }

    fn saved_surroundings(&self) -> Result<Option<Bytes>, ChainError> {
        let content = match load_checked(&*self.parts.disk, &self.surroundings_file()) {
            Ok(content) => content.map(Bytes::from),
            Err(AtomicFileError::Damaged { .. }) => None,
            Err(AtomicFileError::Disk(error)) => return Err(error.into()),
        };
        // They may be those of a block that was fetched before.
        let is_ours =
            |content: &Bytes| Surroundings::verified(content, &self.target.hash, &self.origin).is_ok();
        Ok(content.filter(is_ours))
    }

    pub(super) fn surroundings_file(&self) -> PathBuf {
        self.parts.root.join(SNAPSHOT_SURROUNDINGS_FILE)
    }

    /// Removes rows that a chain of block 0 has left, but no code.
    fn clear_index(&self) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        for table in Table::ALL.into_iter().filter(|table| *table != Table::Code) {
            batch.delete_range(table, &[], None);
        }
        batch.put(Table::Meta, SNAPSHOT_CODES, &self.counts.codes.to_be_bytes());
        Ok(self.parts.index.write(batch)?)
    }

    pub(super) fn damaged(&self, what: String) -> SnapshotError {
        ChainError::Snapshot(format!(
            "what was built in {} is damaged: {what}; begin anew in an empty folder",
            self.parts.place()
        ))
        .into()
    }
}

/// The block of a header on one of our chains.
fn target(origin: &Origin, header: &[u8]) -> Result<Target, ChainError> {
    let refused = |what: &str| Err(ChainError::Snapshot(format!("a snapshot cannot be begun: {what}")));
    if origin.genesis.coc.is_none() {
        return refused(
            "blocks of an Ethereum chain carry no certificate that would prove them; import them",
        );
    }
    let mut rest = header;
    match Header::decode(&mut rest) {
        Ok(decoded) if rest.is_empty() && decoded.number > origin.header.number => {
            Ok(Target { header: decoded, hash: keccak256(header) })
        }
        _ => refused("what was given is not the header of a block after block 0"),
    }
}

/// Refuses a folder in which there is more than block 0.
fn refuse_a_chain(origin: &Origin, parts: &Parts) -> Result<(), ChainError> {
    let marker = marker_in(&*parts.index, &parts.place())?;
    let has_blocks = match &marker {
        Some(marker) => marker.head != origin.hash || has_more_than_genesis(origin, parts)?,
        None => !folder::has_no_log(&*parts.disk, &parts.log_dir())? && has_more_than_genesis(origin, parts)?,
    };
    if has_blocks {
        return Err(ChainError::Snapshot(format!(
            "{} holds a chain already; move it away, or name another folder with `--data`, to begin with a snapshot",
            parts.place()
        )));
    }
    Ok(())
}

fn has_more_than_genesis(origin: &Origin, parts: &Parts) -> Result<bool, ChainError> {
    let options = ChainOptions { reserve_bytes: 0, ..ChainOptions::default() }.log(origin, 0);
    let (log, _) = coc_log::BlockLog::open(parts.disk.clone(), &parts.log_dir(), options)?;
    Ok(log.iter_from(log.first_position()).take(2).count() > 1)
}

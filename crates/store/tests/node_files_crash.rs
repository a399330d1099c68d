//! Crash campaigns: a node that flushes, syncs and marks loses power at any point, over and over, and after every
//! restart all that the marker's root reaches is there, each node verified. The same campaign must fail when the order
//! is wrong or a sync is left out: otherwise it would prove nothing.

mod node_world;

use alloy_primitives::B256;
use coc_disk::{Dice, DirLock, Disk, DiskError, DiskFile, FaultyDisk, OpenMode, load_checked, save_checked};
use coc_store::{GenerationLength, NodeFiles, StoreError};
use coc_trie::{Loc, Trie, TrieError};
use node_world::{State, grow, open, open_uncached, read_all};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// Seeds a run; `COC_CRASH_SEEDS` asks for more (a nightly run) or fewer.
const SEEDS: u64 = 250;
const CRASHES_PER_SEED: u32 = 6;
const FLUSHES_PER_LIFE: u32 = 8;
const MARKER: &str = "/data/marker";

/// How the campaign flushes: as it must be, or with one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    NodesThenMarker,
    MarkerThenNodes,
    DropThenMarker,
    NodesNeverSynced,
}

/// The marker of a life: what a node knows of its state after a crash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Marker {
    root: B256,
    loc: u64,
    lengths: Vec<GenerationLength>,
}

impl Marker {
    fn of(trie: &Trie, lengths: Vec<GenerationLength>) -> Marker {
        Marker { root: trie.root_hash(), loc: trie.loc().map_or(0, |loc| loc.0), lengths }
    }

    fn encode(&self) -> Vec<u8> {
        let lengths = GenerationLength::encode_list(&self.lengths);
        [self.root.as_slice(), &self.loc.to_le_bytes(), &lengths].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Marker> {
        let (root, rest) = bytes.split_first_chunk::<32>()?;
        let (loc, lengths) = rest.split_first_chunk::<8>()?;
        let lengths = GenerationLength::decode_list(lengths)?;
        Some(Marker { root: root.into(), loc: u64::from_le_bytes(*loc), lengths })
    }

    fn trie(&self) -> Trie {
        if self.loc == 0 { Trie::empty() } else { Trie::stored(self.root, Loc(self.loc)) }
    }
}

/// One node over one disk, through many lives.
struct Campaign {
    order: Order,
    disk: FaultyDisk,
    dice: Dice,
    /// The state behind every root that was ever to be marked.
    states: BTreeMap<B256, State>,
    /// The newest marker whose save returned.
    acknowledged: Marker,
    /// How many markers were saved, in all lives.
    marks: u64,
    /// Markers that the disk may hold since: those whose save did not return.
    possible: Vec<Marker>,
}

impl Campaign {
    fn new(seed: u64, order: Order) -> Campaign {
        Campaign {
            order,
            disk: FaultyDisk::new(seed),
            dice: Dice::new(seed.wrapping_mul(0x9e37_79b9)),
            states: BTreeMap::from([(Trie::empty().root_hash(), State::new())]),
            acknowledged: Marker::of(&Trie::empty(), Vec::new()),
            marks: 0,
            possible: Vec::new(),
        }
    }

    fn disk(&self) -> Arc<dyn Disk> {
        match self.order {
            Order::NodesNeverSynced => Arc::new(UnsyncedNodes { disk: self.disk.clone() }),
            _ => Arc::new(self.disk.clone()),
        }
    }

    /// Lives until the power goes, which it does at a random change of the disk.
    fn run(&mut self) -> Result<(), String> {
        self.disk.create_dir(Path::new("/data")).map_err(|error| error.to_string())?;
        for life in 0..CRASHES_PER_SEED {
            let changes = self.dice.below(60);
            self.disk.cut_power_after(changes);
            // The end of a life is an error by design; what counts is what the next start finds.
            let _ = self.live();
            self.disk.crash();
            self.disk.limit_bytes(None);
            self.verify().map_err(|what| format!("life {life}: {what}"))?;
        }
        Ok(())
    }

    fn live(&mut self) -> Result<(), Box<dyn Error>> {
        let (files, _) = open(self.disk(), &self.acknowledged.lengths)?;
        let mut trie = self.acknowledged.trie();
        let mut state = self.states[&trie.root_hash()].clone();
        for _ in 0..FLUSHES_PER_LIFE {
            let count = self.dice.below(30);
            trie = grow(&files, &trie, &mut state, &mut self.dice, count)?;
            self.states.insert(trie.root_hash(), state.clone());
            if self.dice.one_in(6) {
                self.disk.limit_bytes(Some(files.bytes() + self.dice.below(4000)));
            }
            trie = self.flush(&files, &trie)?;
            self.disk.limit_bytes(None);
            if self.dice.one_in(4) {
                files.appender().start_generation()?;
            }
            if self.dice.one_in(8) {
                trie = self.rewrite(&files, &state)?;
            }
        }
        Ok(())
    }

    /// Flushes and marks; when the disk is full, frees space and goes on with what was accepted.
    fn flush(&mut self, files: &NodeFiles, trie: &Trie) -> Result<Trie, Box<dyn Error>> {
        if self.order == Order::MarkerThenNodes {
            return self.flush_marker_first(files, trie);
        }
        let attempt = || -> Result<(Trie, Vec<GenerationLength>), TrieError> {
            let mut appender = files.appender();
            let stored = trie.flush(&mut appender)?;
            let lengths = appender.sync().map_err(|error| TrieError::Storage(Box::new(error)))?;
            Ok((stored, lengths))
        };
        let mut flushed = attempt();
        if flushed
            .as_ref()
            .is_err_and(|error| StoreError::inside(error).is_some_and(StoreError::is_out_of_space))
        {
            self.disk.limit_bytes(None);
            flushed = attempt();
        }
        let (stored, lengths) = flushed?;
        self.mark(Marker::of(&stored, lengths))?;
        Ok(stored)
    }

    fn flush_marker_first(&mut self, files: &NodeFiles, trie: &Trie) -> Result<Trie, Box<dyn Error>> {
        self.disk.limit_bytes(None);
        let mut appender = files.appender();
        let stored = trie.flush(&mut appender)?;
        self.mark(Marker::of(&stored, files.lengths()))?;
        let lengths = appender.sync()?;
        self.mark(Marker::of(&stored, lengths))?;
        Ok(stored)
    }

    /// What the copier will do: writes the whole state again into the youngest generation, marks without the others,
    /// and drops them.
    fn rewrite(&mut self, files: &NodeFiles, state: &State) -> Result<Trie, Box<dyn Error>> {
        let youngest = files.appender().start_generation()?;
        let changes: Vec<_> =
            state.iter().map(|(key, value)| (*key, Some(coc_trie::Value::new(value.clone())))).collect();
        let copied = Trie::empty().update(files, changes)?;
        let mut appender = files.appender();
        let stored = copied.flush(&mut appender)?;
        let mut lengths = appender.sync()?;
        lengths.retain(|length| length.generation == youngest);
        let marker = Marker::of(&stored, lengths);
        if self.order == Order::DropThenMarker {
            while files.drop_oldest()?.is_some() {}
            self.mark(marker)?;
        } else {
            self.mark(marker)?;
            while files.drop_oldest()?.is_some() {}
        }
        Ok(stored)
    }

    fn mark(&mut self, marker: Marker) -> Result<(), DiskError> {
        self.possible.push(marker.clone());
        save_checked(&self.disk, Path::new(MARKER), &marker.encode())?;
        self.acknowledged = marker;
        self.possible.clear();
        self.marks += 1;
        Ok(())
    }

    /// Restarts and reads everything that the marker promises.
    fn verify(&mut self) -> Result<(), String> {
        let saved = load_checked(&self.disk, Path::new(MARKER)).map_err(|error| error.to_string())?;
        let marker = match saved {
            Some(bytes) => Marker::decode(&bytes).ok_or("the marker does not decode")?,
            None => Marker::of(&Trie::empty(), Vec::new()),
        };
        if marker != self.acknowledged && !self.possible.contains(&marker) {
            return Err("the marker is not the newest acknowledged one".into());
        }
        self.acknowledged = marker.clone();
        self.possible.clear();
        let files = open_uncached(self.disk(), &marker.lengths).map_err(|error| error.to_string())?;
        let found = read_all(&files, &marker.trie()).map_err(|error| error.to_string())?;
        if found != self.states[&marker.root] {
            return Err(format!("the state of root {} is another one", marker.root));
        }
        Ok(())
    }
}

fn seeds() -> u64 {
    std::env::var("COC_CRASH_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

/// Whether some seed of the campaign finds the fault in `order`.
fn is_caught(order: Order) -> bool {
    (0..seeds()).any(|seed| Campaign::new(seed, order).run().is_err())
}

#[test]
fn after_a_crash_at_any_point_everything_reachable_from_the_markers_root_verifies() {
    let mut marks = 0;
    for seed in 0..seeds() {
        let mut campaign = Campaign::new(seed, Order::NodesThenMarker);
        if let Err(what) = campaign.run() {
            panic!("seed {seed}: {what}");
        }
        marks += campaign.marks;
    }
    // Lives that end before their first marker would verify nothing.
    assert!(marks > 3 * seeds(), "{marks} markers in {} seeds", seeds());
}

#[test]
fn the_campaign_catches_a_marker_written_before_its_nodes() {
    assert!(is_caught(Order::MarkerThenNodes));
}

#[test]
fn the_campaign_catches_a_generation_dropped_before_the_marker_lets_go_of_it() {
    assert!(is_caught(Order::DropThenMarker));
}

#[test]
fn the_campaign_catches_node_files_that_are_never_synced() {
    assert!(is_caught(Order::NodesNeverSynced));
}

/// A disk that says node files are synced and does nothing: as if the sync were missing from the code.
#[derive(Debug)]
struct UnsyncedNodes {
    disk: FaultyDisk,
}

#[derive(Debug)]
struct UnsyncedFile {
    file: Arc<dyn DiskFile>,
}

impl Disk for UnsyncedNodes {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn DiskFile>, DiskError> {
        Ok(Arc::new(UnsyncedFile { file: self.disk.open(path, mode)? }))
    }
    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        self.disk.exists(path)
    }
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        self.disk.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        self.disk.remove(path)
    }
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.disk.create_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.disk.sync_dir(dir)
    }
    fn lock_dir(&self, dir: &Path) -> Result<DirLock, DiskError> {
        self.disk.lock_dir(dir)
    }
    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.disk.free_bytes(dir)
    }
}

impl DiskFile for UnsyncedFile {
    fn len(&self) -> Result<u64, DiskError> {
        self.file.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.file.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_at(offset, bytes)
    }
    fn set_len(&self, bytes: u64) -> Result<(), DiskError> {
        self.file.set_len(bytes)
    }
    fn sync(&self) -> Result<(), DiskError> {
        Ok(())
    }
    fn preallocate(&self, bytes: u64) -> Result<(), DiskError> {
        self.file.preallocate(bytes)
    }
    fn path(&self) -> &Path {
        self.file.path()
    }
}

//! How fast the store is: nodes written and read, and random rows written to the index.
//!
//! `cargo run --profile quick -p coc-store --example store_speed -- [folder]` prints one line a figure. The folder
//! (default: a temporary one) decides which disk is measured.

use alloy_primitives::{B256, keccak256};
use coc_disk::{Dice, RealDisk};
use coc_store::{
    Batch, Index, LmdbIndex, LmdbOptions, MemIndex, MemOptions, NodeFiles, NodeFilesOptions, Table,
};
use coc_trie::{Loc, NodeReader, NodeWriter, Trie, TrieError, Value};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const ACCOUNTS: u64 = 200_000;
const READS: usize = 200_000;
const INDEX_ROWS: usize = 1_000_000;
const INDEX_BATCH: usize = 50_000;
const REPEATS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let own = tempfile::tempdir()?;
    let folder = std::env::args().nth(1).map_or(own.path().to_path_buf(), Into::into);
    measure_nodes(&folder.join("nodes"))?;
    measure_index("LMDB", &LmdbIndex::open(&folder.join("index"), LmdbOptions::new(B256::ZERO))?)?;
    measure_index("memory", &MemIndex::new(MemOptions::default()))
}

/// Remembers where each record went, so that nodes can be read one by one.
struct Noted<'a> {
    writer: &'a mut dyn NodeWriter,
    places: Vec<(Loc, B256)>,
}

impl NodeWriter for Noted<'_> {
    fn write(&mut self, record: &[u8]) -> Result<Loc, TrieError> {
        let loc = self.writer.write(record)?;
        let encoding = u32::from_le_bytes([record[0], record[1], record[2], record[3]]) as usize;
        self.places.push((loc, keccak256(&record[4..4 + encoding])));
        Ok(loc)
    }
}

fn measure_nodes(dir: &Path) -> Result<(), Box<dyn Error>> {
    let options = NodeFilesOptions { cache_bytes: 512 << 20, ..NodeFilesOptions::new(B256::ZERO) };
    let (files, _) = NodeFiles::open(Arc::new(RealDisk::new()), dir, options, &[])?;
    let accounts: Vec<_> = (0..ACCOUNTS)
        .map(|number| (keccak256(number.to_be_bytes()).0, Some(Value::new(vec![7; 70]))))
        .collect();
    let trie = Trie::empty().update(&files, accounts)?;
    trie.root_hash();
    let mut appender = files.appender();
    let mut noted = Noted { writer: &mut appender, places: Vec::new() };
    let start = Instant::now();
    trie.flush(&mut noted)?;
    let mut places = noted.places;
    appender.sync()?;
    let seconds = start.elapsed().as_secs_f64();
    let count = places.len() as f64;
    println!(
        "nodes    write and sync   {:9.0} nodes/s   {:.2} µs each (incl. the hash this bench takes of each), {} bytes",
        count / seconds,
        seconds * 1e6 / count,
        files.bytes()
    );
    shuffle(&mut places);
    places.truncate(READS);
    for what in ["miss (page cache)", "hit"] {
        let start = Instant::now();
        for (loc, hash) in &places {
            std::hint::black_box(files.read(*loc, hash)?);
        }
        println!("nodes    read {what:18} {:9.3} µs", micros_each(start, places.len()));
    }
    println!("nodes    cache {} bytes for {} nodes", files.cached_bytes(), places.len());
    Ok(())
}

fn measure_index(name: &str, index: &dyn Index) -> Result<(), Box<dyn Error>> {
    let mut dice = Dice::new(1);
    let mut random_batch = |count: usize| {
        let mut batch = Batch::new();
        for _ in 0..count {
            batch.put(Table::Transactions, &dice.roll().to_be_bytes(), &dice.roll().to_be_bytes());
        }
        batch
    };
    let start = Instant::now();
    for _ in 0..INDEX_ROWS / INDEX_BATCH {
        index.write(random_batch(INDEX_BATCH))?;
    }
    println!("{name:8} fill to {INDEX_ROWS} rows        {:9.3} µs/key", micros_each(start, INDEX_ROWS));
    for size in [200, 2_000, INDEX_BATCH] {
        let mut figures = Vec::new();
        for _ in 0..REPEATS {
            let batch = random_batch(size);
            let start = Instant::now();
            index.write(batch)?;
            figures.push(micros_each(start, size));
        }
        figures.sort_by(f64::total_cmp);
        println!("{name:8} insert batch of {size:6}     {:9.3} µs/key", figures[REPEATS / 2]);
    }
    let mut dice = Dice::new(1);
    let keys: Vec<_> = (0..READS).map(|_| (dice.roll(), dice.roll()).0.to_be_bytes()).collect();
    let start = Instant::now();
    for key in &keys {
        std::hint::black_box(index.get(Table::Transactions, key)?);
    }
    println!("{name:8} get                       {:9.3} µs", micros_each(start, READS));
    let snapshot = index.snapshot()?;
    let start = Instant::now();
    for key in &keys {
        std::hint::black_box(snapshot.get(Table::Transactions, key)?);
    }
    println!("{name:8} get in one snapshot       {:9.3} µs", micros_each(start, READS));
    drop(snapshot);
    println!("{name:8} file {} bytes", index.stats()?.file_bytes);
    Ok(())
}

fn micros_each(start: Instant, count: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}

fn shuffle<T>(items: &mut [T]) {
    let mut dice = Dice::new(2);
    for place in (1..items.len()).rev() {
        items.swap(place, dice.below(place as u64 + 1) as usize);
    }
}

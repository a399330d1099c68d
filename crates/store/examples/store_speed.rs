//! How fast the store is: nodes written and read, and random rows written to the index.
//!
//! `cargo run --profile quick -p coc-store --example store_speed -- [folder]` prints one line a figure. The folder
//! (default: a temporary one) decides which disk is measured. Each figure is given twice: in time on the wall, and in
//! time on the processor, which other work on the machine disturbs less.

use alloy_primitives::{B256, keccak256};
use coc_disk::{Dice, RealDisk};
use coc_store::{
    Batch, Index, LmdbIndex, LmdbOptions, MemIndex, MemOptions, NodeFiles, NodeFilesOptions, Table,
};
use coc_trie::{Loc, NodeReader, NodeWriter, Trie, TrieError, Value};
use std::error::Error;
use std::fmt;
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
    let start = Started::now();
    trie.flush(&mut noted)?;
    let mut places = noted.places;
    appender.sync()?;
    let each = start.micros_each(places.len());
    println!("nodes    write and sync {} nodes  {each}, {} bytes", places.len(), files.bytes());
    shuffle(&mut places);
    places.truncate(READS);
    for what in ["miss (page cache)", "hit"] {
        let start = Started::now();
        for (loc, hash) in &places {
            std::hint::black_box(files.read(*loc, hash)?);
        }
        println!("nodes    read {what:18} {}", start.micros_each(places.len()));
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
    let start = Started::now();
    for _ in 0..INDEX_ROWS / INDEX_BATCH {
        index.write(random_batch(INDEX_BATCH))?;
    }
    println!("{name:8} fill to {INDEX_ROWS} rows        {} a key", start.micros_each(INDEX_ROWS));
    for size in [200, 2_000, INDEX_BATCH] {
        let mut figures = Vec::new();
        for _ in 0..REPEATS {
            let batch = random_batch(size);
            let start = Started::now();
            index.write(batch)?;
            figures.push(start.micros_each(size));
        }
        figures.sort_by(|a, b| a.wall.total_cmp(&b.wall));
        println!("{name:8} insert batch of {size:6}     {} a key", figures[REPEATS / 2]);
    }
    let mut dice = Dice::new(1);
    let keys: Vec<_> = (0..READS).map(|_| (dice.roll(), dice.roll()).0.to_be_bytes()).collect();
    let start = Started::now();
    for key in &keys {
        std::hint::black_box(index.get(Table::Transactions, key)?);
    }
    println!("{name:8} get                       {}", start.micros_each(READS));
    let snapshot = index.snapshot()?;
    let start = Started::now();
    for key in &keys {
        std::hint::black_box(snapshot.get(Table::Transactions, key)?);
    }
    println!("{name:8} get in one snapshot       {}", start.micros_each(READS));
    drop(snapshot);
    println!("{name:8} file {} bytes", index.stats()?.file_bytes);
    Ok(())
}

/// Both clocks at one moment.
struct Started {
    wall: Instant,
    processor_nanos: f64,
}

/// Microseconds a piece of work, on both clocks.
struct Micros {
    wall: f64,
    processor: f64,
}

impl Started {
    fn now() -> Started {
        Started { wall: Instant::now(), processor_nanos: processor_nanos() }
    }

    fn micros_each(&self, count: usize) -> Micros {
        let count = count as f64;
        Micros {
            wall: self.wall.elapsed().as_secs_f64() * 1e6 / count,
            processor: (processor_nanos() - self.processor_nanos) / 1e3 / count,
        }
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:9.3} µs wall {:9.3} µs processor", self.wall, self.processor)
    }
}

/// Nanoseconds that this thread has run, as Linux counts them; 0 elsewhere.
fn processor_nanos() -> f64 {
    let counters = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    counters.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0.0)
}

fn shuffle<T>(items: &mut [T]) {
    let mut dice = Dice::new(2);
    for place in (1..items.len()).rev() {
        items.swap(place, dice.below(place as u64 + 1) as usize);
    }
}

//! Times of the trie: build, update, hash, read, flush and re-read, on one thread and on two.
//!
//! `cargo run --profile quick -p coc-trie --example trie_speed -- [accounts] [changes] [most threads]`
//!
//! One thread is measured in processor time (a busy machine does not show), two in time on the wall; of the
//! rounds the least is given and, in parentheses, the median.

use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use coc_trie::{
    EMPTY_ROOT_HASH, Loc, MemoryNodes, Node, NodeReader, Trie, TrieError, Value, keccak256_many, ordered_root,
};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, RwLock};
use std::time::Instant;

const ROUNDS: usize = 21;

/// Accounts that are read again and again, so that their nodes stay in the processor's caches.
const HOT_ACCOUNTS: u64 = 500;

/// Keeps every node it has read, decoded.
struct Cached {
    nodes: MemoryNodes,
    read: RwLock<HashMap<Loc, Arc<Node>>>,
}

impl NodeReader for Cached {
    fn read(&self, loc: Loc, hash: &B256) -> Result<Arc<Node>, TrieError> {
        if let Some(node) = self.read.read().expect("sound").get(&loc) {
            return Ok(node.clone());
        }
        let node = self.nodes.read(loc, hash)?;
        self.read.write().expect("sound").insert(loc, node.clone());
        Ok(node)
    }
}

/// Processor time of the process so far, or time on the wall, in microseconds.
#[derive(Clone, Copy)]
enum Clock {
    Processor,
    Wall(Instant),
}

impl Clock {
    fn micros(self) -> f64 {
        match self {
            Clock::Wall(start) => start.elapsed().as_secs_f64() * 1e6,
            Clock::Processor => {
                let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
                // SAFETY: `time` is a valid place for the answer.
                unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
                time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
            }
        }
    }

    /// What `work` gives, and its microseconds for each of `count`.
    fn each<T>(self, count: usize, work: impl FnOnce() -> T) -> (T, f64) {
        let start = self.micros();
        let made = work();
        (made, (self.micros() - start) / count as f64)
    }
}

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

/// An account's encoding as mainnet has them: nonce, balance of eight bytes, empty storage, no code.
fn account(nonce: u64, index: u64) -> Value {
    let mut rlp = vec![0xf8, 0];
    rlp.extend([0x84, 0x01]);
    rlp.extend(&nonce.to_be_bytes()[5..]);
    rlp.extend([0x88, 0x0d]);
    rlp.extend(&index.to_be_bytes()[1..]);
    for hash in [EMPTY_ROOT_HASH, KECCAK256_EMPTY] {
        rlp.push(0xa0);
        rlp.extend(hash);
    }
    rlp[1] = (rlp.len() - 2) as u8;
    Value::new(rlp)
}

/// Least and median.
fn spread(mut times: Vec<f64>) -> String {
    times.sort_by(f64::total_cmp);
    format!("{:.2} ({:.2})", times[0], times[times.len() / 2])
}

fn changes(round: usize, accounts: u64, count: usize) -> Vec<(B256, Option<Value>)> {
    let pick = |i: usize| keccak256([round.to_be_bytes(), i.to_be_bytes()].concat());
    (0..count)
        .map(|i| u64::from_be_bytes(pick(i)[..8].try_into().expect("eight")) % accounts)
        .map(|index| (key(index), Some(account(round as u64 + 2, index))))
        .collect()
}

fn measure(accounts: u64, count: usize, clock: Clock) {
    let nodes = MemoryNodes::new();
    let all: Vec<_> = (0..accounts).map(|index| (key(index), Some(account(1, index)))).collect();
    let (mut trie, time) = clock.each(all.len(), || {
        let trie = Trie::empty().update(&nodes, all).expect("fits");
        trie.root_hash();
        trie
    });
    println!("  build {accounts}: {time:.2} µs a key");
    trie = in_memory(trie, &nodes, accounts, count, clock);
    from_records(&trie, nodes, accounts, count, clock);
}

/// Microseconds of a read, keys taken from the first `accounts`.
fn read_all(trie: &Trie, reader: &dyn NodeReader, accounts: u64, clock: Clock) -> f64 {
    let reads: Vec<B256> = (0..100_000).map(|i| key(i * 7919 % accounts)).collect();
    let read = |key: &B256| black_box(trie.get(reader, key.as_slice()).expect("sound").is_some());
    let (found, time) = clock.each(reads.len(), || reads.iter().filter(|key| read(key)).count());
    assert_eq!(found, reads.len());
    time
}

fn in_memory(mut trie: Trie, nodes: &MemoryNodes, accounts: u64, count: usize, clock: Clock) -> Trie {
    let (mut updating, mut hashing, mut dropping) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let changes = changes(round, accounts, count);
        let (next, time) = clock.each(count, || trie.update(nodes, changes).expect("fits"));
        updating.push(time);
        hashing.push(clock.each(count, || black_box(next.root_hash())).1);
        dropping.push(clock.each(count, || trie = next).1);
    }
    let (updating, hashing, dropping) = (spread(updating), spread(hashing), spread(dropping));
    println!("  in memory: update {updating} + hash {hashing} (+ drop old {dropping}) µs a key");

    let time = read_all(&trie, nodes, accounts, clock);
    let hot = read_all(&trie, nodes, HOT_ACCOUNTS, clock);
    println!("  in memory: get {time:.3} µs; of {HOT_ACCOUNTS} hot accounts {hot:.3} µs");
    trie
}

fn from_records(trie: &Trie, mut nodes: MemoryNodes, accounts: u64, count: usize, clock: Clock) {
    let (stored, time) = clock.each(1, || trie.flush(&mut nodes).expect("fits"));
    println!("  flush all: {:.2} µs a node", time / nodes.count() as f64);
    let cached = Cached { nodes: nodes.clone(), read: RwLock::default() };
    println!("  from records: get first {:.3} µs", read_all(&stored, &cached, accounts, clock));
    println!("  from records: get from the cache {:.3} µs", read_all(&stored, &cached, accounts, clock));
    println!(
        "  from records, no cache: {}",
        blocks(&stored, 0, &nodes, nodes.clone(), accounts, count, clock)
    );
    println!(
        "  from records, cached: {}",
        blocks(&stored, 0, &cached, nodes.clone(), accounts, count, clock)
    );
    for kept in [4, 5] {
        let times = blocks(&stored, kept, &cached, nodes.clone(), accounts, count, clock);
        println!("  from records, cached, top {kept} nibbles in memory: {times}");
    }
}

/// A series of blocks, each flushed; the nodes of less than `kept` nibbles stay in memory.
fn blocks(
    from: &Trie,
    kept: usize,
    reader: &dyn NodeReader,
    mut writer: MemoryNodes,
    accounts: u64,
    count: usize,
    clock: Clock,
) -> String {
    let (mut updating, mut flushing, mut shedding) = (Vec::new(), Vec::new(), Vec::new());
    let mut trie = from.clone();
    let mut written = 0;
    for round in ROUNDS..2 * ROUNDS {
        let changes = changes(round, accounts, count);
        let (next, time) = clock.each(count, || {
            let next = trie.update(reader, changes).expect("sound");
            next.root_hash();
            next
        });
        updating.push(time);
        let before = writer.count();
        flushing.push(clock.each(count, || next.flush(&mut writer).expect("fits")).1);
        shedding.push(clock.each(count, || trie = next.shed_below(kept)).1);
        written = writer.count() - before;
    }
    format!(
        "update + hash {}, flush {}, shed {} µs a key ({:.2} nodes a key)",
        spread(updating),
        spread(flushing),
        spread(shedding),
        written as f64 / count as f64
    )
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let accounts = arguments.next().unwrap_or(100_000);
    let count = arguments.next().unwrap_or(4_000) as usize;

    let blocks = vec![[0x5a; 100]; 64];
    let rounds = |hash: &dyn Fn()| {
        let times = (0..200).map(|_| Clock::Processor.each(blocks.len(), hash).1);
        spread(times.collect())
    };
    let one_by_one = rounds(&|| blocks.iter().for_each(|block| _ = black_box(keccak256(black_box(block)))));
    let together = rounds(&|| drop(black_box(keccak256_many(black_box(&blocks)))));
    println!("keccak-256 of 100 bytes: {one_by_one} µs one by one, {together} µs together");

    let receipts = vec![[0x77; 300]; 1_000];
    let roots =
        (0..50).map(|_| Clock::Processor.each(receipts.len(), || black_box(ordered_root(&receipts))).1);
    println!("ordered root: {} µs for each of 1,000 items of 300 bytes", spread(roots.collect()));

    let most = arguments.next().unwrap_or(2) as usize;
    let clocks = [(1, Clock::Processor), (2, Clock::Wall(Instant::now()))];
    for (threads, clock) in clocks.into_iter().filter(|(threads, _)| *threads <= most) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        println!("threads {threads}, {count} changes of {accounts} accounts");
        pool.install(|| measure(accounts, count, clock));
    }
}

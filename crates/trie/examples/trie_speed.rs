//! Times of the trie: build, update, hash, read, flush and re-read, on one thread and on two; the least of the rounds, and the median.
//!
//! `cargo run --profile quick -p coc-trie --example trie_speed -- [accounts] [changes a block]`

use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use coc_trie::{EMPTY_ROOT_HASH, MemoryNodes, Trie, Value};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 11;

fn key(index: u64) -> B256 {
    keccak256(index.to_be_bytes())
}

/// An account's encoding as mainnet has them: nonce, balance of nine bytes, empty storage, no code.
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

fn measure(accounts: u64, count: usize, threads: usize) {
    let mut nodes = MemoryNodes::new();
    let micros = |start: Instant, n: usize| start.elapsed().as_secs_f64() * 1e6 / n as f64;

    let start = Instant::now();
    let all = (0..accounts).map(|index| (key(index), Some(account(1, index))));
    let mut trie = Trie::empty().update(&nodes, all).expect("fits");
    trie.root_hash();
    println!("threads {threads}: build {accounts}: {:.2} µs a key", micros(start, accounts as usize));

    let (mut updating, mut hashing, mut dropping) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let changes = changes(round, accounts, count);
        let start = Instant::now();
        let next = trie.update(&nodes, changes).expect("fits");
        updating.push(micros(start, count));
        let start = Instant::now();
        black_box(next.root_hash());
        hashing.push(micros(start, count));
        let start = Instant::now();
        trie = next;
        dropping.push(micros(start, count));
    }
    let (updating, hashing, dropping) = (spread(updating), spread(hashing), spread(dropping));
    println!(
        "threads {threads}: in memory, {count} of {accounts}: update {updating} + hash {hashing} \
         (+ drop old {dropping}) µs a key"
    );

    let reads: Vec<B256> = (0..100_000).map(|i| key(i * 7919 % accounts)).collect();
    let start = Instant::now();
    for key in &reads {
        black_box(trie.get(&nodes, key.as_slice()).expect("in memory").is_some());
    }
    println!("threads {threads}: get in memory: {:.3} µs", micros(start, reads.len()));

    let start = Instant::now();
    let stored = trie.flush(&mut nodes).expect("fits");
    println!("threads {threads}: flush all: {:.2} µs a node", micros(start, nodes.count()));

    let (mut updating, mut flushing, mut written) = (Vec::new(), Vec::new(), 0);
    let mut stored = stored;
    for round in ROUNDS..2 * ROUNDS {
        let changes = changes(round, accounts, count);
        let start = Instant::now();
        let next = stored.update(&nodes, changes).expect("fits");
        black_box(next.root_hash());
        updating.push(micros(start, count));
        let before = nodes.count();
        let start = Instant::now();
        stored = next.flush(&mut nodes).expect("fits");
        flushing.push(micros(start, count));
        written = nodes.count() - before;
    }
    println!(
        "threads {threads}: from records, no cache: update + hash {}, flush {} µs a key ({:.2} nodes a key)",
        spread(updating),
        spread(flushing),
        written as f64 / count as f64
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let accounts = arguments.next().unwrap_or(100_000);
    let count = arguments.next().unwrap_or(4_000) as usize;
    let block = vec![0x5a; 100];
    let start = Instant::now();
    for _ in 0..10_000 {
        black_box(keccak256(black_box(&block)));
    }
    println!("keccak-256 of one block: {:.3} µs", start.elapsed().as_secs_f64() * 1e2);
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| measure(accounts, count, threads));
    }
}

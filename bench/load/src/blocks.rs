//! Watches the chain while a load runs: when the last transaction was included, and whether all of them were.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Connection;

const POLL: Duration = Duration::from_millis(25);
/// Without a new inclusion for this long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the senders tell the watcher.
#[derive(Debug, Default)]
pub struct Progress {
    /// Transactions the node has accepted so far.
    pub accepted: AtomicUsize,
    /// Whether every sender is done.
    pub finished: AtomicBool,
}

/// Where and when the load was included.
#[derive(Debug)]
pub struct Inclusion {
    /// The head before the load.
    pub first: u64,
    /// The block with the last transaction.
    pub last: u64,
    /// Blocks with at least one transaction.
    pub filled: usize,
    /// Transactions in these blocks.
    pub included: usize,
    /// When the last block with a transaction was seen.
    pub at: Instant,
}

/// Number of the head.
///
/// # Errors
/// As the connection's.
pub fn head(connection: &mut Connection) -> io::Result<u64> {
    connection.call("eth_blockNumber", &json!([])).map(|number| quantity(&number))
}

/// Follows the chain above `first` until all accepted transactions are in blocks, or none came for too long.
///
/// # Errors
/// As the connection's.
pub fn watch(connection: &mut Connection, first: u64, progress: &Progress) -> io::Result<Inclusion> {
    let mut seen = Inclusion { first, last: first, filled: 0, included: 0, at: Instant::now() };
    let mut known = first;
    loop {
        let now = head(connection)?;
        let noticed = Instant::now();
        while known < now {
            known += 1;
            let count = connection.call("eth_getBlockTransactionCountByNumber", &json!([hex(known)]))?;
            let count = quantity(&count) as usize;
            if count > 0 {
                seen.filled += 1;
                seen.included += count;
                seen.last = known;
                seen.at = noticed;
            }
        }
        let finished = progress.finished.load(Ordering::Acquire);
        let complete = finished && seen.included >= progress.accepted.load(Ordering::Acquire);
        if complete || (finished && seen.at.elapsed() > PATIENCE) {
            return Ok(seen);
        }
        thread::sleep(POLL);
    }
}

/// What the blocks of a load really hold, read after the clock has stopped.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged transactions that no block holds.
    pub missing: usize,
    /// Included transactions whose receipt says failure.
    pub failed: usize,
}

/// Compares the acknowledged hashes with what the blocks and receipts say.
///
/// # Errors
/// As the connection's.
pub fn audit(connection: &mut Connection, seen: &Inclusion, acknowledged: &[String]) -> io::Result<Verdict> {
    let mut missing: HashSet<&str> = acknowledged.iter().map(String::as_str).collect();
    let mut failed = 0;
    for number in seen.first + 1..=seen.last {
        let receipts = connection.call("eth_getBlockReceipts", &json!([hex(number)]))?;
        for receipt in receipts.as_array().into_iter().flatten() {
            missing.remove(receipt["transactionHash"].as_str().unwrap_or_default());
            failed += usize::from(receipt["status"] != "0x1");
        }
    }
    Ok(Verdict { missing: missing.len(), failed })
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn quantity(value: &Value) -> u64 {
    let digits = value.as_str().unwrap_or_default().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

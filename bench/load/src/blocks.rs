//! Watches the chain while a load runs: when the last transaction was included, and whether all of them were.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::dialect::Dialect;
use crate::http::Connection;

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

/// A height, and when it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// The block's height.
    pub height: u64,
    /// When it was first known to count.
    pub at: Instant,
}

/// Where and when the load was included.
#[derive(Debug)]
pub struct Inclusion {
    /// The block with the last transaction.
    pub last: u64,
    /// Blocks with at least one transaction.
    pub filled: usize,
    /// Transactions in these blocks.
    pub included: usize,
    /// When the last block with a transaction was seen.
    pub at: Instant,
    /// Every block that was seen, in order.
    pub sightings: Vec<Sighting>,
}

/// Follows the chain above `first` until all accepted transactions are in blocks, or none came for too long.
///
/// # Errors
/// As the connection's.
pub fn watch(
    dialect: Dialect,
    connection: &mut Connection,
    first: u64,
    poll: Duration,
    progress: &Progress,
) -> io::Result<Inclusion> {
    let now = Instant::now();
    let mut seen = Inclusion { last: first, filled: 0, included: 0, at: now, sightings: Vec::new() };
    let mut known = first;
    loop {
        let head = dialect.head(connection)?;
        let settled = if head > known { dialect.settled(connection, head)? } else { known };
        let noticed = Instant::now();
        while known < settled {
            known += 1;
            seen.sightings.push(Sighting { height: known, at: noticed });
            let count = dialect.count(connection, known)?;
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
        thread::sleep(poll);
    }
}

/// What the blocks of a load really hold, read after the clock has stopped.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Acknowledged transactions that no block holds.
    pub missing: usize,
    /// Included transactions whose receipt says failure.
    pub failed: usize,
    /// From the moment before its request was written until its block was seen, of each transaction, sorted.
    pub latencies: Vec<Duration>,
}

/// Compares the acknowledged transactions, with when each was sent, with what blocks and receipts say.
///
/// # Errors
/// As the connection's.
pub fn audit(
    dialect: Dialect,
    connection: &mut Connection,
    seen: &Inclusion,
    acknowledged: &[(String, Instant)],
) -> io::Result<Verdict> {
    let mut sent: HashMap<&str, Instant> = acknowledged.iter().map(|(id, at)| (id.as_str(), *at)).collect();
    let mut verdict = Verdict::default();
    for sighting in seen.sightings.iter().filter(|sighting| sighting.height <= seen.last) {
        let held = dialect.held(connection, sighting.height)?;
        verdict.failed += held.failed;
        let sent_at = held.ids.iter().filter_map(|id| sent.remove(id.as_str()));
        verdict.latencies.extend(sent_at.map(|at| sighting.at.duration_since(at)));
    }
    verdict.missing = sent.len();
    verdict.latencies.sort_unstable();
    Ok(verdict)
}

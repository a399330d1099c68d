//! Sends a load and follows it into blocks; or feeds it to nodes that are about to be killed, and counts later.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::blocks::{self, Inclusion, Progress};
use crate::http::Connection;
use crate::lanes::{Manner, Outcome, Signed, lanes};
use crate::process::{cpu_s, own_cpu_s};

/// How often the head is looked at under full speed, where looking costs the load.
const POLL: Duration = Duration::from_millis(25);
/// How often under a rate, where moments are measured.
const FINE_POLL: Duration = Duration::from_millis(4);
/// How long nothing new may turn up after a restart before the rest counts as lost.
const RESTART_PATIENCE: Duration = Duration::from_secs(20);

/// How a load is sent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `host:port` of each node; the first one is watched.
    pub hosts: Vec<String>,
    /// Connections over all nodes, one request in flight on each.
    pub connections: usize,
    /// How transactions travel.
    pub manner: Manner,
    /// The node's process, if its CPU time is to be measured.
    pub node_pid: Option<u32>,
}

/// Sends everything, waits until it is in blocks, and reports speeds, moments and losses as JSON.
///
/// # Errors
/// A sentence when a node cannot be reached or stops answering.
pub fn run(plan: &Plan, load: &[Signed]) -> Result<Value, String> {
    let failed = |error: io::Error| format!("{}: {error}", plan.hosts.join(", "));
    let dialect = plan.manner.dialect;
    let mut watcher = Connection::open(&plan.hosts[0]).map_err(failed)?;
    let first = dialect.head(&mut watcher).map_err(failed)?;
    let lanes = lanes(&plan.hosts, plan.connections, load);
    let progress = Progress::default();
    let barrier = Barrier::new(lanes.len() + 1);
    let poll = if plan.manner.rate.is_some() { FINE_POLL } else { POLL };
    let (outcomes, seen, times) = thread::scope(|scope| {
        let senders: Vec<_> =
            lanes.iter().map(|lane| scope.spawn(|| lane.send(plan.manner, &barrier, &progress))).collect();
        barrier.wait();
        let began = Instant::now();
        let (own, node) = (own_cpu_s(), cpu_s(plan.node_pid));
        let watching = scope.spawn(|| blocks::watch(dialect, &mut watcher, first, poll, &progress));
        let outcomes: Vec<_> =
            senders.into_iter().map(|sender| sender.join().expect("a sender panicked")).collect();
        let accept_s = began.elapsed().as_secs_f64();
        progress.finished.store(true, Ordering::Release);
        let seen = watching.join().expect("the watcher panicked");
        (outcomes, seen, (began, accept_s, own_cpu_s() - own, cpu_s(plan.node_pid) - node))
    });
    let mut total = Outcome::of_all(outcomes);
    if let Some(error) = total.broken.take() {
        return Err(failed(error));
    }
    let seen = seen.map_err(failed)?;
    let verdict = blocks::audit(dialect, &mut watcher, &seen, &total.acknowledged).map_err(failed)?;
    let (began, accept_s, generator_cpu_s, node_cpu_s) = times;
    let include_s = seen.at.duration_since(began).as_secs_f64();
    let accepted = total.acknowledged.len();
    Ok(json!({
        "sent": load.len(), "accepted": accepted, "refused": total.refused, "first_refusal": total.first_refusal,
        "included": seen.included, "missing": verdict.missing, "failed": verdict.failed, "blocks": seen.filled,
        "accept_s": accept_s, "include_s": include_s,
        "accepted_per_s": accepted as f64 / accept_s, "included_per_s": seen.included as f64 / include_s,
        "node_cpu_ms_per_tx": 1e3 * node_cpu_s / accepted.max(1) as f64,
        "generator_cpu_ms_per_tx": 1e3 * generator_cpu_s / accepted.max(1) as f64,
        "latency_ms": quantiles(&verdict.latencies), "late_ms_max": milliseconds(total.late),
        "seen_s": moments(&seen, began, accept_s),
    }))
}

/// Sends until everything is sent or the nodes are gone, and writes the ids of what they acknowledged to a file.
///
/// # Errors
/// A sentence when the file cannot be written.
pub fn feed(plan: &Plan, load: &[Signed], out: &Path) -> Result<Value, String> {
    let lanes = lanes(&plan.hosts, plan.connections, load);
    let progress = Progress::default();
    let barrier = Barrier::new(lanes.len());
    let outcomes = thread::scope(|scope| {
        let senders: Vec<_> =
            lanes.iter().map(|lane| scope.spawn(|| lane.send(plan.manner, &barrier, &progress))).collect();
        senders.into_iter().map(|sender| sender.join().expect("a sender panicked")).collect()
    });
    let total = Outcome::of_all(outcomes);
    let ids: Vec<&str> = total.acknowledged.iter().map(|(id, _)| id.as_str()).collect();
    fs::write(out, ids.join("\n")).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(json!({
        "acknowledged": ids.len(), "refused": total.refused, "first_refusal": total.first_refusal,
        "broken": total.broken.map(|error| error.to_string()),
    }))
}

/// Looks for acknowledged transactions in the blocks from 1 on, until all are found or none turns up for long.
///
/// # Errors
/// A sentence when the node cannot be reached or stops answering.
pub fn find_again(plan: &Plan, acknowledged: &Path) -> Result<Value, String> {
    let text =
        fs::read_to_string(acknowledged).map_err(|error| format!("{}: {error}", acknowledged.display()))?;
    let mut missing: HashSet<&str> = text.lines().collect();
    let count = missing.len();
    let failed = |error: io::Error| format!("{}: {error}", plan.hosts[0]);
    let mut connection = Connection::open(&plan.hosts[0]).map_err(failed)?;
    let (mut known, mut progressed) = (0, Instant::now());
    while !missing.is_empty() && progressed.elapsed() < RESTART_PATIENCE {
        let head = plan.manner.dialect.head(&mut connection).map_err(failed)?;
        for height in known + 1..=head {
            for id in plan.manner.dialect.held(&mut connection, height).map_err(failed)?.ids {
                if missing.remove(id.as_str()) {
                    progressed = Instant::now();
                }
            }
        }
        known = known.max(head);
        thread::sleep(POLL);
    }
    Ok(json!({"acknowledged": count, "missing": missing.len(), "height": known}))
}

/// When each block was seen while the load was being sent, in seconds after its start.
fn moments(seen: &Inclusion, began: Instant, accept_s: f64) -> Vec<f64> {
    let since = |at: Instant| at.duration_since(began).as_secs_f64();
    seen.sightings.iter().map(|sighting| since(sighting.at)).filter(|moment| *moment <= accept_s).collect()
}

fn quantiles(sorted: &[Duration]) -> Value {
    let at = |share: f64| {
        let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().map(milliseconds)
    };
    json!({"p50": at(0.5), "p99": at(0.99), "max": at(1.0)})
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_values_and_nothing_has_none() {
        let spans: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(quantiles(&spans), json!({"p50": 51.0, "p99": 100.0, "max": 100.0}));
        assert_eq!(quantiles(&[]), json!({"p50": null, "p99": null, "max": null}));
    }
}

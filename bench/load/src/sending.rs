//! Sends signed transactions over several connections, each account always over the same one.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::blocks::{self, Progress};
use crate::http::{Connection, find, host_of, request};
use crate::process::{cpu_s, own_cpu_s};

/// How a load is sent.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The node.
    pub url: String,
    /// Connections, one request in flight on each.
    pub connections: usize,
    /// Transactions a request; more than one makes JSON-RPC batches.
    pub batch: usize,
    /// The node's process, if its CPU time is to be measured.
    pub node_pid: Option<u32>,
}

/// A signed transaction and the number of its account: order matters only within an account.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Number of the signing account.
    pub account: usize,
    /// Raw transaction in hex.
    pub raw: String,
}

#[derive(Debug, Default)]
struct Outcome {
    hashes: Vec<String>,
    refused: usize,
    first_refusal: Option<String>,
}

/// Sends everything, waits until it is in blocks, and reports speeds and losses as JSON.
///
/// # Errors
/// A sentence when the node cannot be reached or stops answering.
pub fn run(plan: &Plan, load: &[Signed]) -> Result<Value, String> {
    let host = host_of(&plan.url)?;
    let failed = |error: io::Error| format!("{}: {error}", plan.url);
    let mut control = Connection::open(&host).map_err(failed)?;
    let first = blocks::head(&mut control).map_err(failed)?;
    let lanes = lanes(plan, &host, load);
    let progress = Progress::default();
    let barrier = Barrier::new(lanes.len() + 1);
    let (outcomes, seen, times) = thread::scope(|scope| {
        let senders: Vec<_> =
            lanes.iter().map(|lane| scope.spawn(|| send_lane(&host, lane, &barrier, &progress))).collect();
        barrier.wait();
        let began = Instant::now();
        let (own, node) = (own_cpu_s(), cpu_s(plan.node_pid));
        let (mut watcher, shared) = (control, &progress);
        let watching =
            scope.spawn(move || blocks::watch(&mut watcher, first, shared).map(|seen| (watcher, seen)));
        let outcomes: Vec<_> =
            senders.into_iter().map(|sender| sender.join().expect("a sender panicked")).collect();
        let accept_s = began.elapsed().as_secs_f64();
        progress.finished.store(true, Ordering::Release);
        let seen = watching.join().expect("the watcher panicked");
        let times = (began, accept_s, own_cpu_s() - own, cpu_s(plan.node_pid) - node);
        (outcomes, seen, times)
    });
    let total = merge(outcomes).map_err(failed)?;
    let (mut control, seen) = seen.map_err(failed)?;
    let verdict = blocks::audit(&mut control, &seen, &total.hashes).map_err(failed)?;
    let (began, accept_s, generator_cpu_s, node_cpu_s) = times;
    let include_s = seen.at.duration_since(began).as_secs_f64();
    let accepted = total.hashes.len();
    Ok(json!({
        "sent": load.len(), "accepted": accepted, "refused": total.refused, "first_refusal": total.first_refusal,
        "included": seen.included, "missing": verdict.missing, "failed": verdict.failed, "blocks": seen.filled,
        "accept_s": accept_s, "include_s": include_s,
        "accepted_per_s": accepted as f64 / accept_s, "included_per_s": seen.included as f64 / include_s,
        "node_cpu_ms_per_tx": 1e3 * node_cpu_s / accepted.max(1) as f64,
        "generator_cpu_ms_per_tx": 1e3 * generator_cpu_s / accepted.max(1) as f64,
    }))
}

/// Requests of each connection, built before the clock starts.
fn lanes(plan: &Plan, host: &str, load: &[Signed]) -> Vec<Vec<Vec<u8>>> {
    let mut raws = vec![Vec::new(); plan.connections];
    for signed in load {
        raws[signed.account % plan.connections].push(signed.raw.as_str());
    }
    raws.retain(|lane| !lane.is_empty());
    let call = |(id, raw): (usize, &&str)| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_sendRawTransaction","params":["{raw}"]}}"#)
    };
    let lane = |raws: &Vec<&str>| {
        raws.chunks(plan.batch.max(1))
            .map(|chunk| {
                let calls: Vec<String> = chunk.iter().enumerate().map(call).collect();
                let body = if plan.batch > 1 { format!("[{}]", calls.join(",")) } else { calls.concat() };
                request(host, &body)
            })
            .collect()
    };
    raws.iter().map(lane).collect()
}

fn send_lane(
    host: &str,
    requests: &[Vec<u8>],
    barrier: &Barrier,
    progress: &Progress,
) -> io::Result<Outcome> {
    let opened = Connection::open(host);
    barrier.wait();
    let mut connection = opened?;
    let mut outcome = Outcome::default();
    for request in requests {
        let before = outcome.hashes.len();
        read_answers(connection.exchange(request)?, &mut outcome);
        progress.accepted.fetch_add(outcome.hashes.len() - before, Ordering::AcqRel);
    }
    Ok(outcome)
}

/// Collects the hashes of an answer without parsing it as JSON: this runs between two requests.
fn read_answers(body: &[u8], outcome: &mut Outcome) {
    const RESULT: &[u8] = b"\"result\":\"0x";
    const HASH_DIGITS: usize = 64;
    let mut rest = body;
    while let Some(at) = find(rest, RESULT) {
        rest = &rest[at + RESULT.len()..];
        if rest.len() < HASH_DIGITS {
            break;
        }
        outcome.hashes.push(format!("0x{}", String::from_utf8_lossy(&rest[..HASH_DIGITS])));
        rest = &rest[HASH_DIGITS..];
    }
    let refused = body.windows(7).filter(|window| window == b"\"error\"").count();
    if refused > 0 {
        outcome.refused += refused;
        outcome
            .first_refusal
            .get_or_insert_with(|| String::from_utf8_lossy(body).chars().take(300).collect());
    }
}

fn merge(outcomes: Vec<io::Result<Outcome>>) -> io::Result<Outcome> {
    let mut total = Outcome::default();
    for outcome in outcomes {
        let outcome = outcome?;
        total.hashes.extend(outcome.hashes);
        total.refused += outcome.refused;
        total.first_refusal = total.first_refusal.or(outcome.first_refusal);
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_with_a_refusal_counts_both_kinds() {
        let hash = "ab".repeat(32);
        let body = format!(
            r#"[{{"jsonrpc":"2.0","id":0,"result":"0x{hash}"}},{{"id":1,"error":{{"code":-32000,"message":"no"}}}}]"#
        );
        let mut outcome = Outcome::default();
        read_answers(body.as_bytes(), &mut outcome);
        assert_eq!(outcome.hashes, [format!("0x{hash}")]);
        assert_eq!(outcome.refused, 1);
        assert!(outcome.first_refusal.is_some_and(|text| text.contains("-32000")));
    }

    #[test]
    fn an_account_keeps_its_lane_and_its_order() {
        let plan = Plan { url: String::new(), connections: 2, batch: 2, node_pid: None };
        let load: Vec<Signed> =
            (0..6).map(|index| Signed { account: index % 3, raw: format!("raw{index}") }).collect();
        let lanes = lanes(&plan, "host", &load);
        let text = |lane: &[Vec<u8>]| {
            lane.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect::<String>()
        };
        let order: Vec<usize> =
            ["raw0", "raw2", "raw3", "raw5"].iter().filter_map(|raw| text(&lanes[0]).find(raw)).collect();
        assert_eq!((lanes.len(), lanes[0].len(), order.len()), (2, 2, 4));
        assert!(order.is_sorted());
    }
}

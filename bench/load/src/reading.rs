//! Repeats one read request over several connections and counts answers.

use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::http::{Connection, find, host_of, request};
use crate::process::{cpu_s, own_cpu_s};

/// What is read, how often, and over how many connections.
#[derive(Clone, Debug)]
pub struct Reads {
    /// The node.
    pub url: String,
    /// The body of each request.
    pub body: String,
    /// Requests in all.
    pub count: usize,
    /// Connections, one request in flight on each.
    pub connections: usize,
    /// The node's process, if its CPU time is to be measured.
    pub node_pid: Option<u32>,
}

/// Runs the reads and reports requests a second as JSON.
///
/// # Errors
/// A sentence when the node cannot be reached, stops answering, or answers with an error.
pub fn run(reads: &Reads) -> Result<Value, String> {
    let host = host_of(&reads.url)?;
    let prepared = request(&host, &reads.body);
    let share = reads.count / reads.connections;
    let barrier = Barrier::new(reads.connections + 1);
    let (answers, times) = thread::scope(|scope| {
        let readers: Vec<_> = (0..reads.connections)
            .map(|_| scope.spawn(|| read_share(&host, &prepared, share, &barrier)))
            .collect();
        barrier.wait();
        let (began, own, node) = (Instant::now(), own_cpu_s(), cpu_s(reads.node_pid));
        let answers: Vec<_> =
            readers.into_iter().map(|reader| reader.join().expect("a reader panicked")).collect();
        let times = (began.elapsed().as_secs_f64(), own_cpu_s() - own, cpu_s(reads.node_pid) - node);
        (answers, times)
    });
    let mut bytes = 0;
    for answer in answers {
        bytes += answer.map_err(|error| format!("{}: {error}", reads.url))?;
    }
    let (elapsed_s, own_s, node_s) = times;
    let count = (share * reads.connections) as f64;
    Ok(json!({
        "requests": count as u64, "seconds": elapsed_s, "per_s": count / elapsed_s, "answer_bytes": bytes as f64 / count,
        "node_cpu_ms": 1e3 * node_s / count, "generator_cpu_ms": 1e3 * own_s / count,
    }))
}

fn read_share(host: &str, prepared: &[u8], share: usize, barrier: &Barrier) -> io::Result<usize> {
    let opened = Connection::open(host);
    barrier.wait();
    let mut connection = opened?;
    let mut bytes = 0;
    for round in 0..share {
        let body = connection.exchange(prepared)?;
        bytes += body.len();
        if round == 0 && find(body, b"\"error\"").is_some() {
            return Err(io::Error::other(String::from_utf8_lossy(body).into_owned()));
        }
    }
    Ok(bytes)
}

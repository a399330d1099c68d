//! Lanes: one connection each, with the transactions of its accounts in their order.
//!
//! At full speed every request of a lane is built before the clock starts. At a rate, transaction `i` of the load
//! is due `i / rate` seconds after the start, and a request carries what has become due on its lane.

use std::io;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::blocks::Progress;
use crate::dialect::{Answers, Dialect};
use crate::http::{Connection, request};

/// A signed transaction and the number of its account: order matters only within an account.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Number of the signing account.
    pub account: usize,
    /// The transaction as its dialect writes it.
    pub raw: String,
}

/// How transactions travel.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The language of the nodes.
    pub dialect: Dialect,
    /// Transactions a request at most; more than one makes JSON-RPC batches.
    pub batch: usize,
    /// Transactions a second over all lanes; as fast as the nodes take them without it.
    pub rate: Option<f64>,
}

/// One connection's share.
#[derive(Debug)]
pub struct Lane<'a> {
    /// `host:port` of its node.
    pub host: &'a str,
    /// Places in the whole load, and the transactions.
    pub items: Vec<(usize, &'a str)>,
}

/// What became of a lane, or of all of them.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was taken and when the request with it was about to be written.
    pub acknowledged: Vec<(String, Instant)>,
    /// How many were not taken.
    pub refused: usize,
    /// The answer with the first refusal, cut short.
    pub first_refusal: Option<String>,
    /// How far requests were behind what was due, at worst.
    pub late: Duration,
    /// Why a lane ended early.
    pub broken: Option<io::Error>,
}

impl Outcome {
    /// What several lanes came to together.
    #[must_use]
    pub fn of_all(outcomes: Vec<Self>) -> Self {
        let mut total = Self::default();
        for outcome in outcomes {
            total.acknowledged.extend(outcome.acknowledged);
            total.refused += outcome.refused;
            total.first_refusal = total.first_refusal.or(outcome.first_refusal);
            total.late = total.late.max(outcome.late);
            total.broken = total.broken.or(outcome.broken);
        }
        total
    }

    fn take(&mut self, mut answers: Answers, written: Instant) {
        self.acknowledged.extend(answers.ids.drain(..).map(|id| (id, written)));
        self.refused += answers.refused;
        if self.first_refusal.is_none() {
            self.first_refusal = answers.first_refusal;
        }
    }
}

/// Deals a load out: each account has one lane, and the lanes are spread evenly over the nodes.
#[must_use]
pub fn lanes<'a>(hosts: &'a [String], connections: usize, load: &'a [Signed]) -> Vec<Lane<'a>> {
    let place = |index: usize| Lane { host: &hosts[index % hosts.len()], items: Vec::new() };
    let mut lanes: Vec<Lane> = (0..connections).map(place).collect();
    for (index, signed) in load.iter().enumerate() {
        lanes[signed.account % connections].items.push((index, signed.raw.as_str()));
    }
    lanes.retain(|lane| !lane.items.is_empty());
    lanes
}

impl<'a> Lane<'a> {
    /// Sends everything once all lanes are ready; an error ends the lane and is told with what it did until then.
    #[must_use]
    pub fn send(&self, manner: Manner, barrier: &Barrier, progress: &Progress) -> Outcome {
        let opened = Connection::open(self.host);
        let prepared = if manner.rate.is_none() { self.prepared(manner) } else { Vec::new() };
        barrier.wait();
        let mut outcome = Outcome::default();
        let sent = opened.and_then(|connection| {
            let mut sender = Sender { connection, manner, progress, outcome: &mut outcome };
            match manner.rate {
                Some(rate) => self.paced(&mut sender, rate),
                None => prepared.iter().try_for_each(|(bytes, payloads)| sender.exchange(bytes, payloads)),
            }
        });
        outcome.broken = sent.err();
        outcome
    }

    fn prepared(&self, manner: Manner) -> Vec<(Vec<u8>, Vec<&'a str>)> {
        let build = |chunk: &[(usize, &'a str)]| {
            let payloads: Vec<&'a str> = chunk.iter().map(|(_, raw)| *raw).collect();
            (build_request(self.host, manner, &payloads), payloads)
        };
        self.items.chunks(manner.batch).map(build).collect()
    }

    fn paced(&self, sender: &mut Sender, rate: f64) -> io::Result<()> {
        let began = Instant::now();
        let mut rest = self.items.as_slice();
        while let Some((first, _)) = rest.first() {
            let due = began + due(*first, rate);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            sender.outcome.late = sender.outcome.late.max(due.elapsed());
            let count = due_count(rest, began.elapsed(), rate).clamp(1, sender.manner.batch);
            let payloads: Vec<&str> = rest[..count].iter().map(|(_, raw)| *raw).collect();
            sender.exchange(&build_request(self.host, sender.manner, &payloads), &payloads)?;
            rest = &rest[count..];
        }
        Ok(())
    }
}

/// How long after the start a transaction is due.
fn due(place: usize, rate: f64) -> Duration {
    Duration::from_secs_f64(place as f64 / rate)
}

/// How many of these, from the first on, are due by now.
fn due_count(items: &[(usize, &str)], elapsed: Duration, rate: f64) -> usize {
    items.iter().take_while(|(place, _)| due(*place, rate) <= elapsed).count()
}

struct Sender<'a> {
    connection: Connection,
    manner: Manner,
    progress: &'a Progress,
    outcome: &'a mut Outcome,
}

impl Sender<'_> {
    fn exchange(&mut self, bytes: &[u8], payloads: &[&str]) -> io::Result<()> {
        let mut answers = Answers::default();
        let written = Instant::now();
        self.manner.dialect.read_answers(self.connection.exchange(bytes)?, payloads, &mut answers);
        self.progress.accepted.fetch_add(answers.ids.len(), Ordering::AcqRel);
        self.outcome.take(answers, written);
        Ok(())
    }
}

fn build_request(host: &str, manner: Manner, payloads: &[&str]) -> Vec<u8> {
    let calls: Vec<String> =
        payloads.iter().enumerate().map(|(id, payload)| manner.dialect.submission(id, payload)).collect();
    let body = if calls.len() > 1 { format!("[{}]", calls.join(",")) } else { calls.concat() };
    request(host, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(count: usize, accounts: usize) -> Vec<Signed> {
        (0..count).map(|index| Signed { account: index % accounts, raw: format!("raw{index}") }).collect()
    }

    #[test]
    fn an_account_keeps_its_lane_and_its_order() {
        let (hosts, load) = (vec!["host".to_owned()], load(6, 3));
        let lanes = lanes(&hosts, 2, &load);
        let manner = Manner { dialect: Dialect::Ethereum, batch: 2, rate: None };
        let requests = lanes[0].prepared(manner);
        let text: String =
            requests.iter().map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned()).collect();
        let order: Vec<usize> =
            ["raw0", "raw2", "raw3", "raw5"].iter().filter_map(|raw| text.find(raw)).collect();
        assert_eq!((lanes.len(), requests.len(), order.len()), (2, 2, 4));
        assert!(order.is_sorted());
    }

    #[test]
    fn lanes_are_spread_evenly_over_the_nodes() {
        let (hosts, load) = (vec!["first".to_owned(), "second".to_owned()], load(8, 4));
        let hosts_of_lanes: Vec<&str> = lanes(&hosts, 4, &load).iter().map(|lane| lane.host).collect();
        assert_eq!(hosts_of_lanes, ["first", "second", "first", "second"]);
    }

    #[test]
    fn a_request_carries_what_has_become_due_on_its_lane() {
        let items = [(0, "a"), (16, "b"), (32, "c"), (48, "d")];
        let count = |elapsed_ms| due_count(&items, Duration::from_millis(elapsed_ms), 1_000.0);
        assert_eq!([count(0), count(15), count(16), count(40), count(100)], [1, 1, 2, 3, 4]);
    }
}

//! The languages a load is spoken in: Ethereum's JSON-RPC, and CometBFT's with its kvstore for an application.
//!
//! A transaction is known by an id that its sender and the blocks agree on: its hash on Ethereum, its own text in
//! base64 with CometBFT, whose blocks repeat it.

use std::io;

use serde_json::{Value, json};

use crate::http::{Connection, find};

/// Which kind of node is under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Transactions are raw hex; a block counts as soon as it is the head.
    Ethereum,
    /// As Ethereum, but a block counts when the node shows it as final.
    EthereumFinal,
    /// Transactions are base64; every block that is shown is final.
    Comet,
}

/// What a node answered to transactions.
#[derive(Debug, Default)]
pub struct Answers {
    /// Ids of those it took.
    pub ids: Vec<String>,
    /// How many it did not take.
    pub refused: usize,
    /// The answer with the first refusal, cut short.
    pub first_refusal: Option<String>,
}

/// What a block holds.
#[derive(Debug, Default)]
pub struct Held {
    /// Ids of its transactions.
    pub ids: Vec<String>,
    /// Those of them that failed.
    pub failed: usize,
}

impl Dialect {
    /// The dialect that an option names.
    ///
    /// # Errors
    /// A sentence when there is none of that name.
    pub fn named(name: &str) -> Result<Self, String> {
        match name {
            "ethereum" => Ok(Self::Ethereum),
            "ethereum-final" => Ok(Self::EthereumFinal),
            "comet" => Ok(Self::Comet),
            other => Err(format!("--dialect {other} is not one of ethereum, ethereum-final, comet")),
        }
    }

    /// The call that hands over a transaction.
    #[must_use]
    pub fn submission(self, id: usize, payload: &str) -> String {
        match self {
            Self::Ethereum | Self::EthereumFinal => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"eth_sendRawTransaction","params":["{payload}"]}}"#
            ),
            Self::Comet => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"broadcast_tx_sync","params":{{"tx":"{payload}"}}}}"#
            ),
        }
    }

    /// Height of the newest block that counts.
    ///
    /// # Errors
    /// As the connection's.
    pub fn head(self, connection: &mut Connection) -> io::Result<u64> {
        match self {
            Self::Ethereum | Self::EthereumFinal => {
                connection.call("eth_blockNumber", &json!([])).map(|number| quantity(&number))
            }
            Self::Comet => connection
                .call("status", &json!({}))
                .map(|status| decimal(&status["sync_info"]["latest_block_height"])),
        }
    }

    /// Height up to which blocks are final, for a head that is above `known`; asked only when there is one, for
    /// the answer is long.
    ///
    /// # Errors
    /// As the connection's.
    pub fn settled(self, connection: &mut Connection, head: u64) -> io::Result<u64> {
        match self {
            Self::Ethereum | Self::Comet => Ok(head),
            Self::EthereumFinal => connection
                .call("eth_getBlockByNumber", &json!(["finalized", false]))
                .map(|block| quantity(&block["number"])),
        }
    }

    /// How many transactions a block holds.
    ///
    /// # Errors
    /// As the connection's.
    pub fn count(self, connection: &mut Connection, height: u64) -> io::Result<usize> {
        match self {
            Self::Ethereum | Self::EthereumFinal => connection
                .call("eth_getBlockTransactionCountByNumber", &json!([hex(height)]))
                .map(|count| quantity(&count) as usize),
            Self::Comet => {
                let range = json!({"minHeight": height.to_string(), "maxHeight": height.to_string()});
                let metas = connection.call("blockchain", &range)?;
                Ok(decimal(&metas["block_metas"][0]["num_txs"]) as usize)
            }
        }
    }

    /// Which transactions a block holds.
    ///
    /// # Errors
    /// As the connection's.
    pub fn held(self, connection: &mut Connection, height: u64) -> io::Result<Held> {
        let mut held = Held::default();
        match self {
            Self::Ethereum | Self::EthereumFinal => {
                let receipts = connection.call("eth_getBlockReceipts", &json!([hex(height)]))?;
                for receipt in receipts.as_array().into_iter().flatten() {
                    held.ids.push(text(&receipt["transactionHash"]));
                    held.failed += usize::from(receipt["status"] != "0x1");
                }
            }
            Self::Comet => {
                let block = connection.call("block", &json!({"height": height.to_string()}))?;
                held.ids.extend(block["block"]["data"]["txs"].as_array().into_iter().flatten().map(text));
            }
        }
        Ok(held)
    }

    /// Collects what an answer says about the transactions of its request.
    pub fn read_answers(self, body: &[u8], payloads: &[&str], answers: &mut Answers) {
        let before = answers.ids.len();
        match self {
            Self::Ethereum | Self::EthereumFinal => read_hashes(body, &mut answers.ids),
            Self::Comet => read_codes(body, payloads, &mut answers.ids),
        }
        let refused = payloads.len().saturating_sub(answers.ids.len() - before);
        if refused > 0 {
            answers.refused += refused;
            answers
                .first_refusal
                .get_or_insert_with(|| String::from_utf8_lossy(body).chars().take(300).collect());
        }
    }
}

/// Finds the hashes without parsing the answer as JSON: this runs between two requests.
fn read_hashes(body: &[u8], ids: &mut Vec<String>) {
    const RESULT: &[u8] = b"\"result\":\"0x";
    const HASH_DIGITS: usize = 64;
    let mut rest = body;
    while let Some(at) = find(rest, RESULT) {
        rest = &rest[at + RESULT.len()..];
        if rest.len() < HASH_DIGITS {
            break;
        }
        ids.push(format!("0x{}", String::from_utf8_lossy(&rest[..HASH_DIGITS])));
        rest = &rest[HASH_DIGITS..];
    }
}

/// The payloads whose answer has code 0; an answer's id is the place of its transaction in the request.
fn read_codes(body: &[u8], payloads: &[&str], ids: &mut Vec<String>) {
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    let answers = parsed.as_array().map_or(std::slice::from_ref(&parsed), Vec::as_slice);
    let taken = answers.iter().filter(|answer| answer["result"]["code"] == 0);
    let places = taken.filter_map(|answer| answer["id"].as_u64());
    ids.extend(places.filter_map(|place| payloads.get(place as usize).map(|payload| (*payload).to_owned())));
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

fn quantity(value: &Value) -> u64 {
    let digits = value.as_str().unwrap_or_default().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or(0)
}

fn decimal(value: &Value) -> u64 {
    value.as_str().unwrap_or_default().parse().unwrap_or(0)
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
        let mut answers = Answers::default();
        Dialect::Ethereum.read_answers(body.as_bytes(), &["0x01", "0x02"], &mut answers);
        assert_eq!(answers.ids, [format!("0x{hash}")]);
        assert_eq!(answers.refused, 1);
        assert!(answers.first_refusal.is_some_and(|text| text.contains("-32000")));
    }

    #[test]
    fn a_taken_transaction_of_comet_is_known_by_its_text_and_one_with_another_code_is_refused() {
        let body = br#"[{"id": 1, "result": {"code": 0}}, {"id": 0, "result": {"code": 2, "log": "no"}}]"#;
        let mut answers = Answers::default();
        Dialect::Comet.read_answers(body, &["Zmlyc3Q=", "c2Vjb25k"], &mut answers);
        assert_eq!(answers.ids, ["c2Vjb25k"]);
        assert_eq!(answers.refused, 1);
    }

    #[test]
    fn a_single_answer_is_read_as_a_batch_of_one() {
        let mut answers = Answers::default();
        Dialect::Comet.read_answers(br#"{"id": 0, "result": {"code": 0}}"#, &["b25l"], &mut answers);
        assert_eq!((answers.ids.len(), answers.refused), (1, 0));
    }
}

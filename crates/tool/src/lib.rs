//! What people who test EVMs use: state tests, block tests, the transition tool, and a bare run, after go-ethereum's `evm`.

pub mod blocktest;
pub mod environment;
pub mod memory;
pub mod network;
pub mod post_state;
pub mod report;
pub mod run;
pub mod secret;
pub mod statetest;
pub mod t8n;
pub mod touch;
pub mod trace;
pub mod transactions;

use serde_json::{Value, json};

/// How one case of a test file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// Name of the test.
    pub name: String,
    /// Fork or transition network.
    pub fork: String,
    /// The state root reached.
    pub state_root: Option<String>,
    /// Why the case failed; `None` where it passed.
    pub error: Option<String>,
}

impl CaseResult {
    /// The object `coc evm` prints.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "fork": self.fork,
            "pass": self.error.is_none(),
            "stateRoot": self.state_root,
            "error": self.error,
        })
    }
}

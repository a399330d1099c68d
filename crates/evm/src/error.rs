//! Why a block or a transaction is refused.
//!
//! A code is stable and names the broken rule (the words of the execution tests' exception list where one exists);
//! the sentence says what was found and what was expected.

use std::fmt;

/// A block that breaks a rule of its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInvalid {
    /// Stable name of the broken rule.
    pub code: &'static str,
    /// What was found and what was expected.
    pub sentence: String,
}

impl BlockInvalid {
    /// A refusal of `code` explained by `sentence`.
    pub fn new(code: &'static str, sentence: impl Into<String>) -> Self {
        BlockInvalid { code, sentence: sentence.into() }
    }
}

impl fmt::Display for BlockInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.sentence)
    }
}

impl std::error::Error for BlockInvalid {}

/// Why execution of a block stopped: the block's fault, or the machine's.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The block breaks a rule.
    #[error(transparent)]
    Invalid(#[from] BlockInvalid),
    /// State could not be read: nothing is known about the block.
    #[error("the state could not be read: {0}")]
    State(#[from] StateError),
}

/// State could not be read from where it is kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct StateError(pub String);

impl revm::database_interface::DBErrorMarker for StateError {}

impl From<coc_trie::TrieError> for StateError {
    fn from(error: coc_trie::TrieError) -> Self {
        StateError(error.to_string())
    }
}

impl From<coc_trie::TrieError> for ExecuteError {
    fn from(error: coc_trie::TrieError) -> Self {
        ExecuteError::State(error.into())
    }
}

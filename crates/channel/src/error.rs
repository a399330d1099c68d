//! Why a handshake or a channel does not go on.

use snow::error::StateProblem;

/// What went wrong, and whose fault it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The peer's message is not what it would be, had nobody touched it.
    #[error("the message does not decrypt: it was changed or repeated, or belongs to another connection")]
    Refused,
    /// The peer's message is longer than a message may be.
    #[error("a message of {bytes} bytes is longer than the {max} that are allowed")]
    MessageTooLong {
        /// What came.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// An earlier message was refused.
    #[error("an earlier message was refused, so nothing more is read or written; open a new connection")]
    Spent,
    /// Our caller's plaintext does not fit into one message.
    #[error("{bytes} bytes do not fit into one message, which holds {max}")]
    PlainTooLong {
        /// What was given.
        bytes: usize,
        /// What fits.
        max: usize,
    },
    /// Our caller wrote where it is the peer's turn, or read where it is ours, or did either after the last message.
    #[error("it is not this side's turn in the handshake")]
    OutOfTurn,
    /// Our caller asked for the channel too early.
    #[error("the handshake is not finished")]
    Unfinished,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for an ephemeral key")]
    Random,
    /// All 2^64 - 1 nonces of a direction are used.
    #[error("the channel has used up its nonces; open a new connection")]
    Exhausted,
    /// The library says something it has no reason to.
    #[error("the Noise library failed: {0}")]
    Library(String),
}

impl From<snow::Error> for ChannelError {
    fn from(error: snow::Error) -> ChannelError {
        match error {
            snow::Error::Decrypt | snow::Error::Input | snow::Error::Dh => ChannelError::Refused,
            snow::Error::Rng => ChannelError::Random,
            snow::Error::State(StateProblem::Exhausted) => ChannelError::Exhausted,
            other => ChannelError::Library(other.to_string()),
        }
    }
}

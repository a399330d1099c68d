//! The append-only block log: the chain's truth on disk.
//!
//! A log is a folder of segments, each a header followed by checksummed records ([`mod@format`]).
//! A record is named for ever by its [`Position`]: the number of record bytes, headers of records
//! included, that come before it in the whole log. The segment that holds it is the one with the
//! greatest base not above the position; its place in that file is
//! `SEGMENT_HEADER_BYTES + (position − base)`. Segments are named by their base in hexadecimal.
//!
//! Rules:
//! * records are never rewritten; [`BlockLog::append`] writes, [`BlockLog::sync`] makes durable;
//! * opening cuts a torn tail and says so; damage in front of a record known to be durable is refused.
//!   The two are told apart by a field in every record: how far the log was durable when it was written;
//! * what opening reports is durable: bytes an earlier process wrote but never synced are written again
//!   and synced first, since a sync that failed then may have dropped them;
//! * a failed sync poisons the log until it is opened again; a full disk does not.
//!
//! The folder is not locked here: whoever opens the data directory holds its lock.

mod error;
pub mod format;
mod log;
mod opening;
mod options;
mod reading;
mod repair;
mod reserve;
mod salvage;
mod scan;
mod segments;

pub use error::LogError;
pub use format::{Position, RECORD_BYTES_MAX};
pub use log::{BlockLog, Opened};
pub use options::{LogOptions, RESERVE_BYTES_DEFAULT, SEGMENT_BYTES_DEFAULT};
pub use reading::{Record, Records};
pub use salvage::Salvaged;

//! The chain: executed blocks in memory, the log that is the truth, the store behind it.
//!
//! Read [`chain`] first, then [`flush`], [`open`] and [`recover`]: they are the order of files at each height and after a crash.

pub mod base;
pub mod budget;
pub mod build;
pub mod chain;
pub mod check;
mod check_rows;
mod check_state;
pub mod classify;
pub mod consensus_data;
pub mod copier;
pub mod engine;
pub mod eras;
pub mod error;
pub mod flush;
pub mod folder;
mod genesis;
pub mod import;
pub mod logs;
pub mod note;
pub mod open;
pub mod pins;
pub mod pruning;
pub mod read;
pub mod rebuild;
pub mod record;
pub mod recover;
pub mod rows;
pub mod scratch;
pub mod shared;
pub mod snapshot;
pub mod stats;
pub mod tree;
pub mod trial;

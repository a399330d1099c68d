//! The chain: executed blocks in memory, the log that is the truth, the store behind it.
//!
//! Read [`chain`] first, then [`flush`], [`open`] and [`recover`]: they are the order of files at each height and after a crash.

pub mod budget;
pub mod build;
pub mod chain;
pub mod classify;
pub mod consensus_data;
pub mod error;
pub mod flush;
pub mod folder;
mod genesis;
pub mod import;
pub mod logs;
pub mod open;
pub mod read;
pub mod record;
pub mod recover;
pub mod rows;
pub mod shared;
pub mod tree;

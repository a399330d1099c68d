//! Ethereum's execution rules: forks, headers, transactions, and the one transition function, on revm over our state tries.
//!
//! Read [`block`] first: it shows a block's way through the crate. No disk, no clock, no Python.

pub mod block;
pub mod dao;
pub mod error;
pub mod executor;
pub mod fork;
pub mod genesis;
pub mod genesis_check;
pub mod genesis_text;
pub mod header;
pub mod json;
pub mod json_transaction;
mod net_gas;
pub mod overlay;
pub mod requests;
pub mod sidecar;
pub mod state;
mod storage_only;
pub mod transaction;
pub mod types;

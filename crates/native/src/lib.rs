//! The door between Python and the Rust core: one module, `coc._native`, and nothing else knows Python.
//!
//! Bytes and integers cross it, never structures of the other language; `src/coc/_native.pyi` is its sign. Work that can take
//! longer than some 50 µs runs with the interpreter lock released.

mod chain;
mod channel;
mod check_block;
mod convert;
mod crypto;
mod db;
mod errors;
mod genesis;
mod judging;
mod pruning;
mod reading;
mod rlp;
mod scrypt;
mod sim_disk;
mod snapshot;
mod tool;
mod transaction;
mod trial;
mod vrf;
mod wal;

use pyo3::prelude::*;

/// The version of this release.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The native core of COC.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::version;
    #[pymodule_export]
    use crate::chain::{Built, Chain};
    #[pymodule_export]
    use crate::channel::{NoiseChannel, NoiseHandshake, channel_public_key};
    #[pymodule_export]
    use crate::check_block::{check_block, read_block};
    #[pymodule_export]
    use crate::convert::Header;
    #[pymodule_export]
    use crate::crypto::{address_of, keccak256, public_key_of, recover_public_key, sign};
    #[pymodule_export]
    use crate::db::{DbCheck, DbRebuild, db_stats};
    #[pymodule_export]
    use crate::errors::{
        BlockInvalid, CallFailed, GenesisInvalid, LimitExceeded, Pruned, SnapshotRefused, StorageFailed,
        TransactionInvalid, UnknownBlock,
    };
    #[pymodule_export]
    use crate::genesis::{genesis_accounts, genesis_alloc, genesis_note};
    #[pymodule_export]
    use crate::reading::CallResult;
    #[pymodule_export]
    use crate::rlp::{rlp_decode, rlp_encode};
    #[pymodule_export]
    use crate::scrypt::scrypt_mix;
    #[pymodule_export]
    use crate::sim_disk::SimDisk;
    #[pymodule_export]
    use crate::snapshot::{SnapshotBuilder, SnapshotStand};
    #[pymodule_export]
    use crate::tool::{evm_run, evm_transition, run_blocktests, run_statetests};
    #[pymodule_export]
    use crate::transaction::{Transaction, sign_transaction};
    #[pymodule_export]
    use crate::trial::Trial;
    #[pymodule_export]
    use crate::vrf::{vrf_output, vrf_prove, vrf_verify};
    #[pymodule_export]
    use crate::wal::{Mark, Wal};
}

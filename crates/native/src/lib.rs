//! The door between Python and the Rust core: one module, `coc._native`, and nothing else knows Python.
//!
//! Bytes and integers cross it, never structures of the other language; `src/coc/_native.pyi` is its sign. Work that can take
//! longer than some 50 µs runs with the interpreter lock released.

mod crypto;
mod errors;
mod tool;

use pyo3::prelude::*;

/// The native core of COC.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::crypto::{address_of, keccak256, public_key_of, recover_public_key, sign};
    #[pymodule_export]
    use crate::tool::{run_blocktests, run_statetests};
}

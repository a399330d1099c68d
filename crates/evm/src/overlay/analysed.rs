//! Code with its jump table: finding the jump targets of a large contract takes longer than most calls of it.
//!
//! The table follows from the code, and the code from its hash, so whoever runs a contract in this process may use what another has
//! found. Kept is only what hashes to its name: a damaged store spoils no other chain.

use alloy_primitives::{B256, Bytes, keccak256};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use revm::bytecode::Bytecode;
use std::sync::LazyLock;

/// Bytes of code kept: a thousand contracts of the largest size allowed (EIP-170) and their tables, an eighth of their bytes.
const KEPT_BYTES_MAX: u64 = 28 << 20;
/// Contracts that the cache makes room for at first.
const CONTRACTS_EXPECTED: usize = 1_000;
/// What code of this kind means depends on the fork: delegations (EIP-7702), refused ones (EIP-3541). It is short, too.
const FORK_DEPENDENT: u8 = 0xef;

static KEPT: LazyLock<Cache<B256, Bytecode, ByBytes>> =
    LazyLock::new(|| Cache::with_weighter(CONTRACTS_EXPECTED, KEPT_BYTES_MAX, ByBytes));

#[derive(Clone)]
struct ByBytes;

impl Weighter<B256, Bytecode> for ByBytes {
    fn weight(&self, _hash: &B256, code: &Bytecode) -> u64 {
        (code.len() + code.len() / 8 + 1) as u64
    }
}

/// Code as the EVM takes it: a delegation where it is one to the last byte and delegations are known (EIP-7702), and instructions
/// wherever it is not, though it begins like one. Such code could be deployed before London (EIP-3541), and test files and
/// overrides may hold it.
pub fn bytecode(code: Bytes, knows_delegations: bool) -> Bytecode {
    if !knows_delegations {
        return Bytecode::new_legacy(code);
    }
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

/// The code that was kept under this hash.
pub fn kept(hash: &B256) -> Option<Bytecode> {
    KEPT.get(hash)
}

/// Keeps code that was read under a hash, if it is that code and means the same on every fork.
pub fn keep(hash: B256, code: &Bytes, analysed: &Bytecode) {
    if code.first() != Some(&FORK_DEPENDENT) && keccak256(code) == hash {
        KEPT.insert(hash, analysed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push_and_stop(value: u8) -> Bytes {
        Bytes::from(vec![0x60, value, 0x00])
    }

    #[test]
    fn code_is_found_again_under_its_hash() {
        let code = push_and_stop(1);
        let analysed = Bytecode::new_legacy(code.clone());
        keep(keccak256(&code), &code, &analysed);
        assert_eq!(kept(&keccak256(&code)).map(|found| found.original_bytes()), Some(code));
    }

    #[test]
    fn code_under_another_hash_and_code_that_a_fork_reads_otherwise_are_not_kept() {
        let code = push_and_stop(2);
        let wrong = B256::repeat_byte(9);
        keep(wrong, &code, &Bytecode::new_legacy(code.clone()));
        assert!(kept(&wrong).is_none());
        let odd = Bytes::from_static(&[0xef, 0x01, 0x00]);
        keep(keccak256(&odd), &odd, &Bytecode::new_legacy(odd.clone()));
        assert!(kept(&keccak256(&odd)).is_none());
    }

    #[test]
    fn what_is_kept_stays_below_its_bound() {
        let analysed = Bytecode::new_legacy(Bytes::from(vec![0x5b; 24 << 10]));
        for number in 0..3_000u32 {
            let mut code = vec![0x5b; 24 << 10];
            code[..4].copy_from_slice(&number.to_be_bytes());
            let code = Bytes::from(code);
            keep(keccak256(&code), &code, &analysed);
        }
        assert!(KEPT.weight() <= KEPT_BYTES_MAX);
    }
}

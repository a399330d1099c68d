//! What a header must say, given its parent: everything that can be checked without executing the block.
//!
//! Rules are those of the yellow paper (4.4.4) and the EIPs named beside them. Seals of proof of work are not checked.

use crate::error::BlockInvalid;
use crate::fork::{DAO_EXTRA_DATA, Fork, Rules};
use crate::types::Header;
use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{B64, U256};

/// Smallest gas limit of a block (yellow paper 47).
pub const GAS_LIMIT_MIN: u64 = 5_000;
/// A block's gas limit differs from its parent's by less than the 1,024th part (yellow paper 45, 46).
const GAS_LIMIT_BOUND_DIVISOR: u64 = 1_024;
/// Longest extra data in bytes (yellow paper 4.4).
pub const EXTRA_DATA_MAX: usize = 32;
/// Base fee of the first London block in wei (EIP-1559).
const INITIAL_BASE_FEE: u64 = 1_000_000_000;
/// Gas limit over gas target (EIP-1559).
const ELASTICITY: u64 = 2;
/// Bound of the base fee's change between blocks (EIP-1559).
const BASE_FEE_CHANGE_DENOMINATOR: u128 = 8;
/// Smallest difficulty (yellow paper 42).
const DIFFICULTY_MIN: u64 = 131_072;

fn refuse(code: &'static str, sentence: String) -> Result<(), BlockInvalid> {
    Err(BlockInvalid::new(code, sentence))
}

/// Checks `header` against `parent`; `rules` are those of the block itself.
pub fn validate_header(header: &Header, parent: &Header, rules: &Rules) -> Result<(), BlockInvalid> {
    if header.number != parent.number.wrapping_add(1) {
        refuse(
            "INVALID_BLOCK_NUMBER",
            format!("the number is {}, the parent's is {}", header.number, parent.number),
        )?;
    }
    if header.timestamp <= parent.timestamp {
        refuse(
            "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT",
            format!("the timestamp is {}, the parent's is {}", header.timestamp, parent.timestamp),
        )?;
    }
    if header.extra_data.len() > EXTRA_DATA_MAX {
        refuse(
            "EXTRA_DATA_TOO_BIG",
            format!("extra data has {} bytes, {EXTRA_DATA_MAX} are allowed", header.extra_data.len()),
        )?;
    }
    if header.gas_used > header.gas_limit {
        refuse(
            "INVALID_GAS_USED_ABOVE_LIMIT",
            format!("gas used {} is above the limit {}", header.gas_used, header.gas_limit),
        )?;
    }
    validate_gas_limit(header, parent, rules)?;
    validate_base_fee(header, parent, rules)?;
    validate_difficulty(header, parent, rules)?;
    validate_optional_fields(header, parent, rules)?;
    if let Some(supported) = rules.dao_extra_data
        && (header.extra_data.as_ref() == DAO_EXTRA_DATA) != supported
    {
        refuse(
            "INVALID_DAO_EXTRA_DATA",
            "the first ten blocks of the DAO fork say which side they are on".into(),
        )?;
    }
    Ok(())
}

fn validate_gas_limit(header: &Header, parent: &Header, rules: &Rules) -> Result<(), BlockInvalid> {
    let base =
        if rules.london_transition { parent.gas_limit.saturating_mul(ELASTICITY) } else { parent.gas_limit };
    let bound = base / GAS_LIMIT_BOUND_DIVISOR;
    if header.gas_limit.abs_diff(base) >= bound || header.gas_limit < GAS_LIMIT_MIN {
        return refuse(
            "INVALID_GASLIMIT",
            format!(
                "the gas limit is {}, which is not within {bound} of {base} and at least {GAS_LIMIT_MIN}",
                header.gas_limit
            ),
        );
    }
    Ok(())
}

fn validate_base_fee(header: &Header, parent: &Header, rules: &Rules) -> Result<(), BlockInvalid> {
    let expected = base_fee_after(parent, rules);
    if header.base_fee_per_gas != expected {
        return refuse(
            "INVALID_BASEFEE_PER_GAS",
            format!("the base fee is {:?}, the parent makes it {expected:?}", header.base_fee_per_gas),
        );
    }
    Ok(())
}

/// Base fee of a block with `rules` on top of `parent` in wei; `None` before London (EIP-1559).
pub fn base_fee_after(parent: &Header, rules: &Rules) -> Option<u64> {
    if !rules.at_least(Fork::London) {
        return None;
    }
    let Some(parent_fee) = parent.base_fee_per_gas else { return Some(INITIAL_BASE_FEE) };
    let target = parent.gas_limit / ELASTICITY;
    if parent.gas_used == target || target == 0 {
        return Some(parent_fee);
    }
    let delta = u128::from(parent_fee) * u128::from(parent.gas_used.abs_diff(target))
        / u128::from(target)
        / BASE_FEE_CHANGE_DENOMINATOR;
    let delta = u64::try_from(delta).unwrap_or(u64::MAX);
    Some(if parent.gas_used > target {
        parent_fee.saturating_add(delta.max(1))
    } else {
        parent_fee.saturating_sub(delta)
    })
}

fn validate_difficulty(header: &Header, parent: &Header, rules: &Rules) -> Result<(), BlockInvalid> {
    if rules.at_least(Fork::Paris) {
        if !header.difficulty.is_zero() {
            refuse(
                "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS",
                format!("the difficulty is {}, not 0", header.difficulty),
            )?;
        }
        if header.nonce != B64::ZERO {
            refuse("INVALID_NONCE", format!("the nonce is {}, not 0", header.nonce))?;
        }
        if header.ommers_hash != EMPTY_OMMER_ROOT_HASH {
            refuse("IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", "the block names ommers".into())?;
        }
        return Ok(());
    }
    let expected = difficulty_after(header.number, header.timestamp, parent, rules.fork);
    if header.difficulty != expected {
        refuse(
            "INVALID_DIFFICULTY",
            format!("the difficulty is {}, the parent makes it {expected}", header.difficulty),
        )?;
    }
    Ok(())
}

/// Difficulty of a proof-of-work block (yellow paper 41–46, EIP-2, 100, 649, 1234, 2384, 3554, 4345, 5133).
pub fn difficulty_after(number: u64, timestamp: u64, parent: &Header, fork: Fork) -> U256 {
    let step = parent.difficulty / U256::from(2_048);
    let elapsed = timestamp.saturating_sub(parent.timestamp);
    let factor: i64 = if fork >= Fork::Byzantium {
        let ommers = if parent.ommers_hash == EMPTY_OMMER_ROOT_HASH { 1 } else { 2 };
        (ommers - i64::try_from(elapsed / 9).unwrap_or(i64::MAX)).max(-99)
    } else if fork >= Fork::Homestead {
        (1 - i64::try_from(elapsed / 10).unwrap_or(i64::MAX)).max(-99)
    } else if elapsed < 13 {
        1
    } else {
        -1
    };
    let change = step * U256::from(factor.unsigned_abs());
    let moved = if factor < 0 {
        parent.difficulty.saturating_sub(change)
    } else {
        parent.difficulty.saturating_add(change)
    };
    let periods = (number.saturating_sub(bomb_delay(fork))) / 100_000;
    let bomb = if periods >= 2 {
        U256::from(1) << usize::try_from(periods - 2).unwrap_or(255).min(255)
    } else {
        U256::ZERO
    };
    moved.saturating_add(bomb).max(U256::from(DIFFICULTY_MIN))
}

/// Blocks by which a fork has put the difficulty bomb off.
fn bomb_delay(fork: Fork) -> u64 {
    match fork {
        f if f >= Fork::GrayGlacier => 11_400_000,
        f if f >= Fork::ArrowGlacier => 10_700_000,
        f if f >= Fork::London => 9_700_000,
        f if f >= Fork::MuirGlacier => 9_000_000,
        f if f >= Fork::Constantinople => 5_000_000,
        f if f >= Fork::Byzantium => 3_000_000,
        _ => 0,
    }
}

fn validate_optional_fields(header: &Header, parent: &Header, rules: &Rules) -> Result<(), BlockInvalid> {
    let presence = [
        ("withdrawals root", header.withdrawals_root.is_some(), Fork::Shanghai),
        ("blob gas used", header.blob_gas_used.is_some(), Fork::Cancun),
        ("excess blob gas", header.excess_blob_gas.is_some(), Fork::Cancun),
        ("parent beacon block root", header.parent_beacon_block_root.is_some(), Fork::Cancun),
        ("requests hash", header.requests_hash.is_some(), Fork::Prague),
    ];
    for (field, present, since) in presence {
        if present != rules.at_least(since) {
            let wrong = if present { "is there before its fork" } else { "is missing" };
            refuse("INCORRECT_BLOCK_FORMAT", format!("the {field} {wrong} ({})", since.name()))?;
        }
    }
    if header.block_access_list_hash.is_some() || header.slot_number.is_some() {
        refuse("INCORRECT_BLOCK_FORMAT", "the header has more fields than its fork knows".into())?;
    }
    if rules.at_least(Fork::Cancun) {
        let expected = rules.excess_blob_gas(parent);
        if header.excess_blob_gas != Some(expected) {
            refuse(
                "INCORRECT_EXCESS_BLOB_GAS",
                format!("excess blob gas is {:?}, the parent makes it {expected}", header.excess_blob_gas),
            )?;
        }
    }
    Ok(())
}

//! Requests of the execution layer to the consensus layer (EIP-7685): deposits, withdrawals, consolidations.

use crate::error::BlockInvalid;
use alloy_primitives::{Address, B256, Bytes, Log, address, b256};
use sha2::{Digest, Sha256};

/// Topic of the deposit contract's `DepositEvent` (EIP-6110).
const DEPOSIT_EVENT: B256 = b256!("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Type byte of deposit requests (EIP-6110).
pub const DEPOSIT_REQUEST: u8 = 0;
/// Type byte of withdrawal requests (EIP-7002).
pub const WITHDRAWAL_REQUEST: u8 = 1;
/// Type byte of consolidation requests (EIP-7251).
pub const CONSOLIDATION_REQUEST: u8 = 2;
/// Predeploy of withdrawal requests (EIP-7002).
pub const WITHDRAWAL_REQUESTS: Address = address!("0x00000961ef480eb55e80d19ad83579a64c007002");
/// Predeploy of consolidation requests (EIP-7251).
pub const CONSOLIDATION_REQUESTS: Address = address!("0x0000bbddc7ce488642fb579f8b00f3a590007251");

/// The five fields of a deposit event: length in bytes of each, in order of the ABI encoding.
const FIELDS: [usize; 5] = [48, 32, 8, 96, 8];
/// Length of a deposit event's data.
const EVENT_LENGTH: usize = 576;

/// The deposits among `logs`, as the data of one request; an event of any other layout makes the block invalid.
pub fn deposits<'a>(logs: impl Iterator<Item = &'a Log>, contract: Address) -> Result<Vec<u8>, BlockInvalid> {
    let mut out = Vec::new();
    for log in logs {
        if log.address == contract && log.topics().first() == Some(&DEPOSIT_EVENT) {
            append_deposit(&log.data.data, &mut out).ok_or_else(|| {
                BlockInvalid::new(
                    "INVALID_DEPOSIT_EVENT_LAYOUT",
                    "a deposit event has another layout than EIP-6110 gives it",
                )
            })?;
        }
    }
    Ok(out)
}

fn word(data: &[u8], at: usize) -> Option<usize> {
    let bytes = data.get(at..at + 32)?;
    if bytes[..24].iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut last = [0u8; 8];
    last.copy_from_slice(&bytes[24..]);
    usize::try_from(u64::from_be_bytes(last)).ok()
}

fn append_deposit(data: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if data.len() != EVENT_LENGTH {
        return None;
    }
    let mut offset = FIELDS.len() * 32;
    for (index, length) in FIELDS.into_iter().enumerate() {
        if word(data, index * 32)? != offset || word(data, offset)? != length {
            return None;
        }
        out.extend_from_slice(data.get(offset + 32..offset + 32 + length)?);
        offset += 32 + length.div_ceil(32) * 32;
    }
    Some(())
}

/// Hash over the requests of a block: sha-256 of the sha-256 of each that has data (EIP-7685).
pub fn requests_hash(requests: &[Bytes]) -> B256 {
    let mut outer = Sha256::new();
    for request in requests.iter().filter(|request| request.len() > 1) {
        outer.update(Sha256::digest(request));
    }
    B256::from_slice(&outer.finalize())
}

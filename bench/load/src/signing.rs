//! Fee-market transactions (EIP-1559), encoded and signed ahead of the measurement.

use std::thread;

use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use tiny_keccak::{Hasher, Keccak};

/// Gas of a plain transfer to an existing account.
pub const TRANSFER_GAS: u64 = 21_000;
/// Enough for an ERC-20 transfer that fills a new slot.
pub const TOKEN_GAS: u64 = 80_000;

const FEE_MARKET_TYPE: u8 = 2;
const MAX_FEE_WEI: u64 = 50_000_000_000;
const TIP_WEI: u64 = 1_000_000_000;
const TRANSFER_SELECTOR: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];

/// What every transaction of a load does.
#[derive(Clone, Copy, Debug)]
pub enum Payload {
    /// Sends one wei.
    Transfer,
    /// Moves one unit of the ERC-20 token at this address.
    Token([u8; 20]),
}

/// How many transactions by how many accounts, on which chain, to how many receivers.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// What each transaction does.
    pub payload: Payload,
    /// Transactions in all; account `i mod accounts` signs transaction `i`.
    pub count: usize,
    /// Distinct receivers, spread evenly.
    pub receivers: usize,
}

/// Keccak-256, as Ethereum uses it.
#[must_use]
pub fn keccak(data: &[u8]) -> [u8; 32] {
    let mut hasher = Keccak::v256();
    let mut digest = [0; 32];
    hasher.update(data);
    hasher.finalize(&mut digest);
    digest
}

/// Hex with its `0x`.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Signs the whole load on every core; element `i` is transaction `i` as raw bytes.
#[must_use]
pub fn sign_all(load: Load, secrets: &[SecretKey]) -> Vec<Vec<u8>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = load.count.div_ceil(cores).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = (0..load.count)
            .step_by(share)
            .map(|first| {
                let range = first..load.count.min(first + share);
                scope.spawn(move || range.map(|index| sign_one(load, secrets, index)).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("signing does not panic")).collect()
    })
}

fn sign_one(load: Load, secrets: &[SecretKey], index: usize) -> Vec<u8> {
    let nonce = (index / secrets.len()) as u64;
    let receiver = receiver(index % load.receivers.max(1));
    let fields = unsigned_fields(load, nonce, &receiver);
    let digest = keccak(&typed_list(&fields));
    let message = Message::from_digest(digest);
    let signature = RecoverableSignature::sign_ecdsa_recoverable(message, &secrets[index % secrets.len()]);
    let (recovery, bytes) = signature.serialize_compact();
    let mut signed = fields;
    put_number(&mut signed, u64::from(recovery.to_u8()));
    put_bytes(&mut signed, strip_zeros(&bytes[..32]));
    put_bytes(&mut signed, strip_zeros(&bytes[32..]));
    typed_list(&signed)
}

/// A receiver that nobody holds the key of.
fn receiver(number: usize) -> [u8; 20] {
    let digest = keccak(&(number as u64).to_be_bytes());
    let mut address = [0; 20];
    address.copy_from_slice(&digest[12..]);
    address
}

fn unsigned_fields(load: Load, nonce: u64, receiver: &[u8; 20]) -> Vec<u8> {
    let mut fields = Vec::with_capacity(256);
    put_number(&mut fields, load.chain_id);
    put_number(&mut fields, nonce);
    put_number(&mut fields, TIP_WEI);
    put_number(&mut fields, MAX_FEE_WEI);
    match load.payload {
        Payload::Transfer => {
            put_number(&mut fields, TRANSFER_GAS);
            put_bytes(&mut fields, receiver);
            put_number(&mut fields, 1);
            put_bytes(&mut fields, &[]);
        }
        Payload::Token(token) => {
            put_number(&mut fields, TOKEN_GAS);
            put_bytes(&mut fields, &token);
            put_number(&mut fields, 0);
            put_bytes(&mut fields, &token_call(receiver));
        }
    }
    fields.push(0xc0); // no access list
    fields
}

fn token_call(receiver: &[u8; 20]) -> [u8; 68] {
    let mut call = [0; 68];
    call[..4].copy_from_slice(&TRANSFER_SELECTOR);
    call[16..36].copy_from_slice(receiver);
    call[67] = 1;
    call
}

fn typed_list(fields: &[u8]) -> Vec<u8> {
    let mut out = vec![FEE_MARKET_TYPE];
    put_header(&mut out, 0xc0, fields.len());
    out.extend_from_slice(fields);
    out
}

fn put_header(out: &mut Vec<u8>, base: u8, length: usize) {
    if length < 56 {
        out.push(base + length as u8);
    } else {
        let bytes = (length as u64).to_be_bytes();
        let size = strip_zeros(&bytes);
        out.push(base + 55 + size.len() as u8);
        out.extend_from_slice(size);
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [byte] if *byte < 0x80 => out.push(*byte),
        _ => {
            put_header(out, 0x80, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    put_bytes(out, strip_zeros(&number.to_be_bytes()));
}

fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{DEV_MNEMONIC, account_secrets};

    #[test]
    fn each_account_counts_its_own_nonces_and_the_load_does_not_depend_on_the_cores() {
        let secrets = account_secrets(DEV_MNEMONIC, 3);
        let load = Load { chain_id: 31_337, payload: Payload::Transfer, count: 7, receivers: 2 };
        let signed = sign_all(load, &secrets);
        let one_by_one: Vec<Vec<u8>> = (0..7).map(|index| sign_one(load, &secrets, index)).collect();
        assert_eq!(signed, one_by_one);
        // Type, list head of two bytes, chain id of three bytes, then the nonce.
        let nonces: Vec<u8> = signed.iter().map(|raw| raw[6]).collect();
        assert_eq!(nonces, [0x80, 0x80, 0x80, 1, 1, 1, 2]);
    }

    #[test]
    fn keccak_of_nothing_is_what_everybody_knows() {
        let expected = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(to_hex(&keccak(&[])), expected);
    }
}

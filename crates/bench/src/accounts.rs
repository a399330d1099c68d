//! The accounts of a benchmark: keys that follow from their number, so that every run signs the same.

use alloy_primitives::{Address, B256, keccak256};
use rayon::prelude::*;
use secp256k1::{PublicKey, SecretKey};

/// A key and the account it speaks for.
#[derive(Clone, Copy)]
pub struct Account {
    /// The private key.
    pub key: SecretKey,
    /// Its address.
    pub address: Address,
}

impl Account {
    /// The account with this number.
    pub fn numbered(number: u64) -> Account {
        let mut seed = *keccak256([b"coc bench account ".as_slice(), &number.to_be_bytes()].concat());
        loop {
            // One digest in 2¹²⁸ is no key.
            if let Ok(key) = SecretKey::from_secret_bytes(seed) {
                let public = PublicKey::from_secret_key(&key).serialize_uncompressed();
                return Account { key, address: Address::from_raw_public_key(&public[1..]) };
            }
            seed = *keccak256(seed);
        }
    }

    /// The accounts numbered from 1 to `count`, made on all cores.
    pub fn many(count: usize) -> Vec<Account> {
        (1..=count as u64).into_par_iter().map(Account::numbered).collect()
    }
}

/// Numbers that follow from a seed (SplitMix64), for who sends to whom.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `bound`; the bias is below 2⁻⁴⁰ for a million accounts.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound as u64) as usize
    }
}

/// The digest's signature as `(r, s, odd)`.
pub fn sign(key: &SecretKey, digest: &B256) -> alloy_primitives::Signature {
    let message = secp256k1::Message::from_digest(digest.0);
    let (id, compact) =
        secp256k1::ecdsa::RecoverableSignature::sign_ecdsa_recoverable(message, key).serialize_compact();
    alloy_primitives::Signature::from_bytes_and_parity(&compact, id == secp256k1::ecdsa::RecoveryId::One)
}

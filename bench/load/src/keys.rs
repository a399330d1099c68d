//! Secrets of the well-known development accounts, derived as every wallet derives them (BIP-39, BIP-32, BIP-44).

use hmac::{Hmac, Mac};
use secp256k1::{PublicKey, Scalar, SecretKey};
use sha2::Sha512;

/// The mnemonic that every development node funds.
pub const DEV_MNEMONIC: &str = "test test test test test test test test test test test junk";

const SEED_ROUNDS: usize = 2048;
const HARDENED: u32 = 1 << 31;
/// `m/44'/60'/0'/0`: Ethereum's accounts of the first wallet.
const ACCOUNT_PATH: [u32; 4] = [HARDENED | 44, HARDENED | 60, HARDENED, 0];

/// A secret with what is needed to derive its children.
struct Extended {
    secret: SecretKey,
    chain_code: [u8; 32],
}

/// The secrets of the first `count` accounts of `mnemonic`, without a passphrase.
#[must_use]
pub fn account_secrets(mnemonic: &str, count: u32) -> Vec<SecretKey> {
    let mut parent = master(&seed(mnemonic));
    for index in ACCOUNT_PATH {
        parent = child(&parent, index);
    }
    (0..count).map(|index| child(&parent, index).secret).collect()
}

fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("HMAC takes keys of every length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one output block, which is all that BIP-39 asks for.
fn seed(mnemonic: &str) -> [u8; 64] {
    let mut round = hmac_sha512(mnemonic.as_bytes(), &[b"mnemonic", &1u32.to_be_bytes()]);
    let mut seed = round;
    for _ in 1..SEED_ROUNDS {
        round = hmac_sha512(mnemonic.as_bytes(), &[&round]);
        seed.iter_mut().zip(round).for_each(|(byte, other)| *byte ^= other);
    }
    seed
}

fn split(digest: [u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut left, mut right) = ([0; 32], [0; 32]);
    left.copy_from_slice(&digest[..32]);
    right.copy_from_slice(&digest[32..]);
    (left, right)
}

fn master(seed: &[u8; 64]) -> Extended {
    let (left, chain_code) = split(hmac_sha512(b"Bitcoin seed", &[seed]));
    Extended { secret: secret_from(left), chain_code }
}

fn child(parent: &Extended, index: u32) -> Extended {
    let position = index.to_be_bytes();
    let digest = if index & HARDENED != 0 {
        hmac_sha512(&parent.chain_code, &[&[0], &parent.secret.to_secret_bytes(), &position])
    } else {
        let public = PublicKey::from_secret_key(&parent.secret).serialize();
        hmac_sha512(&parent.chain_code, &[&public, &position])
    };
    let (left, chain_code) = split(digest);
    let tweak = Scalar::from_be_bytes(left).expect("a digest above the curve order has probability 2^-127");
    let secret = parent.secret.add_tweak(&tweak).expect("a zero sum has probability 2^-256");
    Extended { secret, chain_code }
}

fn secret_from(bytes: [u8; 32]) -> SecretKey {
    SecretKey::from_secret_bytes(bytes).expect("a digest above the curve order has probability 2^-127")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last 20 bytes of the hash of the public key.
    fn address_of(secret: &SecretKey) -> String {
        let public = PublicKey::from_secret_key(secret).serialize_uncompressed();
        crate::signing::to_hex(&crate::signing::keccak(&public[1..])[12..])
    }

    #[test]
    fn the_first_accounts_are_the_ones_every_development_node_funds() {
        let secrets = account_secrets(DEV_MNEMONIC, 10);
        assert_eq!(address_of(&secrets[0]), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
        assert_eq!(address_of(&secrets[9]), "0xa0ee7a142d267c1f36714e4a8f75612f20a79720");
    }
}

//! Transactions for CometBFT's kvstore: `key=value`, each with a key of its own, in base64.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Transaction `index` of a load, filled up to `bytes`.
#[must_use]
pub fn transaction(index: usize, bytes: usize) -> String {
    let mut text = format!("k{index:09}=").into_bytes();
    text.resize(bytes.max(text.len() + 1), b'v');
    base64(&text)
}

fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_what_the_standard_says_for_every_remainder() {
        let encoded: Vec<String> = ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())).into();
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }

    #[test]
    fn a_transaction_has_its_size_and_differs_from_every_other() {
        assert_eq!(transaction(7, 250).len(), 250_usize.div_ceil(3) * 4);
        assert_ne!(transaction(7, 250), transaction(8, 250));
    }
}

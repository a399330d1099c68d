//! Numbers and bytes as Ethereum's JSON files write them: hexadecimal with `0x`, decimal text, or plain numbers.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use serde_json::Value;

/// A value that does not read as what its place demands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct JsonError {
    /// The field.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}

impl JsonError {
    /// `place` is wrong because of `reason`.
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        JsonError { place: place.into(), reason: reason.into() }
    }
}

/// Characters of a value that an error repeats: enough to find it by, and no more than a terminal shows at once.
const SHOWN_CHARS_MAX: usize = 100;

/// A value as an error shows it.
pub(crate) fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// An unsigned integer of at most 256 bits.
pub fn u256(value: &Value, place: &str) -> Result<U256, JsonError> {
    let wrong = || JsonError::new(place, format!("{} is not an unsigned integer", brief(value)));
    match value {
        Value::Number(number) => number.as_u64().map(U256::from).ok_or_else(wrong),
        Value::String(text) => {
            let text = text.trim();
            let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some("") => return Ok(U256::ZERO),
                Some(digits) => (digits, 16),
                None => (text, 10),
            };
            // The parser would let underscores pass, and take nothing for zero.
            if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
                return Err(wrong());
            }
            U256::from_str_radix(digits, u64::from(radix)).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

/// An unsigned integer of at most 64 bits.
pub fn u64(value: &Value, place: &str) -> Result<u64, JsonError> {
    u64::try_from(u256(value, place)?)
        .map_err(|_| JsonError::new(place, format!("{} is more than 64 bits hold", brief(value))))
}

/// An unsigned integer of at most 128 bits.
pub fn u128(value: &Value, place: &str) -> Result<u128, JsonError> {
    u128::try_from(u256(value, place)?)
        .map_err(|_| JsonError::new(place, format!("{} is more than 128 bits hold", brief(value))))
}

/// Bytes; the `0x` may be missing.
pub fn bytes(value: &Value, place: &str) -> Result<Bytes, JsonError> {
    let text = text(value, place)?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.starts_with("0x") {
        return Err(JsonError::new(place, "begins with 0x twice"));
    }
    hex::decode(digits).map(Bytes::from).map_err(|error| JsonError::new(place, format!("{error}")))
}

/// Exactly 20 bytes.
pub fn address(value: &Value, place: &str) -> Result<Address, JsonError> {
    let bytes = bytes(value, place)?;
    Address::try_from(bytes.as_ref())
        .map_err(|_| JsonError::new(place, format!("{} bytes are not an address of 20", bytes.len())))
}

/// Exactly 32 bytes, or fewer read as a number.
pub fn b256(value: &Value, place: &str) -> Result<B256, JsonError> {
    let bytes = bytes(value, place)?;
    if bytes.len() > 32 {
        return Err(JsonError::new(place, format!("{} bytes are more than 32", bytes.len())));
    }
    Ok(B256::left_padding_from(&bytes))
}

/// A string.
pub fn text<'a>(value: &'a Value, place: &str) -> Result<&'a str, JsonError> {
    value.as_str().ok_or_else(|| JsonError::new(place, format!("{} is not a string", brief(value))))
}

/// The field `name` of an object, which must be there.
pub fn field<'a>(object: &'a Value, name: &str) -> Result<&'a Value, JsonError> {
    object.get(name).ok_or_else(|| JsonError::new(name, "is missing"))
}

/// The field `name` of an object where it is there and not null.
pub fn optional<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// Reads an optional field with `read`.
pub fn maybe<T>(
    object: &Value,
    name: &str,
    read: impl FnOnce(&Value, &str) -> Result<T, JsonError>,
) -> Result<Option<T>, JsonError> {
    optional(object, name).map(|value| read(value, name)).transpose()
}

/// A list whose items `read` understands.
pub fn list<T>(
    value: &Value,
    place: &str,
    read: impl Fn(&Value, &str) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let items = value.as_array().ok_or_else(|| JsonError::new(place, "is not a list"))?;
    items.iter().map(|item| read(item, place)).collect()
}

/// The same error in one item of something larger.
pub fn within<T>(place: impl std::fmt::Display, result: Result<T, JsonError>) -> Result<T, JsonError> {
    result.map_err(|error| JsonError::new(format!("{place}.{}", error.place), error.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_has_digits_and_nothing_else() {
        for (text, number) in [("0x", 0), ("0x0", 0), ("0X1f", 31), ("10", 10), (" 7 ", 7), ("007", 7)] {
            assert_eq!(u256(&json!(text), "n"), Ok(U256::from(number)), "{text}");
        }
        for text in ["", "1_0", "0x1_0", "0x_", "-1", "+1", "0x+1", "1e3", "0x0x1", "٣", "0xg", "1.0"] {
            assert!(u256(&json!(text), "n").is_err(), "{text}");
        }
        assert!(u256(&json!(format!("0x1{}", "0".repeat(64))), "n").is_err());
    }

    #[test]
    fn bytes_have_one_prefix_at_most() {
        assert_eq!(bytes(&json!("0x0102"), "b"), bytes(&json!("0102"), "b"));
        assert!(bytes(&json!("0x0x12"), "b").is_err());
    }

    #[test]
    fn an_error_repeats_a_bounded_piece_of_the_value() {
        let long = "٣".repeat(1_000_000);
        let error = u64(&json!(long), "n").expect_err("no number").to_string();
        assert!(error.chars().count() < 2 * SHOWN_CHARS_MAX);
    }
}

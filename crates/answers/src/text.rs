//! Writing JSON in the shape of Ethereum's execution APIs: quantities without leading zeros, data in full, keys in order of writing.

use alloy_primitives::{U256, hex};
use std::fmt::Write as _;

/// A JSON text that grows.
#[derive(Default)]
pub struct Text {
    out: String,
    needs_comma: bool,
}

impl Text {
    /// An empty text with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Text {
        Text { out: String::with_capacity(bytes), needs_comma: false }
    }

    /// The text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    fn comma(&mut self) {
        if self.needs_comma {
            self.out.push(',');
        }
        self.needs_comma = true;
    }

    /// Begins an object or list.
    pub fn open(&mut self, bracket: char) {
        self.comma();
        self.out.push(bracket);
        self.needs_comma = false;
    }

    /// Ends an object or list.
    pub fn close(&mut self, bracket: char) {
        self.out.push(bracket);
        self.needs_comma = true;
    }

    /// The key of the value that follows.
    pub fn key(&mut self, key: &str) {
        self.comma();
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
        self.needs_comma = false;
    }

    /// `null`.
    pub fn null(&mut self) {
        self.raw("null");
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.comma();
        self.out.push_str(json);
    }

    /// A quantity of at most 128 bits.
    pub fn quantity(&mut self, value: impl Into<u128>) {
        self.comma();
        // Writing to a string cannot fail.
        let _ = write!(self.out, "\"{:#x}\"", value.into());
    }

    /// A quantity of at most 256 bits.
    pub fn quantity256(&mut self, value: U256) {
        self.comma();
        let _ = write!(self.out, "\"{value:#x}\"");
    }

    /// Bytes.
    pub fn data(&mut self, bytes: impl AsRef<[u8]>) {
        self.comma();
        self.out.push_str("\"0x");
        self.out.push_str(&hex::encode(bytes));
        self.out.push('"');
    }

    /// A key with a quantity.
    pub fn put(&mut self, key: &str, value: impl Into<u128>) {
        self.key(key);
        self.quantity(value);
    }

    /// A key with a 256-bit quantity.
    pub fn put256(&mut self, key: &str, value: U256) {
        self.key(key);
        self.quantity256(value);
    }

    /// A key with bytes.
    pub fn put_data(&mut self, key: &str, bytes: impl AsRef<[u8]>) {
        self.key(key);
        self.data(bytes);
    }

    /// A key with bytes or `null`.
    pub fn put_optional(&mut self, key: &str, bytes: Option<impl AsRef<[u8]>>) {
        self.key(key);
        match bytes {
            Some(bytes) => self.data(bytes),
            None => self.null(),
        }
    }
}

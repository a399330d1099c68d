//! The two parts of a genesis file's text: its accounts, of which there may be a million, and the rest, which is small.
//!
//! The accounts are read one by one, so that no tree of JSON values of the whole file ever stands in memory. The rest is the
//! text with an empty `alloc` in it, character for character; whoever keeps it can read everything else of the file again
//! without the accounts.

use crate::genesis::{GenesisAccount, parse_account};
use crate::json::JsonError;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::ops::Range;

/// A genesis file's text, cut in two.
pub struct GenesisText<'a> {
    text: &'a [u8],
    alloc: &'a str,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Members<'a> {
    #[serde(borrow)]
    alloc: Option<&'a RawValue>,
}

impl<'a> GenesisText<'a> {
    /// Cuts a text.
    ///
    /// # Errors
    /// A text that is not JSON, or without an `alloc` object.
    pub fn cut(text: &'a [u8]) -> Result<GenesisText<'a>, JsonError> {
        let members: Members<'a> =
            serde_json::from_slice(text).map_err(|error| JsonError::new("genesis", error.to_string()))?;
        let alloc = members.alloc.map(RawValue::get).filter(|alloc| *alloc != "null");
        let alloc = alloc.ok_or_else(|| JsonError::new("alloc", "is missing"))?;
        if !alloc.starts_with('{') {
            return Err(JsonError::new("alloc", "is not an object"));
        }
        Ok(GenesisText { text, alloc })
    }

    /// Where in the text the value of `alloc` stands.
    pub fn alloc_range(&self) -> Range<usize> {
        let from = self.alloc.as_ptr() as usize - self.text.as_ptr() as usize;
        from..from + self.alloc.len()
    }

    /// The text with an empty `alloc`.
    pub fn outline(&self) -> Vec<u8> {
        let alloc = self.alloc_range();
        [&self.text[..alloc.start], b"{}", &self.text[alloc.end..]].concat()
    }

    /// The accounts, in the order of the text.
    ///
    /// # Errors
    /// The first account that cannot be used, or whose address stood there before.
    pub fn accounts(&self) -> Result<Vec<GenesisAccount>, JsonError> {
        let mut refused = None;
        let mut deserializer = serde_json::Deserializer::from_str(self.alloc);
        let read = Accounts { refused: &mut refused }.deserialize(&mut deserializer);
        let accounts = match (read, refused) {
            (_, Some(refused)) => return Err(refused),
            (Err(error), None) => return Err(JsonError::new("alloc", error.to_string())),
            (Ok(accounts), None) => accounts,
        };
        let mut addresses: Vec<_> = accounts.iter().map(|account| account.address).collect();
        addresses.sort_unstable();
        match addresses.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(JsonError::new(format!("alloc.{}", pair[0]), "is there twice")),
            None => Ok(accounts),
        }
    }
}

/// Reads an object of accounts; keeps the error of the first that cannot be used.
struct Accounts<'a> {
    refused: &'a mut Option<JsonError>,
}

impl<'de> DeserializeSeed<'de> for Accounts<'_> {
    type Value = Vec<GenesisAccount>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Accounts<'_> {
    type Value = Vec<GenesisAccount>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of accounts")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut accounts = Vec::new();
        while let Some((address, account)) = members.next_entry::<String, Value>()? {
            match parse_account(&address, &account) {
                Ok(account) => accounts.push(account),
                Err(error) => {
                    *self.refused = Some(error);
                    return Err(M::Error::custom("an account cannot be used"));
                }
            }
        }
        Ok(accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"{ "config": {"chainId": 7, "x": 100000000000000000000}, "alloc" : { "0x01": 1 } , "b":[ ]}"#;

    #[test]
    fn the_outline_is_the_text_with_an_empty_alloc() {
        let text = GenesisText::cut(TEXT.as_bytes()).expect("JSON");
        let expected = r#"{ "config": {"chainId": 7, "x": 100000000000000000000}, "alloc" : {} , "b":[ ]}"#;
        assert_eq!(String::from_utf8(text.outline()).as_deref(), Ok(expected));
    }

    #[test]
    fn a_text_without_accounts_to_read_is_refused() {
        for text in
            ["", "{}", "[]", r#"{"alloc": null}"#, r#"{"alloc": []}"#, r#"{"alloc": {}, "alloc": {}}"#]
        {
            assert!(GenesisText::cut(text.as_bytes()).is_err(), "{text}");
        }
        assert!(GenesisText::cut(TEXT.as_bytes()).expect("JSON").accounts().is_err());
    }

    #[test]
    fn an_address_that_stands_there_twice_is_refused_in_any_spelling() {
        let twice = |first: &str, second: &str| {
            let text = format!(r#"{{"alloc": {{"{first}": {{}}, "{second}": {{}}}}}}"#);
            GenesisText::cut(text.as_bytes()).expect("JSON").accounts().map(|accounts| accounts.len())
        };
        let (lower, upper) = ("0xab".to_string() + &"00".repeat(19), "AB".to_string() + &"00".repeat(19));
        assert!(twice(&lower, &lower).is_err());
        assert!(twice(&lower, &upper).is_err());
        assert_eq!(twice(&lower, &"01".repeat(20)), Ok(2));
    }
}

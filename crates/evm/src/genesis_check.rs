//! The rules that a genesis file's accounts are held to before a chain is made of it.
//!
//! They are stricter than what the core itself can read, so that a mistake is told instead of taken for something else: every number
//! and hexadecimal text has one of the usual forms, nothing that counts stands there twice, and on our own chains an account has no
//! member that nobody reads. Accounts are looked at one by one; of a million nothing is kept but the addresses.

use crate::json::brief;
use alloy_primitives::{Address, U256};
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// Hexadecimal digits of the longest number and of a slot.
const WORD_DIGITS: usize = 64;
/// Decimal digits of the longest number.
const DECIMAL_DIGITS_MAX: usize = 78;

/// Why accounts were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The field.
    pub place: String,
    /// What is wrong with it, as the end of a sentence that begins with "it".
    pub why: String,
    /// What helps; may be empty.
    pub cure: &'static str,
}

impl Refusal {
    fn new(place: impl Into<String>, why: impl Into<String>, cure: &'static str) -> Refusal {
        Refusal { place: place.into(), why: why.into(), cure }
    }

    /// The same in something larger.
    fn within(self, outer: &str) -> Refusal {
        let place = if self.place.is_empty() { outer.into() } else { format!("{outer}.{}", self.place) };
        Refusal { place, ..self }
    }
}

/// What accounts that may be used are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// How many.
    pub count: usize,
    /// Those that were asked for, each as its JSON stands in the text.
    pub wanted: Vec<(Address, String)>,
}

/// Holds the text of an `alloc` object to the rules, with `is_ours` to those of our own chains.
///
/// # Errors
/// The first account that breaks one.
pub fn check_accounts(alloc: &str, is_ours: bool, wanted: &[Address]) -> Result<Accounts, Refusal> {
    let mut refused = None;
    let mut found = Found { is_ours, wanted, addresses: Vec::new(), accounts: Accounts::default() };
    let mut text = serde_json::Deserializer::from_str(alloc);
    let read = text.deserialize_map(Noting { visitor: &mut found, refused: &mut refused });
    let read = read.and_then(|()| text.end());
    if let Some(refusal) = refused {
        return Err(refusal.within("alloc"));
    }
    read.map_err(|error| Refusal::new("alloc", format!("cannot be read: {error}"), ""))?;
    found.addresses.sort_unstable();
    if let Some(twice) = found.addresses.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Refusal::new(format!("alloc.{:#x}", twice[0]), "is there twice", "keep one of them"));
    }
    Ok(Accounts { count: found.addresses.len(), ..found.accounts })
}

/// Visits the members of an object and says why one is refused.
trait Members<'de> {
    fn visit<M: MapAccess<'de>>(&mut self, members: M) -> Result<Result<(), Refusal>, M::Error>;
}

/// Ends the reading at the first refusal, which is noted beside: errors of the reader are sentences without parts.
struct Noting<'a, Inner> {
    visitor: &'a mut Inner,
    refused: &'a mut Option<Refusal>,
}

impl<'de, Inner: Members<'de>> Visitor<'de> for Noting<'_, Inner> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<(), M::Error> {
        self.visitor.visit(members)?.map_err(|refusal| {
            *self.refused = Some(refusal);
            M::Error::custom("refused")
        })
    }
}

/// The accounts so far.
struct Found<'a> {
    is_ours: bool,
    wanted: &'a [Address],
    addresses: Vec<Address>,
    accounts: Accounts,
}

impl<'de> Members<'de> for Found<'_> {
    fn visit<M: MapAccess<'de>>(&mut self, mut members: M) -> Result<Result<(), Refusal>, M::Error> {
        while let Some((name, text)) = members.next_entry::<String, &'de RawValue>()? {
            let Some(address) = hex_bytes::<20>(&name) else {
                let why = format!("has {}, which is no address", brief(&name.into()));
                return Ok(Err(Refusal::new("", why, "write 0x and 40 hex digits")));
            };
            if let Err(refusal) = check_account(text.get(), self.is_ours) {
                return Ok(Err(refusal.within(&name)));
            }
            self.addresses.push(address.into());
            if self.wanted.contains(&address.into()) {
                self.accounts.wanted.push((address.into(), text.get().into()));
            }
        }
        Ok(Ok(()))
    }
}

fn check_account(text: &str, is_ours: bool) -> Result<(), Refusal> {
    if !text.starts_with('{') {
        return Err(Refusal::new("", "is not an object", ""));
    }
    read_object(text, &mut Account { is_ours, seen: [false; 4] })
}

/// Reads the text of an object.
fn read_object<'de>(text: &'de str, visitor: &mut impl Members<'de>) -> Result<(), Refusal> {
    let mut refused = None;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_map(Noting { visitor, refused: &mut refused });
    match (read, refused) {
        (_, Some(refusal)) => Err(refusal),
        (Err(error), None) => Err(Refusal::new("", format!("cannot be read: {error}"), "")),
        (Ok(()), None) => Ok(()),
    }
}

struct Account {
    is_ours: bool,
    /// Which of its members stood there already.
    seen: [bool; 4],
}

impl<'de> Members<'de> for Account {
    fn visit<M: MapAccess<'de>>(&mut self, mut members: M) -> Result<Result<(), Refusal>, M::Error> {
        while let Some(name) = members.next_key::<String>()? {
            let Some(member) =
                ["balance", "nonce", "code", "storage"].iter().position(|known| *known == name)
            else {
                if self.is_ours {
                    return Ok(Err(Refusal::new(name, "is unknown", "check its spelling, or remove it")));
                }
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut self.seen[member], true) {
                return Ok(Err(Refusal::new(name, "stands there twice", "remove one of them")));
            }
            let checked = match member {
                0 => check_number(&members.next_value()?, U256::MAX),
                1 => check_number(&members.next_value()?, U256::from(u64::MAX)),
                2 => check_hex(&members.next_value()?, usize::MAX),
                _ => check_storage(members.next_value::<&'de RawValue>()?.get()),
            };
            if let Err(refusal) = checked {
                return Ok(Err(refusal.within(&name)));
            }
        }
        Ok(Ok(()))
    }
}

/// The slots of an account.
struct Storage;

fn check_storage(text: &str) -> Result<(), Refusal> {
    match text {
        "null" => Ok(()),
        text if text.starts_with('{') => read_object(text, &mut Storage),
        _ => Err(Refusal::new("", "is not an object", "")),
    }
}

impl<'de> Members<'de> for Storage {
    fn visit<M: MapAccess<'de>>(&mut self, mut members: M) -> Result<Result<(), Refusal>, M::Error> {
        while let Some((slot, value)) = members.next_entry::<String, Value>()? {
            let number = check_hex(&slot.as_str().into(), WORD_DIGITS);
            if let Err(refusal) = number.and_then(|()| check_hex(&value, WORD_DIGITS)) {
                return Ok(Err(refusal.within(&slot)));
            }
        }
        Ok(Ok(()))
    }
}

/// A JSON integer, decimal text, or `0x` text.
fn check_number(value: &Value, most: U256) -> Result<(), Refusal> {
    let number = match value {
        Value::Null => return Ok(()),
        Value::Number(number) => number.as_u64().map(U256::from),
        Value::String(text) => match text.strip_prefix("0x") {
            Some("") => Some(U256::ZERO),
            Some(digits) if digits.len() <= WORD_DIGITS && is_hex(digits) => {
                U256::from_str_radix(digits, 16).ok()
            }
            None if (1..=DECIMAL_DIGITS_MAX).contains(&text.len()) => {
                let is_decimal = text.bytes().all(|digit| digit.is_ascii_digit());
                is_decimal.then(|| U256::from_str_radix(text, 10).ok()).flatten()
            }
            _ => None,
        },
        _ => None,
    };
    let Some(number) = number else {
        let cure = "write a number, decimal or 0x text";
        return Err(Refusal::new("", format!("is {}", brief(value)), cure));
    };
    if number > most {
        return Err(Refusal::new("", format!("is {number}, the range is 0 to {most}"), ""));
    }
    Ok(())
}

/// Bytes in hexadecimal, with or without `0x`.
fn check_hex(value: &Value, digits_max: usize) -> Result<(), Refusal> {
    let digits = match value {
        Value::Null => return Ok(()),
        Value::String(text) => Some(text.strip_prefix("0x").unwrap_or(text)),
        _ => None,
    };
    let Some(digits) = digits.filter(|digits| digits.len().is_multiple_of(2) && is_hex(digits)) else {
        let cure = "write 0x and an even number of hex digits";
        return Err(Refusal::new("", format!("is {}", brief(value)), cure));
    };
    if digits.len() > digits_max {
        return Err(Refusal::new("", format!("has {} bytes", digits.len() / 2), "a slot has 32"));
    }
    Ok(())
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn hex_bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0; N];
    (is_hex(digits) && alloy_primitives::hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "0x9ca0e998df92c5351cecbbb6dba82ac2266f7e0c";

    fn refused(account: &str, is_ours: bool) -> Option<String> {
        let alloc = format!(r#"{{"{KNOWN}": {account}}}"#);
        let refusal = check_accounts(&alloc, is_ours, &[]).err()?;
        Some(refusal.place.strip_prefix(&format!("alloc.{KNOWN}")).expect("the account is named").into())
    }

    #[test]
    fn accounts_are_counted_and_those_asked_for_come_as_they_stand() {
        let alloc = r#"{ "9CA0e998df92c5351cecbbb6dba82ac2266f7e0c": {"balance" : "0x", "storage": {"0x03": "07", "": null}},
            "0x0000000000000000000000000000000000000001": {"nonce": 3, "code": "0x60", "balance": "1000"},
            "0x0000000000000000000000000000000000000002": {"balance": null, "nonce": "0xffffffffffffffff"}}"#;
        let wanted: [Address; 2] = [KNOWN.parse().expect("an address"), Address::with_last_byte(9)];
        let accounts = check_accounts(alloc, true, &wanted).expect("all are usable");
        let account = r#"{"balance" : "0x", "storage": {"0x03": "07", "": null}}"#;
        assert_eq!(accounts, Accounts { count: 3, wanted: vec![(wanted[0], account.into())] });
        assert_eq!(check_accounts("{}", true, &wanted), Ok(Accounts::default()));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_place() {
        for (account, place) in [
            ("1", ""),
            (r#"{"balance": "1 ether"}"#, ".balance"),
            (r#"{"balance": " 1"}"#, ".balance"),
            (r#"{"balance": "0X1"}"#, ".balance"),
            (r#"{"balance": ""}"#, ".balance"),
            (r#"{"balance": -1}"#, ".balance"),
            (r#"{"balance": 1.5}"#, ".balance"),
            (r#"{"balance": true}"#, ".balance"),
            (r#"{"balance": 1, "balance": 1}"#, ".balance"),
            (r#"{"nonce": "18446744073709551616"}"#, ".nonce"),
            (r#"{"code": "0x0"}"#, ".code"),
            (r#"{"code": 5}"#, ".code"),
            (r#"{"storage": []}"#, ".storage"),
            (r#"{"storage": {"0x1": "0x01"}}"#, ".storage.0x1"),
            (r#"{"storage": {"0x01": 1}}"#, ".storage.0x01"),
        ] {
            assert_eq!(refused(account, false).as_deref(), Some(place), "{account}");
        }
        let long = format!(r#"{{"balance": "0x1{}"}}"#, "0".repeat(64));
        assert_eq!(refused(&long, false).as_deref(), Some(".balance"));
        let long = format!(r#"{{"storage": {{"0x01": "0x{}"}}}}"#, "00".repeat(33));
        assert_eq!(refused(&long, false).as_deref(), Some(".storage.0x01"));
    }

    #[test]
    fn a_member_that_nobody_reads_is_refused_on_our_chains_only() {
        let account = r#"{"balance": 1, "secretKey": {"deep": [1.5]}}"#;
        assert_eq!(refused(account, true).as_deref(), Some(".secretKey"));
        assert_eq!(refused(account, false), None);
    }

    #[test]
    fn an_address_in_no_usual_form_or_in_two_spellings_is_refused() {
        for name in ["0x00", "", "0x9ca0e998df92c5351cecbbb6dba82ac2266f7e0g"] {
            assert!(check_accounts(&format!(r#"{{"{name}": {{}}}}"#), false, &[]).is_err(), "{name}");
        }
        let twice = format!(r#"{{"{KNOWN}": {{}}, "{}": {{}}}}"#, KNOWN[2..].to_uppercase());
        assert_eq!(check_accounts(&twice, false, &[]).expect_err("twice").place, format!("alloc.{KNOWN}"));
    }
}

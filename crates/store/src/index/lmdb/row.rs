//! How a value is stored: the value, then four bytes of CRC-32C (little-endian) over table number, key and value.
//!
//! LMDB has no checksums of its own. With this one a flipped bit in a key or value, or a page that ended up in the
//! wrong table, is found where it is read instead of becoming an answer.

use crate::index::Table;

const CHECKSUM_BYTES: usize = 4;

/// Writes the stored form of `value` into `sealed`, replacing what was there.
pub(super) fn seal(table: Table, key: &[u8], value: &[u8], sealed: &mut Vec<u8>) {
    sealed.clear();
    sealed.extend_from_slice(value);
    sealed.extend_from_slice(&checksum(table, key, value).to_le_bytes());
}

/// The value in a stored form, `None` if the checksum does not fit.
pub(super) fn open<'a>(table: Table, key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (value, stored) = sealed.split_last_chunk::<CHECKSUM_BYTES>()?;
    (checksum(table, key, value) == u32::from_le_bytes(*stored)).then_some(value)
}

fn checksum(table: Table, key: &[u8], value: &[u8]) -> u32 {
    let of_table = crc32c::crc32c(&[table as u8]);
    crc32c::crc32c_append(crc32c::crc32c_append(of_table, key), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_anywhere_or_another_place_fails_the_checksum() {
        let mut sealed = Vec::new();
        seal(Table::Code, b"key", b"value", &mut sealed);
        assert_eq!(Some(b"value".as_slice()), open(Table::Code, b"key", &sealed));
        assert_eq!(None, open(Table::Undo, b"key", &sealed));
        assert_eq!(None, open(Table::Code, b"kez", &sealed));
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(None, open(Table::Code, b"key", &flipped), "bit {bit}");
        }
        assert_eq!(None, open(Table::Code, b"key", b"abc"), "too short for a checksum");
    }
}

//! Sectors: the units in which a disk writes, each of which says for itself what it holds. Integers are little-endian.
//!
//! A sector has [`SECTOR_BYTES`], of which the first [`HEAD_BYTES`] are its head:
//! CRC (u32) ‖ magic (u16) ‖ part (u16) ‖ generation (u64) ‖ sequence (u32) ‖ durable (u32) ‖ writing (u32) ‖
//! follows (u32) ‖ length (u32). The rest is content, padded with zeros in the last sector of a record.
//!
//! A record takes as many sectors as its content needs, at least one; their heads differ in `part` alone. The CRC is
//! CRC-32C (Castagnoli, RFC 3720 appendix B.4) over the number of the sector in its file and all bytes behind the
//! CRC, and starts from the file's salt: sectors in the wrong place, or of a file removed long ago, do not check.
//! Heads stand at fixed places, so that no content, whoever made it, can pass for one.

pub use coc_disk::SECTOR_BYTES;

/// Bytes of a sector in front of its content.
pub const HEAD_BYTES: usize = 36;

/// Content of a record in one sector (bytes).
pub const CONTENT_BYTES: usize = SECTOR_BYTES - HEAD_BYTES;

const MAGIC: u16 = 0xc05e;
const EMPTY: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];

/// What a sector says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which sector of its record it is, from 0.
    pub part: u16,
    /// Which writing of the file from its beginning the record belongs to.
    pub generation: u64,
    /// The record's number in its generation, from 0.
    pub sequence: u32,
    /// Records of the generation below this number were durable when the record was written.
    pub durable: u32,
    /// Drawn anew by every call that writes: tells apart what was written to one place at different times.
    pub writing: u32,
    /// `writing` of the record before; 0 for the first.
    pub follows: u32,
    /// Bytes of the whole record.
    pub length: u32,
}

/// What the bytes of a sector are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sector {
    /// Never written.
    Empty,
    /// A sector of ours.
    Whole(Head),
    /// Neither: never left by a write that was interrupted between sectors.
    Broken,
}

impl Sector {
    /// Judges the bytes of the sector with this number in its file.
    pub fn judge(bytes: &[u8], number: u64, salt: u32) -> Self {
        if bytes == EMPTY {
            return Self::Empty;
        }
        match Head::decode(bytes, number, salt) {
            Some(head) => Self::Whole(head),
            None => Self::Broken,
        }
    }

    /// The head, where there is one.
    pub fn head(&self) -> Option<&Head> {
        match self {
            Self::Whole(head) => Some(head),
            Self::Empty | Self::Broken => None,
        }
    }
}

impl Head {
    /// How many sectors its record takes.
    pub fn sectors(&self) -> usize {
        sectors_of(self.length as usize)
    }

    fn decode(bytes: &[u8], number: u64, salt: u32) -> Option<Self> {
        let sound = bytes.len() == SECTOR_BYTES
            && u32_at(bytes, 0) == checksum(bytes, number, salt)
            && u16_at(bytes, 4) == MAGIC;
        sound.then(|| Self {
            part: u16_at(bytes, 6),
            generation: u64::from(u32_at(bytes, 8)) | u64::from(u32_at(bytes, 12)) << 32,
            sequence: u32_at(bytes, 16),
            durable: u32_at(bytes, 20),
            writing: u32_at(bytes, 24),
            follows: u32_at(bytes, 28),
            length: u32_at(bytes, 32),
        })
    }

    fn encode(&self, sector: &mut [u8]) {
        sector[4..6].copy_from_slice(&MAGIC.to_le_bytes());
        sector[6..8].copy_from_slice(&self.part.to_le_bytes());
        sector[8..16].copy_from_slice(&self.generation.to_le_bytes());
        for (at, value) in [
            (16, self.sequence),
            (20, self.durable),
            (24, self.writing),
            (28, self.follows),
            (32, self.length),
        ] {
            sector[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// How many sectors a record of this length takes.
pub fn sectors_of(length: usize) -> usize {
    length.div_ceil(CONTENT_BYTES).max(1)
}

/// Adds the sectors of a record to `into`; `head` is that of its first sector, `number` that sector's in the file.
pub fn pack(head: Head, content: &[u8], number: u64, salt: u32, into: &mut Vec<u8>) {
    for part in 0..sectors_of(content.len()) {
        let start = into.len();
        into.resize(start + SECTOR_BYTES, 0);
        let sector = &mut into[start..];
        Head { part: part as u16, ..head }.encode(sector);
        let from = part * CONTENT_BYTES;
        let piece = &content[from..content.len().min(from + CONTENT_BYTES)];
        sector[HEAD_BYTES..HEAD_BYTES + piece.len()].copy_from_slice(piece);
        let sum = checksum(sector, number + part as u64, salt);
        sector[..4].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The content of a record from the bytes of its sectors.
pub fn unpack(sectors: &[u8], length: usize) -> Vec<u8> {
    let mut content: Vec<u8> = Vec::with_capacity(sectors.len());
    for sector in sectors.chunks_exact(SECTOR_BYTES) {
        content.extend_from_slice(&sector[HEAD_BYTES..]);
    }
    content.truncate(length);
    content
}

fn checksum(sector: &[u8], number: u64, salt: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &number.to_le_bytes()), &sector[4..])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

//! The bytes of a segment: its header, and the header in front of every record. Integers are little-endian.
//!
//! Segment header, [`SEGMENT_HEADER_BYTES`]:
//! magic (8) ‖ format version (u32) ‖ zero (u32) ‖ base position (u64) ‖ genesis hash (32) ‖ salt (u32) ‖ CRC (u32).
//!
//! Record header, [`RECORD_HEADER_BYTES`], followed by the payload:
//! magic (4) ‖ payload length (u32) ‖ position (u64) ‖ durable (u64) ‖ payload CRC (u32) ‖ header CRC (u32).
//!
//! `durable` says that everything before that position was durable when the record was written. The
//! position in the header finds records written to the wrong place. CRCs are CRC-32C (Castagnoli,
//! RFC 3720 appendix B.4) and start from the segment's salt, which is random and never leaves the disk: a
//! payload that a stranger made to look like a record does not check.

use std::fmt;

use coc_disk::planted::is_planted;

/// Largest payload of a record (bytes, 256 MiB). A block of 10⁹ gas can carry at most 100 MB of calldata
/// (10 gas a zero byte, EIP-7623) or 125 MB of log data (8 gas a byte), not both.
pub const RECORD_BYTES_MAX: usize = 256 << 20;

/// Bytes before the first record of a segment.
pub const SEGMENT_HEADER_BYTES: u64 = 64;

/// Bytes before the payload of a record.
pub const RECORD_HEADER_BYTES: usize = 32;

/// The version this code writes and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// First bytes of every segment.
pub const SEGMENT_MAGIC: [u8; 8] = *b"COCBLOCK";

/// First bytes of every record.
pub const RECORD_MAGIC: [u8; 4] = *b"\xc0Rec";

/// Names a record: the record bytes before it in the whole log. Rises with every append; stable until
/// the record is cut back or its segment dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Position of its first record.
    pub base: u64,
    /// Hash of the chain's block 0.
    pub genesis_hash: [u8; 32],
    /// Where its checksums start.
    pub salt: u32,
}

/// Why bytes are no segment header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentHeaderError {
    /// Written by a newer release.
    Newer {
        /// Its format version.
        version: u32,
    },
    /// Not a segment of ours, or damaged.
    Damaged(&'static str),
}

impl SegmentHeader {
    /// The header as it stands in the file.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES as usize] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.base.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.genesis_hash);
        bytes[56..60].copy_from_slice(&self.salt.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`SegmentHeaderError`]; the version is judged before the checksum, whose place may change with it.
    pub fn decode(bytes: &[u8; SEGMENT_HEADER_BYTES as usize]) -> Result<Self, SegmentHeaderError> {
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(SegmentHeaderError::Damaged("it does not begin as a log segment does"));
        }
        let version = u32_at(bytes, 8);
        if version > FORMAT_VERSION {
            return Err(SegmentHeaderError::Newer { version });
        }
        if u32_at(bytes, 60) != crc32c::crc32c(&bytes[..60]) || version == 0 {
            return Err(SegmentHeaderError::Damaged("the checksum of its header does not match"));
        }
        let mut genesis_hash = [0; 32];
        genesis_hash.copy_from_slice(&bytes[24..56]);
        Ok(Self { base: u64_at(bytes, 16), genesis_hash, salt: u32_at(bytes, 56) })
    }
}

/// What the header of a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// Bytes of payload.
    pub length: u32,
    /// The record's own position.
    pub position: u64,
    /// Everything before this was durable when the record was written.
    pub durable: u64,
    /// Salted CRC of the payload.
    pub payload_checksum: u32,
}

impl RecordHeader {
    /// The header for `payload`, whose length is at most [`RECORD_BYTES_MAX`].
    pub fn of(payload: &[u8], position: u64, durable: u64, salt: u32) -> Self {
        let payload_checksum = crc32c::crc32c_append(salt, payload);
        Self { length: payload.len() as u32, position, durable, payload_checksum }
    }

    /// The header as it stands in the file.
    pub fn encode(&self, salt: u32) -> [u8; RECORD_HEADER_BYTES] {
        let mut bytes = [0; RECORD_HEADER_BYTES];
        bytes[..4].copy_from_slice(&RECORD_MAGIC);
        bytes[4..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.position.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.durable.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.payload_checksum.to_le_bytes());
        let checksum = crc32c::crc32c_append(salt, &bytes[..28]);
        bytes[28..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header of the record at `position`; `None` if these bytes are none.
    pub fn decode(bytes: &[u8; RECORD_HEADER_BYTES], position: u64, salt: u32) -> Option<Self> {
        let header = Self {
            length: u32_at(bytes, 4),
            position: u64_at(bytes, 8),
            durable: u64_at(bytes, 16),
            payload_checksum: u32_at(bytes, 24),
        };
        let fits = bytes[..4] == RECORD_MAGIC
            && header.position == position
            && header.length as usize <= RECORD_BYTES_MAX
            && u32_at(bytes, 28) == crc32c::crc32c_append(salt, &bytes[..28]);
        fits.then_some(header)
    }

    /// Whether `payload` is what was written.
    pub fn verifies(&self, payload: &[u8], salt: u32) -> bool {
        is_planted("accept-torn") || crc32c::crc32c_append(salt, payload) == self.payload_checksum
    }

    /// Bytes of header and payload.
    pub fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + u64::from(self.length)
    }

    /// Position of the record that follows.
    pub fn next(&self) -> u64 {
        self.position + self.record_bytes()
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

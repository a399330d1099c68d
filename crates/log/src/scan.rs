//! Walks the records of one segment and judges what it finds where they end.

use coc_disk::{DiskError, DiskFile};

use crate::format::{RECORD_HEADER_BYTES, RECORD_MAGIC, RecordHeader, SEGMENT_HEADER_BYTES};
use crate::segments::Segment;

/// Bytes read at a time (1 MiB): few calls for small records, little memory.
const READ_AHEAD_BYTES: usize = 1 << 20;

/// What a walk over a segment found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Position after the last whole record.
    pub end: u64,
    /// Position of the last whole record.
    pub last: Option<u64>,
    /// Number of whole records.
    pub records: u64,
    /// The greatest position that a record of this segment declares to be durable.
    pub durable: u64,
    /// Why the walk stopped before the end of the file.
    pub damage: Option<&'static str>,
}

/// Walks a segment from its first record as far as records are whole.
pub(crate) fn scan(file: &dyn DiskFile, segment: Segment) -> Result<Scan, DiskError> {
    let mut window = Window::over(file)?;
    let mut found = Scan { end: segment.base, last: None, records: 0, durable: segment.base, damage: None };
    loop {
        let offset = segment.offset_of(found.end);
        if offset == window.file_bytes {
            return Ok(found);
        }
        match whole_record(&mut window, segment, found.end)? {
            Ok(header) => {
                found.last = Some(found.end);
                found.records += 1;
                found.durable = found.durable.max(header.durable);
                found.end = header.next();
            }
            Err(damage) => {
                found.damage = Some(damage);
                return Ok(found);
            }
        }
    }
}

/// Looks behind a bad record for proof that it was once durable; returns the file offset of that proof.
///
/// Without proof the bad record is the first of a tail that was never synced, in which a crash may leave
/// any sectors: torn, missing, out of order.
pub(crate) fn proof_of_durability(
    file: &dyn DiskFile,
    segment: Segment,
    bad: u64,
) -> Result<Option<u64>, DiskError> {
    let mut window = Window::over(file)?;
    let mut offset = segment.offset_of(bad) + 1;
    while let Some(bytes) = window.at(offset, RECORD_HEADER_BYTES)? {
        if bytes.starts_with(&RECORD_MAGIC)
            && let Some(header) = decode(bytes, segment, segment.position_at(offset))
            && header.durable > bad
        {
            return Ok(Some(offset));
        }
        offset += 1;
    }
    Ok(None)
}

fn whole_record(
    window: &mut Window<'_>,
    segment: Segment,
    position: u64,
) -> Result<Result<RecordHeader, &'static str>, DiskError> {
    let offset = segment.offset_of(position);
    let Some(bytes) = window.at(offset, RECORD_HEADER_BYTES)? else {
        return Ok(Err("the file ends inside a record header"));
    };
    let Some(header) = decode(bytes, segment, position) else {
        return Ok(Err("a record header does not check"));
    };
    let Some(payload) = window.at(offset + RECORD_HEADER_BYTES as u64, header.length as usize)? else {
        return Ok(Err("the file ends inside a record"));
    };
    if !header.verifies(payload, segment.salt) {
        return Ok(Err("the content of a record does not match its checksum"));
    }
    Ok(Ok(header))
}

fn decode(bytes: &[u8], segment: Segment, position: u64) -> Option<RecordHeader> {
    RecordHeader::decode(bytes.first_chunk()?, position, segment.salt)
}

/// A file seen through a buffer that moves forward.
struct Window<'a> {
    file: &'a dyn DiskFile,
    file_bytes: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Window<'a> {
    fn over(file: &'a dyn DiskFile) -> Result<Self, DiskError> {
        Ok(Self { file, file_bytes: file.len()?.max(SEGMENT_HEADER_BYTES), start: 0, buffer: Vec::new() })
    }

    /// The bytes at an offset, or `None` if the file ends before them: a wrong length costs no memory.
    fn at(&mut self, offset: u64, count: usize) -> Result<Option<&[u8]>, DiskError> {
        let left = self.file_bytes.saturating_sub(offset);
        if left < count as u64 {
            return Ok(None);
        }
        if offset < self.start || offset + count as u64 > self.start + self.buffer.len() as u64 {
            let wanted = count.max(READ_AHEAD_BYTES) as u64;
            self.buffer.resize(wanted.min(left) as usize, 0);
            self.start = offset;
            self.file.read_exact_at(offset, &mut self.buffer)?;
        }
        let from = (offset - self.start) as usize;
        Ok(Some(&self.buffer[from..from + count]))
    }
}

//! Reads what a log file holds and judges where its records end; the argument stands at the top of this crate.

use coc_disk::planted::is_planted;
use coc_disk::{DiskError, DiskFile};

use crate::file::HEADER_BYTES;
use crate::sector::{Head, SECTOR_BYTES, Sector, unpack};

/// Bytes read at a time (1 MiB): few calls, little memory.
const READ_BYTES: usize = 1 << 20;

/// Number of the first sector behind the header.
pub(crate) const FIRST_SECTOR: u64 = HEADER_BYTES / SECTOR_BYTES as u64;

/// A whole record: its first sector and what that says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub sector: u64,
    pub head: Head,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The newest generation; 0 where there is none.
    pub generation: u64,
    /// Its whole records, in order.
    pub records: Vec<Record>,
    /// How many of them a later sector declares to be durable.
    pub proven: usize,
    /// Sectors of the newest generation that belong to none of them.
    pub cut_sectors: u64,
}

/// Why a file is refused: this sector should have been the first of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub sector: u64,
}

impl Found {
    /// Number of the sector where record `index` begins, or would.
    pub fn sector_of(&self, index: usize) -> u64 {
        match (self.records.get(index), self.records.last()) {
            (Some(record), _) => record.sector,
            (None, Some(last)) => last.sector + last.head.sectors() as u64,
            (None, None) => FIRST_SECTOR,
        }
    }
}

/// Judges every sector behind the header.
pub(crate) fn sectors(file: &dyn DiskFile, salt: u32) -> Result<Vec<Sector>, DiskError> {
    let count = file.len()?.saturating_sub(HEADER_BYTES) as usize / SECTOR_BYTES;
    let mut found = Vec::with_capacity(count);
    let mut buffer = Vec::new();
    while found.len() < count {
        let at = FIRST_SECTOR + found.len() as u64;
        buffer.resize(READ_BYTES.min((count - found.len()) * SECTOR_BYTES), 0);
        file.read_exact_at(at * SECTOR_BYTES as u64, &mut buffer)?;
        let judged = buffer.chunks_exact(SECTOR_BYTES).zip(at..);
        found.extend(judged.map(|(bytes, number)| Sector::judge(bytes, number, salt)));
    }
    Ok(found)
}

/// Finds the newest generation and its records; a hole where a record was durable is damage.
pub(crate) fn judge(sectors: &[Sector]) -> Result<Found, Hole> {
    let newest = if is_planted("wal-generation-taken-from-the-start") {
        sectors.first().and_then(Sector::head).map(|head| head.generation)
    } else {
        sectors.iter().filter_map(Sector::head).map(|head| head.generation).max()
    };
    let Some(generation) = newest else {
        return Ok(Found { generation: 0, records: Vec::new(), proven: 0, cut_sectors: 0 });
    };
    let mut records: Vec<Record> = Vec::new();
    let mut at = 0;
    while let Some(head) = whole_record(&sectors[at..], generation, &records) {
        records.push(Record { sector: FIRST_SECTOR + at as u64, head });
        at += head.sectors();
    }
    let of_newest = |sectors: &[Sector]| {
        let heads = sectors.iter().filter_map(Sector::head).filter(|head| head.generation == generation);
        heads
            .map(|head| head.durable as usize)
            .fold((0, 0), |(count, most), durable| (count + 1, durable.max(most)))
    };
    let (_, proven) = of_newest(sectors);
    if proven > records.len() {
        return Err(Hole { sector: FIRST_SECTOR + at as u64 });
    }
    let (cut_sectors, _) = of_newest(&sectors[at..]);
    Ok(Found { generation, records, proven, cut_sectors })
}

/// The record at the beginning of `sectors`, if all of it is there and it continues the records before it.
fn whole_record(sectors: &[Sector], generation: u64, before: &[Record]) -> Option<Head> {
    let head = *sectors.first()?.head()?;
    let follows = before.last().map_or(0, |record| record.head.writing);
    let is_next = (head.generation, head.sequence as usize, head.part) == (generation, before.len(), 0)
        && (head.follows == follows || is_planted("wal-predecessor-unchecked"));
    let own = sectors.get(..head.sectors())?;
    let is_own = |(part, sector): (usize, &Sector)| {
        is_planted("wal-torn-record-accepted") || sector.head() == Some(&Head { part: part as u16, ..head })
    };
    (is_next && own.iter().enumerate().all(is_own)).then_some(head)
}

/// Reads the content of a record.
pub(crate) fn content(file: &dyn DiskFile, record: &Record) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; record.head.sectors() * SECTOR_BYTES];
    file.read_exact_at(record.sector * SECTOR_BYTES as u64, &mut bytes)?;
    Ok(unpack(&bytes, record.head.length as usize))
}

/// Writes the bytes between two sectors again, to the same place: a sync alone would skip what the kernel takes for clean.
pub(crate) fn write_again(file: &dyn DiskFile, from: u64, to: u64) -> Result<(), DiskError> {
    let (mut offset, end) = (from * SECTOR_BYTES as u64, to * SECTOR_BYTES as u64);
    while offset < end {
        let mut bytes = vec![0; (READ_BYTES as u64).min(end - offset) as usize];
        file.read_exact_at(offset, &mut bytes)?;
        file.write_at(offset, &bytes)?;
        offset += bytes.len() as u64;
    }
    Ok(())
}

//! Opening a log: which segments there are, where the last one ends, what has to be cut.

use std::path::Path;
use std::sync::Arc;

use coc_disk::planted::is_planted;
use coc_disk::{Disk, DiskFile, OpenMode};

use crate::error::LogError;
use crate::format::{Position, SEGMENT_HEADER_BYTES, SegmentHeader, SegmentHeaderError};
use crate::log::{BlockLog, Opened, Parts, Writer};
use crate::options::LogOptions;
use crate::reserve::Reserve;
use crate::scan::{Scan, proof_of_durability, scan};
use crate::segments::{Segment, Segments, create_segment, segment_bases, segment_path, unfinished};

/// Bytes written again at a time (1 MiB) where an earlier process never synced them.
const REWRITE_BYTES: u64 = 1 << 20;

pub(crate) fn open(
    disk: Arc<dyn Disk>,
    dir: &Path,
    options: LogOptions,
) -> Result<(BlockLog, Opened), LogError> {
    disk.create_dir(dir)?;
    let names = disk.list(dir)?;
    for name in unfinished(&names) {
        disk.remove(&dir.join(name))?;
    }
    // A segment removed by an earlier process whose sync failed must not come back after this.
    disk.sync_dir(dir)?;
    let mut segments = closed_segments(&*disk, dir, &options, &segment_bases(&names))?;
    let created = segments.is_empty();
    if created {
        segments.push(first_segment(&*disk, dir, &options)?);
    }
    let last_segment = segments[segments.len() - 1];
    let file = disk.open(&segment_path(dir, last_segment.base), OpenMode::Existing)?;
    let found = scan(&*file, last_segment)?;
    let cut_bytes = cut_torn_tail(&*file, last_segment, &found, &options)?;
    settle(&*file, last_segment, &found)?;
    let last = match found.last {
        Some(last) => Some(last),
        None => last_of_closed(&*disk, dir, &segments)?,
    };
    // After the log is in order: what a full disk has left is for the log, not for the reserve.
    let reserve = Reserve::open(&*disk, dir, options.reserve_bytes)?;
    let opened = Opened {
        first: Position(segments[0].base),
        last: last.map(Position),
        next: Position(found.end),
        cut_bytes,
        created,
        reserve_held: reserve.held,
    };
    let (dir, segments) = (dir.to_path_buf(), Segments::new(segments));
    let writer = Writer::new(last_segment, file);
    let log = BlockLog::assemble(Parts { disk, dir, options, segments, writer, end: found.end, reserve });
    Ok((log, opened))
}

/// Reads every header; checks that each segment ends where the next begins.
fn closed_segments(
    disk: &dyn Disk,
    dir: &Path,
    options: &LogOptions,
    bases: &[u64],
) -> Result<Vec<Segment>, LogError> {
    let mut segments: Vec<Segment> = Vec::with_capacity(bases.len());
    for (index, base) in bases.iter().enumerate() {
        let path = segment_path(dir, *base);
        let file = disk.open(&path, OpenMode::Read)?;
        let segment = read_segment(&*file, *base, options.genesis_hash)?;
        if let Some(next) = bases.get(index + 1) {
            let (length, expected) = (file.len()?, segment.offset_of(*next));
            if length != expected {
                let what = format!(
                    "the segment has {length} bytes and should have {expected}, or the one after it is missing,"
                );
                return Err(LogError::corrupt(&path, length.min(expected), what));
            }
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Reads and judges the header of one segment.
pub(crate) fn read_segment(
    file: &dyn DiskFile,
    base: u64,
    genesis_hash: [u8; 32],
) -> Result<Segment, LogError> {
    let path = file.path();
    let mut bytes = [0; SEGMENT_HEADER_BYTES as usize];
    if file.read_at(0, &mut bytes)? < bytes.len() {
        return Err(LogError::corrupt(path, 0, "the file is shorter than a segment header"));
    }
    let header = SegmentHeader::decode(&bytes).map_err(|error| match error {
        SegmentHeaderError::Newer { version } => {
            LogError::NewerFormat { file: path.to_path_buf(), found: version }
        }
        SegmentHeaderError::Damaged(what) => LogError::corrupt(path, 0, what),
    })?;
    if header.genesis_hash != genesis_hash {
        let (file, found) = (path.to_path_buf(), header.genesis_hash);
        return Err(LogError::WrongGenesis { file, expected: genesis_hash, found });
    }
    if header.base != base {
        return Err(LogError::corrupt(
            path,
            16,
            format!("the name says position {base}, the header {}", header.base),
        ));
    }
    Ok(Segment { base, salt: header.salt })
}

fn first_segment(disk: &dyn Disk, dir: &Path, options: &LogOptions) -> Result<Segment, LogError> {
    let header = SegmentHeader { base: 0, genesis_hash: options.genesis_hash, salt: options.salt };
    create_segment(disk, dir, &header)?;
    Ok(Segment { base: 0, salt: options.salt })
}

/// Cuts what is no whole record off the last segment, if none of it was ever durable.
fn cut_torn_tail(
    file: &dyn DiskFile,
    segment: Segment,
    found: &Scan,
    options: &LogOptions,
) -> Result<u64, LogError> {
    let offset = segment.offset_of(found.end);
    if options.known_durable.0 > found.end {
        let reason = found.damage.unwrap_or("the log ends");
        let what = format!("records up to position {} were durable, but {reason}", options.known_durable);
        return Err(LogError::corrupt(file.path(), offset, what));
    }
    let Some(damage) = found.damage else { return Ok(0) };
    if proof_of_durability(file, segment, found.end)?.is_some() {
        return Err(LogError::corrupt(file.path(), offset, damage));
    }
    let cut_bytes = file.len()? - offset;
    file.set_len(offset)?;
    Ok(cut_bytes)
}

/// Makes the end of the log durable. Bytes that no record declares durable are written again first, and
/// the length is set again: if a sync of an earlier process failed, the kernel may take both for clean,
/// and a sync alone would skip them.
fn settle(file: &dyn DiskFile, segment: Segment, found: &Scan) -> Result<(), LogError> {
    if is_planted("trust-unsynced-tail") {
        return Ok(());
    }
    let (mut offset, end) = (segment.offset_of(found.durable), segment.offset_of(found.end));
    while offset < end {
        let mut bytes = vec![0; REWRITE_BYTES.min(end - offset) as usize];
        file.read_exact_at(offset, &mut bytes)?;
        file.write_at(offset, &bytes)?;
        offset += bytes.len() as u64;
    }
    // Setting the length a file has is nothing to a kernel, so it is changed and changed back.
    match file.set_len(end + 1) {
        Err(error) if error.kind.is_out_of_space() => {}
        changed => changed?,
    }
    file.set_len(end)?;
    Ok(file.sync()?)
}

/// The last record before an empty last segment.
fn last_of_closed(disk: &dyn Disk, dir: &Path, segments: &[Segment]) -> Result<Option<u64>, LogError> {
    let [.., segment, _] = *segments else { return Ok(None) };
    let path = segment_path(dir, segment.base);
    let found = scan(&*disk.open(&path, OpenMode::Read)?, segment)?;
    match found.damage {
        Some(damage) => Err(LogError::corrupt(&path, segment.offset_of(found.end), damage)),
        None => Ok(found.last),
    }
}

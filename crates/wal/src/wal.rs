//! The write-ahead log itself: one writer, which appends and syncs.

use std::path::Path;
use std::sync::Arc;

use coc_disk::planted::is_planted;
use coc_disk::{Dice, Disk, DiskFile};

use crate::error::WalError;
use crate::file::{HEADER_BYTES, Header, Prepared, prepare};
use crate::options::WalOptions;
use crate::scan::{FIRST_SECTOR, Found, content, judge, sectors, write_again};
use crate::sector::{CONTENT_BYTES, Head, SECTOR_BYTES, pack, sectors_of};

/// Name of the log in its folder.
pub const WAL_FILE_NAME: &str = "wal";

/// Largest record (bytes, 16 MiB): the bytes of a block of 8 MiB with all that stands beside it, twice over.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// Most that the records of one height may take on disk (bytes, 1 GiB): a hundred rounds with a full block of
/// their own each. Opening reads the file once, which takes five seconds then and a tenth of one ordinarily.
pub const WAL_BYTES_MAX: u64 = 1 << 30;

/// Space added at a time when a height needs more than the reserve (bytes, 64 KiB): few changes of the file's length.
pub const GROWTH_BYTES: u64 = 64 << 10;

/// Memory kept for records that are not synced yet (bytes, 4 MiB): one huge block does not hold memory for ever.
const BUFFER_KEPT_BYTES: usize = 4 << 20;

const MAGIC: [u8; 8] = *b"COCWAL\r\n";

// The parts of the largest record have numbers that a sector's head can hold.
const _: () = assert!(RECORD_BYTES_MAX.div_ceil(CONTENT_BYTES) <= u16::MAX as usize);

/// An open log, at the end of the records of one height.
#[derive(Debug)]
pub struct Wal {
    file: Arc<dyn DiskFile>,
    salt: u32,
    dice: Dice,
    generation: u64,
    end: End,
    /// The end of what is known to be durable.
    durable: End,
    /// The bytes between the two, for the case that a sync fails.
    unsynced: Vec<u8>,
    /// Whether a sync has failed and none has succeeded since.
    unsettled: bool,
}

/// The end of a row of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    /// Where the next one begins.
    sector: u64,
    /// Its number.
    sequence: u32,
    /// `writing` of the last one.
    writing: u32,
}

const START: End = End { sector: FIRST_SECTOR, sequence: 0, writing: 0 };

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Whether there was no log and one has been made.
    pub created: bool,
    /// The records of the newest height that left any, in order; all are durable.
    pub records: Vec<Vec<u8>>,
    /// Bytes of the same height that belong to no whole record: torn or superseded, and never acknowledged. 0 where no
    /// machine has failed during that height; told again until something takes their place.
    pub cut_bytes: u64,
    /// Whether the space asked for is reserved; false if the disk is too full to enlarge an existing file.
    pub reserve_held: bool,
}

impl Wal {
    /// Opens the log in a folder, or makes it. The folder is made where it is missing.
    ///
    /// # Errors
    /// [`WalError::WalDamaged`], [`WalError::WrongGenesis`], [`WalError::NewerFormat`] with the cure;
    /// [`WalError::NoSpace`] only when the log is to be made; what the disk refuses.
    pub fn open(
        disk: &dyn Disk,
        dir: &Path,
        genesis_hash: [u8; 32],
        options: WalOptions,
    ) -> Result<(Self, Opened), WalError> {
        let mut dice = Dice::new(options.seed);
        let fresh = Header { magic: MAGIC, salt: dice.roll() as u32, genesis_hash };
        let reserve_bytes = options.reserve_bytes.min(WAL_BYTES_MAX);
        let prepared = prepare(disk, dir, WAL_FILE_NAME, &fresh, reserve_bytes, WalError::wal_damaged)?;
        let Prepared { file, header, created, reserve_held } = prepared;
        let found = judge(&sectors(&*file, header.salt)?).map_err(|hole| {
            let what = "a record that was durable cannot be read";
            WalError::wal_damaged(file.path(), hole.sector * SECTOR_BYTES as u64, what)
        })?;
        let records = found.records.iter().map(|record| content(&*file, record)).collect::<Result<_, _>>()?;
        settle_found(&*file, &found)?;
        let end = End {
            sector: found.sector_of(found.records.len()),
            sequence: found.records.len() as u32,
            writing: found.records.last().map_or(0, |record| record.head.writing),
        };
        let wal = Self {
            file,
            salt: header.salt,
            dice,
            generation: found.generation.max(1),
            end,
            durable: end,
            unsynced: Vec::new(),
            unsettled: false,
        };
        let cut_bytes = found.cut_sectors * SECTOR_BYTES as u64;
        Ok((wal, Opened { created, records, cut_bytes, reserve_held }))
    }

    /// Adds records in order. They are durable after the next [`sync`](Self::sync) or
    /// [`append_durable`](Self::append_durable).
    ///
    /// # Errors
    /// None of them is added then. [`WalError::NoSpace`], [`WalError::RecordTooLarge`] over [`RECORD_BYTES_MAX`],
    /// [`WalError::HeightTooLong`] over [`WAL_BYTES_MAX`]; [`WalError::NotDurable`] while what was added before a
    /// failed sync still cannot be made durable.
    pub fn append(&mut self, records: &[&[u8]]) -> Result<(), WalError> {
        self.settle()?;
        self.write(records)
    }

    /// Adds records in order and makes them durable, and all before them.
    ///
    /// # Errors
    /// As [`append`](Self::append): none of these records is added, and the call may be repeated (BFT-25). A power
    /// loss may leave some of them nevertheless.
    pub fn append_durable(&mut self, records: &[&[u8]]) -> Result<(), WalError> {
        self.settle()?;
        let (end, kept) = (self.end, self.unsynced.len());
        self.write(records)?;
        self.make_durable().inspect_err(|_| {
            self.end = end;
            self.unsynced.truncate(kept);
        })
    }

    /// Makes every record added so far durable.
    ///
    /// # Errors
    /// [`WalError::NotDurable`]; the records stay added, and the call may be repeated.
    pub fn sync(&mut self) -> Result<(), WalError> {
        self.settle()?;
        if self.unsynced.is_empty() { Ok(()) } else { self.make_durable() }
    }

    /// Begins the next height, when the last one is decided and durable elsewhere: its records have served. Nothing is
    /// written until the next record is added.
    pub fn begin_height(&mut self) {
        self.generation += 1;
        (self.end, self.durable) = (START, START);
        self.unsynced.clear();
        // What a failed sync has left uncertain belongs to the height that is over.
        self.unsettled = false;
    }

    fn write(&mut self, records: &[&[u8]]) -> Result<(), WalError> {
        if let Some(record) = records.iter().find(|record| record.len() > RECORD_BYTES_MAX) {
            return Err(WalError::RecordTooLarge { bytes: record.len(), bytes_max: RECORD_BYTES_MAX });
        }
        let sectors: u64 = records.iter().map(|record| sectors_of(record.len()) as u64).sum();
        self.make_room((self.end.sector + sectors) * SECTOR_BYTES as u64)?;
        let kept = self.unsynced.len();
        let end = self.pack(records);
        let offset = self.end.sector * SECTOR_BYTES as u64;
        match self.file.write_at(offset, &self.unsynced[kept..]) {
            Ok(()) => self.end = end,
            Err(error) => {
                self.unsynced.truncate(kept);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Sees to it that the file reaches to `end` before anything is written there.
    fn make_room(&self, end: u64) -> Result<(), WalError> {
        if end > HEADER_BYTES + WAL_BYTES_MAX {
            return Err(WalError::HeightTooLong);
        }
        if end > self.file.len()? {
            self.file.preallocate(end.next_multiple_of(GROWTH_BYTES))?;
        }
        Ok(())
    }

    /// Puts the sectors of records behind what is not synced; returns where they will end.
    fn pack(&mut self, records: &[&[u8]]) -> End {
        let mut end = self.end;
        let writing = self.dice.roll() as u32;
        for record in records {
            let head = Head {
                part: 0,
                generation: self.generation,
                sequence: end.sequence,
                durable: self.durable.sequence,
                writing,
                follows: end.writing,
                length: record.len() as u32,
            };
            pack(head, record, end.sector, self.salt, &mut self.unsynced);
            let sector = end.sector + sectors_of(record.len()) as u64;
            end = End { sector, sequence: end.sequence + 1, writing };
        }
        end
    }

    /// Repairs what a failed sync has left uncertain, before anything else is accepted.
    fn settle(&mut self) -> Result<(), WalError> {
        if !self.unsettled {
            return Ok(());
        }
        if !is_planted("wal-not-written-again") {
            self.file.write_at(self.durable.sector * SECTOR_BYTES as u64, &self.unsynced)?;
        }
        self.make_durable()
    }

    fn make_durable(&mut self) -> Result<(), WalError> {
        let synced = if is_planted("wal-without-fsync") { Ok(()) } else { self.file.sync() };
        self.unsettled = synced.is_err();
        synced?;
        self.durable = self.end;
        self.unsynced.clear();
        self.unsynced.shrink_to(BUFFER_KEPT_BYTES);
        Ok(())
    }
}

/// Makes what opening reports durable: what no later record proves may never have been.
fn settle_found(file: &dyn DiskFile, found: &Found) -> Result<(), WalError> {
    if is_planted("wal-unsynced-tail-trusted") || found.proven == found.records.len() {
        return Ok(());
    }
    write_again(file, found.sector_of(found.proven), found.sector_of(found.records.len()))?;
    Ok(file.sync()?)
}

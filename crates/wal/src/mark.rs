//! A signer's high-water mark: a small file that is written before every signature.
//!
//! Two slots take turns: [`Mark::save`] writes the one that does not hold the mark, and syncs. One sync, no rename; whatever
//! happens on the way, the other slot still holds the mark before. A slot is a row of sectors ([`mod@crate::sector`])
//! whose generation counts the saves.
//!
//! A mark that silently went back would let the key sign twice, so opening is stricter here than for the log: a
//! sector that is neither empty nor whole is refused, since a write that was interrupted between sectors leaves none.

use std::path::Path;
use std::sync::Arc;

use coc_disk::planted::is_planted;
use coc_disk::{Dice, Disk, DiskFile};

use crate::error::WalError;
use crate::file::{HEADER_BYTES, Header, Prepared, prepare};
use crate::scan::FIRST_SECTOR;
use crate::sector::{CONTENT_BYTES, Head, SECTOR_BYTES, Sector, pack, unpack};

/// Largest mark (bytes): the last request and its signature take some 300.
pub const MARK_BYTES_MAX: usize = 1_024;

/// A page of its own, so that writing one slot never touches the other.
const SLOT_BYTES: u64 = 4_096;
const SLOTS: u64 = 2;
/// Sectors of a slot that a mark may take.
const SLOT_SECTORS: usize = MARK_BYTES_MAX.div_ceil(CONTENT_BYTES);
const MAGIC: [u8; 8] = *b"COCMARK\n";

/// An open mark.
#[derive(Debug)]
pub struct Mark {
    file: Arc<dyn DiskFile>,
    salt: u32,
    dice: Dice,
    /// How often a mark was saved.
    saves: u64,
    payload: Option<Vec<u8>>,
}

/// What one slot holds.
struct Slot {
    /// The mark in it, if it is whole, and which save that was.
    held: Option<(u64, Vec<u8>)>,
    /// The newest save that any sector of it belongs to; 0 where none was ever written.
    newest: u64,
}

impl Mark {
    /// Opens the mark of that name in a folder, or makes it. `seed` is where its numbers are drawn from; it must differ
    /// from one opening to the next.
    ///
    /// # Errors
    /// [`WalError::MarkDamaged`] and [`WalError::NewerFormat`] with the cure; what the disk refuses.
    pub fn open(
        disk: &dyn Disk,
        dir: &Path,
        name: &str,
        seed: u64,
    ) -> Result<(Self, Option<Vec<u8>>), WalError> {
        let mut dice = Dice::new(seed);
        let fresh = Header { magic: MAGIC, salt: dice.roll() as u32, genesis_hash: [0; 32] };
        let prepared = prepare(disk, dir, name, &fresh, SLOTS * SLOT_BYTES, WalError::mark_damaged)?;
        let Prepared { file, header: Header { salt, .. }, .. } = prepared;
        let slots = [read_slot(&*file, 0, salt)?, read_slot(&*file, 1, salt)?];
        let newest = slots.iter().filter_map(|slot| slot.held.clone()).max_by_key(|(saves, _)| *saves);
        let (saves, payload) = newest.map_or((0, None), |(saves, payload)| (saves, Some(payload)));
        // One slot holds the mark; the other holds the one before, or what has been written of the next.
        if slots.iter().any(|slot| slot.newest.abs_diff(saves) > 1) {
            let what = "its two slots do not follow each other";
            return Err(WalError::mark_damaged(file.path(), HEADER_BYTES, what));
        }
        let mark = Self { file, salt, dice, saves, payload };
        mark.settle()?;
        let found = mark.payload.clone();
        Ok((mark, found))
    }

    /// The mark that was found or saved last.
    pub fn payload(&self) -> Option<&[u8]> {
        self.payload.as_deref()
    }

    /// Replaces the mark. Durable on return.
    ///
    /// # Errors
    /// The mark is as it was, and the call may be repeated; a power loss may leave the new one nevertheless.
    /// [`WalError::RecordTooLarge`] over [`MARK_BYTES_MAX`]; [`WalError::NotDurable`]; what the disk refuses.
    pub fn save(&mut self, payload: &[u8]) -> Result<(), WalError> {
        if payload.len() > MARK_BYTES_MAX {
            return Err(WalError::RecordTooLarge { bytes: payload.len(), bytes_max: MARK_BYTES_MAX });
        }
        let saves = self.saves + 1;
        let head = Head {
            part: 0,
            generation: saves,
            sequence: 0,
            durable: 0,
            writing: self.dice.roll() as u32,
            follows: 0,
            length: payload.len() as u32,
        };
        let first = first_sector(saves % SLOTS);
        let mut bytes = Vec::new();
        pack(head, payload, first, self.salt, &mut bytes);
        // All of the slot, so that nothing of an earlier try is left behind a shorter mark.
        bytes.resize(SLOT_SECTORS * SECTOR_BYTES, 0);
        self.file.write_at(first * SECTOR_BYTES as u64, &bytes)?;
        self.sync()?;
        (self.saves, self.payload) = (saves, Some(payload.to_vec()));
        Ok(())
    }

    /// Makes what was found durable: it may have been written by a process whose sync failed.
    fn settle(&self) -> Result<(), WalError> {
        if self.payload.is_none() {
            return Ok(());
        }
        let offset = first_sector(self.saves % SLOTS) * SECTOR_BYTES as u64;
        let mut bytes = vec![0; SLOT_SECTORS * SECTOR_BYTES];
        self.file.read_exact_at(offset, &mut bytes)?;
        self.file.write_at(offset, &bytes)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), WalError> {
        if is_planted("mark-without-fsync") {
            return Ok(());
        }
        Ok(self.file.sync()?)
    }
}

fn first_sector(slot: u64) -> u64 {
    FIRST_SECTOR + slot * SLOT_BYTES / SECTOR_BYTES as u64
}

fn read_slot(file: &dyn DiskFile, slot: u64, salt: u32) -> Result<Slot, WalError> {
    let first = first_sector(slot);
    let mut bytes = vec![0; SLOT_SECTORS * SECTOR_BYTES];
    // A disk that reserves nothing has a shorter file until both slots are written.
    file.read_at(first * SECTOR_BYTES as u64, &mut bytes)?;
    let numbered = bytes.chunks_exact(SECTOR_BYTES).zip(first..);
    let sectors: Vec<Sector> = numbered.map(|(bytes, number)| Sector::judge(bytes, number, salt)).collect();
    if let Some(at) = sectors.iter().position(|sector| *sector == Sector::Broken) {
        let offset = (first + at as u64) * SECTOR_BYTES as u64;
        return Err(WalError::mark_damaged(file.path(), offset, "the checksum of a sector does not match"));
    }
    let newest = sectors.iter().filter_map(Sector::head).map(|head| head.generation).max().unwrap_or(0);
    let held = sectors[0].head().filter(|head| head.part == 0).and_then(|head| {
        let is_own =
            |(part, sector): (usize, &Sector)| sector.head() == Some(&Head { part: part as u16, ..*head });
        let is_whole = sectors.get(..head.sectors())?.iter().enumerate().all(is_own);
        is_whole.then(|| (head.generation, unpack(&bytes, head.length as usize)))
    });
    Ok(Slot { held, newest })
}

//! Seeded lives of a log and of a mark on a disk that loses power, fills up and fails to sync.

pub mod log;
pub mod mark;

use std::path::PathBuf;

use coc_disk::{Dice, FaultyDisk};

/// Names and contents of all files of a disk.
pub type Files = Vec<(PathBuf, Vec<u8>)>;

/// Plans the faults of one life. Whether writes may fail half-way, the device at fault, is told.
pub fn arm(disk: &FaultyDisk, dice: &mut Dice, changes: u64) -> bool {
    if dice.one_in(2) {
        disk.cut_power_after(dice.below(changes));
    }
    if dice.one_in(3) {
        disk.fail_syncs_one_in(2 + dice.below(12));
    }
    let fails = dice.one_in(24);
    if fails {
        disk.fail_writes_one_in(3 + dice.below(20));
    }
    fails
}

//! The one door through which this chain reads and writes files.
//!
//! Everything durable (block log, journals, marks, manifests) is written through the [`Disk`] and
//! [`DiskFile`] traits and never through `std::fs`, so that the same code runs on three disks:
//!
//! * [`RealDisk`]: the operating system's files;
//! * [`MemDisk`]: files in memory that never fail, for a chain without a data folder;
//! * [`FaultyDisk`]: files in memory that remember what was synced and what was not. Its
//!   [`crash`](FaultyDisk::crash) leaves what a real disk could hold after a power loss, drawn from a seed.
//!
//! A killed process keeps its page cache and so proves nothing about `fsync`; the faulty twin does.
//!
//! Rules every implementation keeps, and every caller may rely on:
//!
//! * a write is durable only after [`DiskFile::sync`] of its file returned `Ok`;
//! * a created, renamed or removed name is durable only after [`Disk::sync_dir`] of its folder returned `Ok`;
//! * after a failed sync nothing is known about any write since the last good one, and a later
//!   successful sync says nothing about them: only writing the bytes again does.

mod atomic;
mod dice;
mod error;
mod faulty;
mod memory;
pub mod planted;
mod port;
mod real;

pub use atomic::{AtomicFileError, CHECKED_PAYLOAD_BYTES_MAX, load_checked, replace_file, save_checked};
pub use dice::Dice;
pub use error::{DiskError, DiskErrorKind};
pub use faulty::{Counters, FaultyDisk, SECTOR_BYTES, SimulatedCosts};
pub use memory::MemDisk;
pub use port::{DirLock, Disk, DiskFile, LENT_ALIGNMENT_BYTES, LOCK_FILE_NAME, Lent, OpenMode};
pub use real::RealDisk;

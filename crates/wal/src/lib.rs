//! What a validator must not forget: the write-ahead log of the height it works on ([`Wal`]), and the
//! high-water mark of its signer ([`Mark`]). What goes into them, and in which order, is said by BFT-20 to BFT-25.
//!
//! # The log
//!
//! One file, `wal`, with space reserved when it is made. Every height is written from the beginning again: its
//! records are one *generation*, numbered upwards. A record takes whole sectors, and every sector says for itself
//! which record it belongs to and checks by itself ([`mod@sector`]), so that no sector is ever mistaken for another.
//! Records are appended, never changed, and no sector is shared by two of them: what is durable is not written again.
//!
//! # What a power loss can leave, and what opening makes of it
//!
//! Assumed is what every crate here assumes of a disk: a sector is written whole or not at all, a sync that
//! returned makes all earlier writes durable, and of everything else any part may be on the platter, in no order.
//! Let M be the highest generation that any whole sector of the file belongs to.
//!
//! 1. *No sector of an older generation matters.* M was begun because the height of M − 1 is decided and durable
//!    elsewhere. So its remains are ignored, wherever they lie.
//! 2. *If there is no sector of a later generation, what was durable of M is untouched.* Nothing but a later generation
//!    is ever written over it, and each sector of that would name its generation. This is why the generation
//!    stands in every sector and not only in front of a record: of a long record of generation M + 1, a power loss may
//!    leave just one sector from its middle, in the middle of a durable record of M. With the number there, M + 1
//!    is the newest generation and (1) applies; without it, the hole in M could not be told from damage.
//! 3. *Therefore every hole in M is one that M's own writes have left, or damage.* M's records are read from the
//!    beginning as long as they are whole and each follows the one before. Behind the first hole, any sector of M
//!    may say how many records were durable when it was written. If that covers the hole, the record there had been
//!    acknowledged: damage, refused with the cure. If nothing does, the hole and all behind it was never
//!    acknowledged: it is cut, and told.
//! 4. *If not even the first record of M is whole*, (3) holds with a hole at 0: without proof, nothing of M was ever
//!    durable. What is left is an empty log; that M − 1 may have been overwritten in part is (1). `cut_bytes` tells.
//! 5. *Nothing that was cut comes back.* Its sectors stay in the file, whole records among them, and what is written
//!    next may end exactly where they begin. Every call that writes draws a number, and every record names the number of
//!    the record before it: one of another history does not follow.
//!
//! Two things are told less well. A write that the device itself refuses half-way may leave a sector that is neither
//! the old nor the new one; where nothing else of the new height is on the platter, (3) then calls damage what was
//! decided anyway. And (3) cannot see damage to the very last records, when nothing behind them says that they were
//! durable: they are cut as a torn tail would be, and `cut_bytes` tells. The signer's mark keeps that from becoming a
//! second signature.
//!
//! # Failed syncs
//!
//! After a failed sync nothing is known about the writes since the last good one. The bytes are still in memory; nothing
//! is accepted until they have been written again, to the same places, and synced. A batch whose own sync failed is taken
//! back, so that calling [`Wal::append_durable`] again with it fails again or makes all durable. What opening reports
//! is durable: records that no later one proves are written again and synced first, since a sync that failed in an
//! earlier process may have dropped them from the cache.
//!
//! The folder is not locked here: whoever opens the data directory holds its lock.

mod error;
mod file;
mod mark;
mod options;
mod scan;
pub mod sector;
mod wal;

pub use error::WalError;
pub use file::HEADER_BYTES;
pub use mark::{MARK_BYTES_MAX, Mark};
pub use options::{RESERVE_BYTES_DEFAULT, WalOptions};
pub use wal::{GROWTH_BYTES, Opened, RECORD_BYTES_MAX, WAL_BYTES_MAX, WAL_FILE_NAME, Wal};

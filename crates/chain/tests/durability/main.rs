//! The chain keeps what it promised: through power losses, full disks, flipped bits, and folders that are not what they should be.

mod campaign;
mod crashes;
mod damage;
mod full_disk;
mod ledger;
mod opening;
mod pruning;
mod world;

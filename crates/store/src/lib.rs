//! What a node keeps besides its block log: trie nodes in append-only files, and a small ordered index.
//!
//! * [`nodes`]: `NodeFiles`, the generations of append-only files that flushed trie nodes live in. A node is found
//!   by its location and trusted by its hash; no index stands between a parent and its child.
//! * [`index`]: the [`Index`] trait (tables, atomic durable batches, snapshots) with [`MemIndex`] and [`LmdbIndex`].
//!   It holds what must be found by key: blocks, transactions, logs, code, and the marker.
//!
//! Both are derived from the block log and stand behind it. A flush appends the nodes, syncs the node files, and only
//! then writes one batch whose marker names the new root and the length up to which each node file is valid. A crash
//! between the two leaves bytes that no marker knows, and the next start cuts them off. Losing either part loses no
//! block: `coc db rebuild` makes both again from the log.

pub mod error;
pub mod index;
pub mod nodes;

pub use error::StoreError;
pub use index::{
    Batch, Index, IndexReport, IndexSnapshot, IndexStats, LmdbIndex, LmdbOptions, MemIndex, MemOptions, Row,
    Table, TableStats,
};
pub use nodes::{
    Apart, GenerationLength, NodeAppender, NodeFiles, NodeFilesOpened, NodeFilesOptions, first_loc,
    generation_of,
};

//! The closed list of tables. Each has one number, its place in [`Table::ALL`], and one name, which is how the store on disk knows it.
//!
//! To add one: append a variant, its name, and raise [`Table::COUNT`]. A table that is missing on disk is created at
//! the next open, so that adding needs no new format version; renaming or reusing one does.

/// A table of the index: rows sorted by key, apart from all other tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// Few rows of the chain's own: the marker, format facts.
    Meta = 0,
    /// Block hash to what finds its record in the log.
    Blocks = 1,
    /// Height to the canonical block of that height.
    Canonical = 2,
    /// Transaction hash (or its beginning) to its place in the chain.
    Transactions = 3,
    /// Log addresses and topics to the blocks that have them.
    LogIndex = 4,
    /// Code hash to contract code.
    Code = 5,
    /// Block hash to what undoes its changes to this index.
    Undo = 6,
}

impl Table {
    /// Number of tables.
    pub const COUNT: usize = 7;

    /// Every table, in the order of their numbers.
    pub const ALL: [Table; Table::COUNT] = [
        Table::Meta,
        Table::Blocks,
        Table::Canonical,
        Table::Transactions,
        Table::LogIndex,
        Table::Code,
        Table::Undo,
    ];

    /// The name under which the store on disk knows this table.
    pub fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Blocks => "blocks",
            Table::Canonical => "canonical",
            Table::Transactions => "transactions",
            Table::LogIndex => "log_index",
            Table::Code => "code",
            Table::Undo => "undo",
        }
    }

    /// The place of this table in [`Table::ALL`].
    pub(crate) fn slot(self) -> usize {
        usize::from(self as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_at_its_own_number_under_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Table::ALL.iter().map(|table| table.name()).collect();
        assert_eq!(names.len(), Table::COUNT);
        for (place, table) in Table::ALL.iter().enumerate() {
            assert_eq!(table.slot(), place);
        }
    }
}

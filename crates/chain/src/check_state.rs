//! Walking states node by node: everything a root reaches must be there and hash to what names it.

use crate::check::{Part, Report, STATES_CHECKED};
use crate::check_rows::{canonical, row_of};
use crate::error::ChainError;
use crate::open::pruning_in;
use crate::record::StoredBlock;
use crate::rows::Marker;
use alloy_primitives::map::HashSet;
use alloy_primitives::{B256, keccak256};
use coc_evm::fork::EMPTY_CODE_HASH;
use coc_evm::state::Account;
use coc_log::{BlockLog, Position};
use coc_store::{Index, NodeFiles, Table};
use coc_trie::{Child, EMPTY_ROOT_HASH, Loc, NodeKind, NodeReader, Value};
use std::sync::Arc;

/// A node that is still to be read.
struct Ahead {
    hash: B256,
    loc: Loc,
    /// Whether its leaves are accounts; else they are slots.
    has_accounts: bool,
}

/// A walk over states that share most of their nodes: each place is read once. Memory: some 16 bytes a node.
pub(crate) struct StateCheck {
    nodes: NodeFiles,
    index: Arc<dyn Index>,
    ahead: Vec<Ahead>,
    seen: HashSet<u64>,
    codes: HashSet<B256>,
    bytes: u64,
}

impl StateCheck {
    pub fn new(nodes: NodeFiles, index: Arc<dyn Index>) -> StateCheck {
        StateCheck {
            nodes,
            index,
            ahead: Vec::new(),
            seen: HashSet::default(),
            codes: HashSet::default(),
            bytes: 0,
        }
    }

    /// Memory bytes of the nodes read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.min(self.bytes_max())
    }

    /// Bytes of the node files: more than any walk reads.
    pub fn bytes_max(&self) -> u64 {
        self.nodes.bytes()
    }

    /// The states of the head and of the canonical blocks behind it, as far as they are kept.
    pub fn add_roots(&mut self, log: &BlockLog, marker: &Marker, report: &mut Report) {
        let pruning = report.seen(Part::Index, pruning_in(&*self.index, "")).unwrap_or_default();
        let mut at = marker.head;
        for _ in 0..STATES_CHECKED {
            let row = report.seen(Part::Index, row_of(&*self.index, &at)).flatten();
            if row.and_then(|row| row.state).is_some_and(|loc| loc < Loc(pruning.floor)) {
                break;
            }
            let found = self.add_root(log, at, report);
            let Some(parent) = report.seen(Part::Index, found) else { break };
            report.states += 1;
            let Some(parent) = parent else { break };
            at = parent;
        }
        // The newest first: what is wrong with it matters most.
        self.ahead.reverse();
    }

    /// Adds the state of one block; its canonical parent, if it has one.
    fn add_root(
        &mut self,
        log: &BlockLog,
        hash: B256,
        report: &mut Report,
    ) -> Result<Option<B256>, ChainError> {
        let Some(row) = row_of(&*self.index, &hash)? else { return Ok(None) };
        let record = log.read(Position(row.position))?;
        let odd = |reason| ChainError::Record { position: row.position, reason };
        let header = StoredBlock::decode(&record).map_err(odd)?.block.header;
        match row.state {
            Some(loc) => self.ahead.push(Ahead { hash: header.state_root, loc, has_accounts: true }),
            None if header.state_root == EMPTY_ROOT_HASH => {}
            None => report.find(Part::Index, format!("its row of block {hash} names no state")),
        }
        canonical(&*self.index, header.number.wrapping_sub(1))
    }

    /// Reads nodes until `enough` says so; `true` when none is left.
    pub fn walk(&mut self, mut enough: impl FnMut() -> bool, report: &mut Report) -> bool {
        while let Some(Ahead { hash, loc, has_accounts }) = self.ahead.pop() {
            if !self.seen.insert(loc.0) {
                continue;
            }
            let read = self.nodes.read(loc, &hash);
            if let Some(node) = report.seen(Part::State, read) {
                report.nodes += 1;
                self.bytes += node.memory_bytes() as u64;
                self.look_into(node.kind(), has_accounts, report);
            }
            if enough() {
                return self.ahead.is_empty();
            }
        }
        true
    }

    fn look_into(&mut self, kind: &NodeKind, has_accounts: bool, report: &mut Report) {
        match kind {
            NodeKind::Leaf { .. } => {}
            NodeKind::Extension { child, .. } => self.look_at(child, has_accounts, report),
            NodeKind::Branch { children, .. } => {
                children.iter().for_each(|(_, child)| self.look_at(child, has_accounts, report));
            }
        }
        if let Some(value) = kind.value().filter(|_| has_accounts) {
            self.look_at_account(value, report);
        }
    }

    fn look_at(&mut self, child: &Child, has_accounts: bool, report: &mut Report) {
        match child {
            Child::Empty => {}
            Child::Node(node) => self.look_into(node.kind(), has_accounts, report),
            Child::Stored { hash, loc } => self.ahead.push(Ahead { hash: *hash, loc: *loc, has_accounts }),
        }
    }

    fn look_at_account(&mut self, value: &Value, report: &mut Report) {
        let Some(account) = report.seen(Part::State, Account::decode_rlp(value.rlp())) else { return };
        if let Some(storage) = value.storage()
            && let Some(loc) = storage.loc()
        {
            self.ahead.push(Ahead { hash: storage.root_hash(), loc, has_accounts: false });
        }
        let hash = account.code_hash;
        if hash == EMPTY_CODE_HASH || !self.codes.insert(hash) {
            return;
        }
        report.codes += 1;
        let read = self.index.get(Table::Code, hash.as_slice());
        match report.seen(Part::Index, read) {
            Some(Some(code)) if keccak256(&code) == hash => {}
            Some(Some(_)) => report.find(Part::Index, format!("the code with hash {hash} has another hash")),
            Some(None) => report.find(Part::Index, format!("it has no code with hash {hash}")),
            None => {}
        }
    }
}

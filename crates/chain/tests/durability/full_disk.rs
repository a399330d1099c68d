//! A full disk costs nothing but the work that found no room: what was decided stays, what was refused can be done again, and
//! everything goes on once there is space.

use crate::ledger::Ledger;
use crate::world::{build, check, genesis, options, read_all};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::{Chain, TAIL_BLOCKS_MAX, TAILS_MAX};
use coc_chain::error::ChainError;
use coc_chain::open::{ChainOptions, Recovered};
use coc_disk::{Dice, FaultyDisk};
use coc_store::{
    Batch, Index, IndexReport, IndexSnapshot, IndexStats, MemIndex, MemOptions, Row, StoreError, Table,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Space kept aside in these tests, in bytes: more than a flush of some blocks needs.
const RESERVE_BYTES: u64 = 40_000;

/// An index that can be told to be full.
struct FullIndex {
    rows: MemIndex,
    is_full: AtomicBool,
}

impl Index for FullIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.rows.get(table, key)
    }
    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        self.rows.range(table, from, to, limit, reverse)
    }
    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(StoreError::NoSpace { file: "the index".into(), detail: "the test says so".into() });
        }
        self.rows.write(batch)
    }
    fn snapshot(&self) -> Result<Box<dyn IndexSnapshot>, StoreError> {
        self.rows.snapshot()
    }
    fn stats(&self) -> Result<IndexStats, StoreError> {
        self.rows.stats()
    }
    fn check(&self) -> Result<IndexReport, StoreError> {
        self.rows.check()
    }
}

/// A chain, its disk, and what its head's state must be.
struct World {
    disk: FaultyDisk,
    index: Arc<FullIndex>,
    options: ChainOptions,
    chain: Chain,
    head: B256,
    ledger: Ledger,
    dice: Dice,
    made: u64,
}

impl World {
    fn new(reserve_bytes: u64) -> World {
        let disk = FaultyDisk::new(3);
        let rows = MemIndex::new(MemOptions { history_writes: 64, ..MemOptions::default() });
        let index = Arc::new(FullIndex { rows, is_full: AtomicBool::new(false) });
        let options = ChainOptions { reserve_bytes, ..options() };
        let opened = Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options);
        let (chain, _) = opened.unwrap();
        let head = chain.shared.genesis_hash;
        let (ledger, dice) = (Ledger::at_genesis(), Dice::new(5));
        World { disk, index, options, chain, head, ledger, dice, made: 0 }
    }

    fn candidate(&mut self) -> (B256, Ledger) {
        self.made += 1;
        let planned = self.ledger.plan(&mut self.dice, 3);
        build(&self.chain, &self.head, &planned, &self.ledger, self.made).unwrap()
    }

    fn decide(&mut self, candidate: &(B256, Ledger)) -> Result<(), ChainError> {
        self.chain.decide(&candidate.0, Bytes::new(), true)?;
        self.chain.set_head(&candidate.0)?;
        (self.head, self.ledger) = candidate.clone();
        Ok(())
    }

    fn grow(&mut self, blocks: u64) {
        for _ in 0..blocks {
            let candidate = self.candidate();
            self.decide(&candidate).unwrap();
        }
    }

    /// Leaves so many bytes free.
    fn leave_free(&self, bytes: u64) {
        let used: u64 = self.disk.snapshot().iter().map(|(_, content)| content.len() as u64).sum();
        self.disk.limit_bytes(Some(used + bytes));
    }

    fn reopen(&mut self) -> Recovered {
        self.disk.crash();
        let disk = Arc::new(self.disk.clone());
        let (chain, recovered) =
            Chain::open_on(&genesis("0x"), disk, self.index.clone(), &self.options).unwrap();
        self.chain = chain;
        recovered
    }

    fn verify(&self) {
        assert_eq!(self.chain.shared.head().stored.hash, self.head);
        self.ledger.verify(&self.chain, &self.head).unwrap();
        read_all(&self.chain).unwrap();
        let report = check(&genesis("0x"), &self.disk, self.index.clone()).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }
}

#[test]
fn a_decision_without_room_changes_nothing_and_succeeds_later() {
    let mut world = World::new(0);
    world.grow(3);
    let candidate = world.candidate();
    let before = (world.chain.shared.log.next_position(), world.chain.shared.tree.read().tail.clone());
    world.leave_free(30);
    let error = world.decide(&candidate).unwrap_err();
    assert!(error.is_out_of_space(), "{error}");
    assert_eq!((world.chain.shared.log.next_position(), world.chain.shared.tree.read().tail.clone()), before);
    world.verify();
    world.disk.limit_bytes(None);
    world.decide(&candidate).unwrap();
    world.verify();
    world.reopen();
    world.verify();
}

#[test]
fn a_decision_that_needs_a_file_more_than_the_disk_can_hold_succeeds_later() {
    let mut world = World::new(0);
    world.disk.limit_files(Some(world.disk.snapshot().len()));
    let refused = loop {
        let candidate = world.candidate();
        if let Err(error) = world.decide(&candidate) {
            assert!(error.is_out_of_space(), "{error}");
            break candidate;
        }
    };
    world.verify();
    world.disk.limit_files(None);
    world.decide(&refused).unwrap();
    world.reopen();
    world.verify();
}

#[test]
fn a_flush_without_room_for_nodes_leaves_the_chain_going_and_succeeds_later() {
    let mut world = World::new(0);
    world.grow(2);
    world.chain.flush().unwrap();
    world.grow(6);
    world.leave_free(200);
    let error = world.chain.flush().unwrap_err();
    assert!(error.is_out_of_space(), "{error}");
    world.verify();
    world.disk.limit_bytes(None);
    world.grow(2);
    world.verify();
    world.chain.flush().unwrap();
    world.verify();
    let recovered = world.reopen();
    assert_eq!(recovered.replayed_blocks, 0);
    world.verify();
}

#[test]
fn a_flush_that_found_no_room_and_then_lost_power_is_executed_again() {
    let mut world = World::new(0);
    world.grow(8);
    world.leave_free(200);
    world.chain.flush().unwrap_err();
    world.disk.limit_bytes(None);
    let recovered = world.reopen();
    assert_eq!(recovered.replayed_blocks, 8);
    world.verify();
}

#[test]
fn a_full_index_leaves_the_chain_going_and_the_next_flush_makes_up_for_it() {
    let mut world = World::new(0);
    world.grow(4);
    world.index.is_full.store(true, Ordering::Relaxed);
    let error = world.chain.flush().unwrap_err();
    assert!(error.is_out_of_space(), "{error}");
    world.grow(4);
    world.verify();
    world.index.is_full.store(false, Ordering::Relaxed);
    world.chain.flush().unwrap();
    world.verify();
    assert_eq!(world.reopen().replayed_blocks, 0);
    world.verify();
}

#[test]
fn a_chain_whose_store_has_no_room_stops_before_its_tail_outgrows_memory_and_goes_on_by_itself() {
    let mut world = World::new(0);
    world.index.is_full.store(true, Ordering::Relaxed);
    let tail_max = TAILS_MAX as usize * TAIL_BLOCKS_MAX;
    while world.chain.shared.tree.read().tail.len() < tail_max {
        world.made += 1;
        let candidate = build(&world.chain, &world.head, &[], &world.ledger, world.made).unwrap();
        world.decide(&candidate).unwrap();
    }
    let candidate = world.candidate();
    assert!(world.decide(&candidate).unwrap_err().is_out_of_space());
    assert_eq!(world.chain.shared.tree.read().tail.len(), tail_max);
    world.index.is_full.store(false, Ordering::Relaxed);
    world.decide(&candidate).unwrap();
    assert_eq!(world.chain.shared.tree.read().tail, [candidate.0]);
    world.verify();
}

#[test]
fn a_full_disk_is_left_in_order_with_the_space_kept_aside_which_is_taken_back_later() {
    let mut world = World::new(RESERVE_BYTES);
    assert!(world.chain.shared.log.has_reserve());
    world.grow(5);
    world.leave_free(0);
    world.chain.flush().unwrap_err();
    world.chain.close().unwrap();
    assert!(!world.chain.shared.log.has_reserve(), "a full disk has no room for it");
    assert_eq!(world.reopen().replayed_blocks, 0, "a graceful stop leaves nothing to be done again");
    world.verify();
    world.disk.limit_bytes(None);
    world.grow(1);
    world.chain.flush().unwrap();
    assert!(world.chain.shared.log.has_reserve(), "the next flush has taken it back");
}

#[test]
fn a_node_starts_on_a_full_disk_answers_and_goes_on_when_there_is_space() {
    let mut world = World::new(0);
    world.grow(2);
    world.chain.flush().unwrap();
    world.grow(6);
    world.leave_free(10);
    let recovered = world.reopen();
    assert!(recovered.store_is_full);
    assert_eq!(recovered.replayed_blocks, 6);
    world.verify();
    world.disk.limit_bytes(None);
    world.grow(1);
    world.chain.flush().unwrap();
    assert_eq!(world.reopen(), Recovered { replayed_blocks: 0, ..Recovered::default() });
    world.verify();
}

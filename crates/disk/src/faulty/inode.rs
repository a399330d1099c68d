//! One simulated file: what a process sees, what is durable, and the changes in between.

use crate::dice::Dice;
use crate::memory::overlay;

/// What a device writes whole or not at all (bytes): the smallest sector in use.
pub const SECTOR_BYTES: usize = 512;

/// A change that is visible but not yet durable.
#[derive(Debug, Clone)]
enum Change {
    Write { start: usize, bytes: Vec<u8> },
    Resize { length: usize },
}

/// A file's content in its three forms.
#[derive(Debug, Default)]
pub(super) struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

/// How the changes of one file fare in a crash; which one, the dice say.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// All reach the platter.
    Kept,
    /// None do.
    Lost,
    /// Changes before this one do, this one in part, later ones do not.
    CutAt(usize),
    /// Each sector of each change does with so many chances in eight, whatever came before it.
    Scattered { eighths: u64 },
}

impl Inode {
    /// What a running process sees.
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    pub fn write(&mut self, start: usize, bytes: &[u8]) {
        overlay(&mut self.seen, start, bytes);
        self.pending.push(Change::Write { start, bytes: bytes.to_vec() });
    }

    pub fn resize(&mut self, length: usize) {
        self.seen.resize(length, 0);
        self.pending.push(Change::Resize { length });
    }

    /// Everything seen becomes durable, but for changes an earlier failed sync has dropped.
    pub fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }

    /// A sync that fails the ways kernels fail: some changes are durable and the rest is still to be
    /// written, or is taken for written, or is dropped from the cache as well.
    pub fn fail_sync(&mut self, dice: &mut Dice) {
        match dice.below(3) {
            0 => {}
            1 => self.settle(dice),
            _ => {
                self.settle(dice);
                self.seen.clone_from(&self.durable);
            }
        }
    }

    /// The power goes and comes back.
    pub fn crash(&mut self, dice: &mut Dice) {
        self.settle(dice);
        self.seen.clone_from(&self.durable);
    }

    /// Flips bits on the platter and in the cache; false if there is no such byte.
    pub fn flip(&mut self, at: usize, mask: u8) -> bool {
        if let Some(byte) = self.durable.get_mut(at) {
            *byte ^= mask;
        }
        self.seen.get_mut(at).map(|byte| *byte ^= mask).is_some()
    }

    /// Decides which pending changes become durable; forgets the others.
    fn settle(&mut self, dice: &mut Dice) {
        if self.pending.is_empty() {
            return;
        }
        let fate = match dice.below(6) {
            0 => Fate::Kept,
            1 => Fate::Lost,
            2 | 3 => Fate::CutAt(dice.below(self.pending.len() as u64) as usize),
            _ => Fate::Scattered { eighths: 1 + dice.below(7) },
        };
        let length_seen = self.seen.len();
        for (index, change) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            match fate {
                Fate::Kept => change.apply(&mut self.durable),
                Fate::Lost => {}
                Fate::CutAt(cut) if index < cut => change.apply(&mut self.durable),
                Fate::CutAt(cut) if index == cut => change.apply_in_part(&mut self.durable, 4, dice),
                Fate::CutAt(_) => {}
                Fate::Scattered { eighths } => change.apply_in_part(&mut self.durable, eighths, dice),
            }
        }
        // The length may reach the platter before the content does.
        if length_seen > self.durable.len() && dice.one_in(4) {
            extend_unwritten(&mut self.durable, length_seen, dice);
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { start, bytes } => overlay(content, *start, bytes),
            Self::Resize { length } => content.resize(*length, 0),
        }
    }

    /// Applies each sector of a write, or a resize as a whole, with `eighths` chances in eight.
    fn apply_in_part(&self, content: &mut Vec<u8>, eighths: u64, dice: &mut Dice) {
        let Self::Write { start, bytes } = self else {
            if dice.below(8) < eighths {
                self.apply(content);
            }
            return;
        };
        let mut at = 0;
        while at < bytes.len() {
            let to_boundary = SECTOR_BYTES - (start + at) % SECTOR_BYTES;
            let end = bytes.len().min(at + to_boundary);
            if dice.below(8) < eighths {
                if content.len() < start + at {
                    extend_unwritten(content, start + at, dice);
                }
                overlay(content, start + at, &bytes[at..end]);
            }
            at = end;
        }
    }
}

/// Lengthens a file by sectors that were never written: zeros, or what the platter held before.
fn extend_unwritten(content: &mut Vec<u8>, length: usize, dice: &mut Dice) {
    if dice.one_in(2) {
        content.resize(length, 0);
    } else {
        let stale = dice.bytes(length - content.len());
        content.extend_from_slice(&stale);
    }
}

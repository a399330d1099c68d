//! The names of a simulated disk: those seen, those durable, and the changes in between.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::dice::Dice;

/// Number of a file, whatever its names.
pub(super) type InodeNumber = u64;

#[derive(Debug, Clone)]
enum NameChange {
    Create { path: PathBuf, inode: InodeNumber },
    Rename { from: PathBuf, to: PathBuf, inode: InodeNumber },
    Remove { path: PathBuf },
}

/// Which name stands for which file.
#[derive(Debug, Default)]
pub(super) struct Names {
    seen: BTreeMap<PathBuf, InodeNumber>,
    durable: BTreeMap<PathBuf, InodeNumber>,
    pending: Vec<NameChange>,
    dirs: BTreeSet<PathBuf>,
}

impl Names {
    pub fn find(&self, path: &Path) -> Option<InodeNumber> {
        self.seen.get(path).copied()
    }

    pub fn is_dir(&self, path: &Path) -> bool {
        self.dirs.contains(path)
    }

    /// All files a running process sees, by name.
    pub fn all(&self) -> impl Iterator<Item = (&PathBuf, InodeNumber)> {
        self.seen.iter().map(|(path, inode)| (path, *inode))
    }

    pub fn list(&self, dir: &Path) -> Vec<String> {
        let inside = self.seen.keys().filter(|path| path.parent() == Some(dir));
        inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect()
    }

    pub fn create_dir(&mut self, dir: &Path) {
        self.dirs.extend(dir.ancestors().map(Path::to_path_buf));
    }

    pub fn create(&mut self, path: &Path, inode: InodeNumber) {
        self.push(NameChange::Create { path: path.to_path_buf(), inode });
    }

    /// False if there is no file `from`.
    pub fn rename(&mut self, from: &Path, to: &Path) -> bool {
        let Some(inode) = self.find(from) else { return false };
        self.push(NameChange::Rename { from: from.to_path_buf(), to: to.to_path_buf(), inode });
        true
    }

    /// False if there is no such file.
    pub fn remove(&mut self, path: &Path) -> bool {
        if self.find(path).is_none() {
            return false;
        }
        self.push(NameChange::Remove { path: path.to_path_buf() });
        true
    }

    /// Makes the changes in one folder durable.
    pub fn sync_dir(&mut self, dir: &Path) {
        let (here, elsewhere) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| change.dir() == Some(dir));
        self.pending = elsewhere;
        let here: Vec<NameChange> = here;
        here.iter().for_each(|change| change.apply(&mut self.durable));
    }

    /// The power goes: each open change survives or not, by a chance drawn once.
    pub fn crash(&mut self, dice: &mut Dice) {
        let eighths = [0, 4, 8][dice.below(3) as usize];
        for change in std::mem::take(&mut self.pending) {
            if dice.below(8) < eighths {
                change.apply(&mut self.durable);
            }
        }
        self.seen.clone_from(&self.durable);
    }

    fn push(&mut self, change: NameChange) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, InodeNumber>) {
        match self {
            Self::Create { path, inode } => {
                names.insert(path.clone(), *inode);
            }
            Self::Rename { from, to, inode } => {
                // The old name goes only if it still stands for this file: its creation may have been lost.
                if names.get(from) == Some(inode) {
                    names.remove(from);
                }
                names.insert(to.clone(), *inode);
            }
            Self::Remove { path } => {
                names.remove(path);
            }
        }
    }

    fn dir(&self) -> Option<&Path> {
        match self {
            Self::Create { path, .. } | Self::Remove { path } | Self::Rename { to: path, .. } => {
                path.parent()
            }
        }
    }
}

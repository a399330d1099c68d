//! Flipped bits at rest, anywhere: found, named, cured by the command that the error names, and never a wrong answer.

use crate::ledger::Ledger;
use crate::world::{build, check, genesis, options, read_all};
use alloy_primitives::{B256, Bytes};
use coc_chain::chain::Chain;
use coc_chain::check::{Check, Part};
use coc_chain::error::ChainError;
use coc_chain::rebuild::Rebuild;
use coc_disk::{Dice, Disk, FaultyDisk, MemDisk};
use coc_store::{MemIndex, MemOptions};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const BLOCKS: u64 = 14;
/// Flips in files in memory, each judged by opening, reading all, and a check.
const FLIPS: u64 = 400;
/// Flips in the index on disk, each judged by a process of its own.
const INDEX_FLIPS: u64 = 60;
const CHILD_DIR: &str = "COC_TEST_DAMAGED_CHAIN";

/// What every answer must be: each block with its state, in order; the last is the head.
type Truth = Vec<(B256, Ledger)>;

/// Decides the same blocks on any chain of the genesis; all but the last two are flushed, in several flushes.
fn grow(chain: &Chain) -> Truth {
    let (mut dice, mut truth) = (Dice::new(8), vec![(chain.shared.genesis_hash, Ledger::at_genesis())]);
    for number in 1..=BLOCKS {
        let (head, ledger) = truth[truth.len() - 1].clone();
        let planned = ledger.plan(&mut dice, 3);
        let block = build(chain, &head, &planned, &ledger, number).unwrap();
        chain.decide(&block.0, Bytes::new(), true).unwrap();
        chain.set_head(&block.0).unwrap();
        truth.push(block);
        if number % 4 == 0 {
            chain.flush().unwrap();
        }
    }
    truth
}

fn in_memory() -> (FaultyDisk, Arc<MemIndex>, Truth) {
    let (disk, index) = (FaultyDisk::new(2), Arc::new(MemIndex::new(MemOptions::default())));
    let (chain, _) =
        Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options()).unwrap();
    let truth = grow(&chain);
    (disk, index, truth)
}

/// What reading everything came to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    /// An error, which must name a cure.
    Refused(String),
    /// Less than there was, without an error.
    Absent,
    Wrong(String),
}

/// Asks an opened chain for every block, height, transaction and state.
fn ask(chain: &Chain, truth: &Truth) -> Result<Verdict, ChainError> {
    let head = chain.shared.head();
    let Some(expected) = truth.iter().position(|(hash, _)| *hash == head.stored.hash) else {
        return Ok(Verdict::Wrong("the head is no block of the chain".into()));
    };
    for (number, (hash, ledger)) in (0u64..).zip(&truth[..=expected]) {
        if chain.shared.canonical(number)? != Some(*hash) {
            return Ok(Verdict::Wrong(format!("height {number} is another block")));
        }
        let Some(block) = chain.shared.stored(hash)? else { return Ok(Verdict::Absent) };
        if block.block.header.hash_slow() != *hash {
            return Ok(Verdict::Wrong(format!("block {number} has another hash")));
        }
        for (index, transaction) in block.block.body.transactions.iter().enumerate() {
            match chain.find_transaction(transaction.tx_hash())? {
                None => return Ok(Verdict::Absent),
                Some((holder, at)) if (holder.hash, at) == (*hash, index) => {}
                Some(_) => return Ok(Verdict::Wrong("a transaction is found elsewhere".into())),
            }
        }
        if let Err(said) = ledger.verify(chain, hash) {
            return Ok(if said.contains("must be") || said.contains("its mark is") {
                Verdict::Wrong(said)
            } else {
                Verdict::Refused(said)
            });
        }
    }
    if let Err(said) = read_all(chain) {
        return Ok(Verdict::Refused(said));
    }
    // The last record alone may be taken for torn: nothing behind it says that it was durable, and a start says that it cut it.
    Ok(if expected + 2 >= truth.len() { Verdict::Right } else { Verdict::Absent })
}

fn judged(opened: Result<Chain, ChainError>, truth: &Truth) -> Verdict {
    match opened.and_then(|chain| ask(&chain, truth)) {
        Ok(verdict) => verdict,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

fn names_a_cure(sentence: &str) -> bool {
    [
        "coc db check",
        "coc db rebuild",
        "install the release",
        "Install the release",
        "`--data`",
        "from the block log",
    ]
    .iter()
    .any(|cure| sentence.contains(cure))
}

#[test]
fn no_flipped_bit_in_log_or_node_files_makes_a_wrong_answer_and_every_refusal_names_its_cure() {
    let mut dice = Dice::new(6);
    let (mut refused, mut found) = (0, 0);
    let (sound, index, truth) = in_memory();
    assert_eq!(judged(open(&sound, &index), &truth), Verdict::Right);
    let files = sound.snapshot();
    for flip in 0..FLIPS {
        let (disk, index) = (copy_of(&files), index_of(&index));
        let (path, content) = &files[dice.below(files.len() as u64) as usize];
        let offset = dice.below(content.len() as u64);
        disk.flip(path, offset, 1 << dice.below(8)).unwrap();
        let report = check(&genesis("0x"), &disk, index.clone()).unwrap();
        found += u64::from(!report.findings.is_empty());
        let place = format!("flip {flip}: byte {offset} of {}", path.display());
        match judged(open(&disk, &index), &truth) {
            Verdict::Right => {}
            Verdict::Refused(said) => {
                refused += 1;
                assert!(names_a_cure(&said), "{place}: {said}");
                assert!(!report.findings.is_empty(), "{place}: a check finds nothing, a start says: {said}");
            }
            other => panic!("{place}: {other:?}"),
        }
    }
    // Most bytes belong to something that is read; fewer finds would mean that the test looks away.
    assert!(refused > FLIPS / 3 && found >= refused, "{refused} refused, {found} found");
}

fn open(disk: &FaultyDisk, index: &Arc<MemIndex>) -> Result<Chain, ChainError> {
    Chain::open_on(&genesis("0x"), Arc::new(disk.clone()), index.clone(), &options()).map(|(chain, _)| chain)
}

/// A disk with the same files, all durable.
fn copy_of(files: &[(PathBuf, Vec<u8>)]) -> FaultyDisk {
    let disk = FaultyDisk::new(1);
    for (path, content) in files {
        disk.create_dir(path.parent().unwrap()).unwrap();
        let file = disk.open(path, coc_disk::OpenMode::New).unwrap();
        file.write_at(0, content).unwrap();
        file.sync().unwrap();
        disk.sync_dir(path.parent().unwrap()).unwrap();
    }
    disk
}

/// An index with the same rows.
fn index_of(index: &MemIndex) -> Arc<MemIndex> {
    Arc::new(index.crashed_at(index.writes()).unwrap())
}

#[test]
fn a_flipped_bit_in_a_node_file_is_cured_by_a_rebuild() {
    let (sound, _, truth) = in_memory();
    let files = sound.snapshot();
    let (path, content) = files.iter().find(|(path, _)| path.ends_with("gen-000001.nodes")).unwrap();
    let mut dice = Dice::new(9);
    for _ in 0..10 {
        let disk = copy_of(&files);
        disk.flip(path, dice.below(content.len() as u64), 4).unwrap();
        let index = Arc::new(MemIndex::new(MemOptions::default()));
        let all = Arc::new(disk.clone());
        let mut rebuild = Rebuild::begin_on(&genesis("0x"), all, index.clone(), &options(), false).unwrap();
        while rebuild.step(|| true).unwrap().phase != "done" {}
        drop(rebuild);
        assert_eq!(judged(open(&disk, &index), &truth), Verdict::Right);
        assert!(check(&genesis("0x"), &disk, index).unwrap().findings.is_empty());
    }
}

#[test]
fn an_ancestor_that_cannot_be_read_stops_a_block_instead_of_changing_what_it_does() {
    let (disk, index, truth) = in_memory();
    let files = disk.snapshot();
    let (path, content) =
        files.iter().find(|(path, _)| path.extension().is_some_and(|end| end == "seg")).unwrap();
    let chain = open(&disk, &index).unwrap();
    // All of the first segment but its header: no old block can be read any more.
    for offset in 64..content.len() as u64 {
        disk.flip(path, offset, 0xff).unwrap();
    }
    let lineage = coc_chain::shared::Lineage { shared: chain.shared.clone(), from: truth[truth.len() - 1].0 };
    let before = chain.shared.failed_reads.count();
    assert!(coc_evm::block::Ancestors::ancestor(&lineage, &truth[2].0).is_none());
    let error = chain.shared.failed_reads.refuse_since(before).unwrap_err();
    assert!(error.to_string().contains("coc db check"), "{error}");
}

// ── The index on disk ───────────────────────────────────────────────────────────────────────────────────────────────

/// Exit codes of the judge; the test harness itself uses 0 and 101.
const RIGHT_AND_SOUND: i32 = 40;
/// By a check, or by a start that names the cure.
const FOUND: i32 = 41;
const REFUSED_WITHOUT_CURE: i32 = 43;
const WRONG_OR_UNFOUND: i32 = 44;

#[test]
fn judges_a_damaged_chain_when_started_as_a_child() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let (clean, _) = Chain::open_on(
        &genesis("0x"),
        Arc::new(MemDisk::new()),
        Arc::new(MemIndex::new(MemOptions::default())),
        &options(),
    )
    .unwrap();
    std::process::exit(judge_folder(Path::new(&dir), &grow(&clean)));
}

fn judge_folder(dir: &Path, truth: &Truth) -> i32 {
    let findings = match Check::begin(dir) {
        Ok(mut check) => {
            while check.step(|| true).is_some() {}
            check.report().findings.clone()
        }
        Err(error) => {
            eprintln!("a check cannot begin: {error}");
            return WRONG_OR_UNFOUND;
        }
    };
    let is_found = findings.iter().any(|finding| finding.part != Part::Log);
    let opened = Chain::open(&genesis("0x"), Some(dir), &options()).map(|(chain, _)| chain);
    match judged(opened, truth) {
        Verdict::Right if findings.is_empty() => RIGHT_AND_SOUND,
        Verdict::Right => FOUND,
        Verdict::Refused(said) if !names_a_cure(&said) => {
            eprintln!("{said}");
            REFUSED_WITHOUT_CURE
        }
        // Which pages are free LMDB looks up when it writes, and a check writes nothing.
        Verdict::Refused(_) => FOUND,
        Verdict::Absent if is_found => FOUND,
        other => {
            eprintln!("{other:?}, {findings:?}");
            WRONG_OR_UNFOUND
        }
    }
}

/// The exit code of a judge, or `None` where damage ended it.
fn judged_by_child(dir: &Path) -> Option<i32> {
    let name = "damage::judges_a_damaged_chain_when_started_as_a_child";
    let mut command = Command::new(std::env::current_exe().unwrap());
    let command = command.args(["--exact", name, "--nocapture"]).env(CHILD_DIR, dir).stdout(Stdio::null());
    command.status().unwrap().code()
}

#[test]
fn no_flipped_bit_in_the_index_makes_an_answer_wrong_or_incomplete_unless_a_check_finds_it() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    let truth = grow(&chain);
    drop(chain);
    let master = tempfile::tempdir().unwrap();
    copy_folder(dir.path(), master.path());
    assert_eq!(judged_by_child(dir.path()), Some(RIGHT_AND_SOUND));
    let sound = fs::read(master.path().join("index/data.mdb")).unwrap();
    // Most pages of so small an index are empty; a flip there would prove nothing.
    let written: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    let (mut dice, mut found) = (Dice::new(12), 0);
    for flip in 0..INDEX_FLIPS {
        let (at, mask) = (written[dice.below(written.len() as u64) as usize], 1 << dice.below(8));
        copy_folder(master.path(), dir.path());
        let mut damaged = sound.clone();
        damaged[at] ^= mask;
        fs::write(dir.path().join("index/data.mdb"), damaged).unwrap();
        let code = judged_by_child(dir.path());
        let is_good = matches!(code, None | Some(RIGHT_AND_SOUND | FOUND));
        assert!(is_good, "flip {flip}: bit {mask} of byte {at}: {code:?}");
        found += u64::from(code != Some(RIGHT_AND_SOUND));
    }
    assert!(found > INDEX_FLIPS / 10, "{found} of {INDEX_FLIPS} flips were found");
    // Whatever the last flip was, a rebuild never looks at the old index.
    let mut rebuild = Rebuild::begin(dir.path(), &options(), false).unwrap();
    while rebuild.step(|| true).unwrap().phase != "done" {}
    drop(rebuild);
    let (chain, _) = Chain::open(&genesis("0x"), Some(dir.path()), &options()).unwrap();
    assert_eq!(ask(&chain, &truth).unwrap(), Verdict::Right);
}

/// Makes `to` hold the files of `from`, and those alone.
fn copy_folder(from: &Path, to: &Path) {
    fs::remove_dir_all(to).unwrap();
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

//! The note beside a genesis file: a start believes it for that very text, makes a lost or damaged one again, and takes it for no
//! other text.

use alloy_primitives::{Address, B256, U256};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::folder::{GENESIS_FILE, GENESIS_NOTE_FILE, INDEX_DIR, STATE_DIR};
use coc_chain::note::GenesisNote;
use coc_chain::open::ChainOptions;
use coc_disk::RealDisk;
use std::fs;
use std::path::Path;

/// A genesis file with this many funded accounts, whose text ends with `end`.
fn genesis(accounts: u8, end: &str) -> Vec<u8> {
    let alloc: Vec<String> =
        (1..=accounts).map(|number| format!(r#""0x{number:040x}": {{"balance": "{number}"}}"#)).collect();
    let config = r#"{"chainId": 7, "londonBlock": 0, "big": 100000000000000000000}"#;
    format!(r#"{{"config": {config}, "alloc": {{{}}}, "gasLimit": "0x1c9c380"}}{end}"#, alloc.join(", "))
        .into_bytes()
}

fn open(text: &[u8], dir: &Path) -> Result<B256, ChainError> {
    let (chain, _) = Chain::open(text, Some(dir), &ChainOptions::default())?;
    let head = chain.shared.head();
    assert_eq!(head.stored.hash, chain.shared.genesis_hash);
    let (account, _) = head.state.account(&Address::with_last_byte(3))?.expect("the third account has ether");
    assert_eq!(account.balance, U256::from(3));
    chain.close()?;
    Ok(chain.shared.genesis_hash)
}

fn note(dir: &Path, text: &[u8]) -> Option<GenesisNote> {
    GenesisNote::load(&RealDisk::new(), dir, text)
}

#[test]
fn a_chain_that_was_opened_has_a_note_of_its_genesis_file_and_opens_as_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = genesis(5, "\n");
    let made = open(&text, dir.path()).expect("a new chain");
    let kept = note(dir.path(), &text).expect("a note");
    assert_eq!(kept.accounts, 5);
    assert!(kept.outline.windows(11).any(|piece| piece == br#""alloc": {}"#.as_slice()));
    assert!(!kept.outline.windows(7).any(|piece| piece == b"balance"));
    assert_eq!(open(&text, dir.path()).expect("the same chain"), made);
}

#[test]
fn a_start_believes_the_note_and_computes_nothing_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = genesis(5, "");
    open(&text, dir.path()).expect("a new chain");
    let right = note(dir.path(), &text).expect("a note");
    let wrong = GenesisNote { state_root: B256::repeat_byte(1), ..right.clone() };
    wrong.save(&RealDisk::new(), dir.path(), &text);
    assert!(open(&text, dir.path()).is_err(), "block 0 of the note is not that of the chain");
    right.save(&RealDisk::new(), dir.path(), &text);
    open(&text, dir.path()).expect("nothing was changed by the refusal");
}

#[test]
fn a_lost_or_damaged_note_is_made_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = genesis(4, "");
    let made = open(&text, dir.path()).expect("a new chain");
    let right = note(dir.path(), &text);
    let path = dir.path().join(GENESIS_NOTE_FILE);
    let sound = fs::read(&path).expect("the note");
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for damaged in [None, Some(&b""[..]), Some(&sound[..20]), Some(&flipped), Some(&b"no note at all"[..])] {
        match damaged {
            None => fs::remove_file(&path).expect("the note"),
            Some(bytes) => fs::write(&path, bytes).expect("the folder is writable"),
        }
        assert_eq!(note(dir.path(), &text), None);
        assert_eq!(open(&text, dir.path()).expect("the same chain"), made);
        assert_eq!(note(dir.path(), &text), right);
    }
}

#[test]
fn a_genesis_file_with_another_account_is_noticed_though_the_note_is_there() {
    let dir = tempfile::tempdir().expect("a folder");
    open(&genesis(4, ""), dir.path()).expect("a new chain");
    let refused = open(&genesis(5, ""), dir.path()).expect_err("another chain").to_string();
    assert!(refused.contains("holds the chain with genesis"), "{refused}");
    // Also when the folder's own file is the changed one.
    fs::write(dir.path().join(GENESIS_FILE), genesis(5, "")).expect("the folder is writable");
    assert!(open(&genesis(5, ""), dir.path()).is_err());
    assert_eq!(note(dir.path(), &genesis(5, "")), None, "a refused text leaves no note");
}

#[test]
fn another_text_of_the_same_genesis_opens_the_chain_and_leaves_the_note_to_the_folders_own() {
    let dir = tempfile::tempdir().expect("a folder");
    let (own, other) = (genesis(4, ""), genesis(4, "\n\n"));
    let made = open(&own, dir.path()).expect("a new chain");
    assert_eq!(open(&other, dir.path()).expect("the same chain"), made);
    assert!(note(dir.path(), &own).is_some());
    assert_eq!(note(dir.path(), &other), None);
}

#[test]
fn a_store_that_is_gone_is_made_again_from_the_accounts_in_the_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = genesis(4, "");
    let made = open(&text, dir.path()).expect("a new chain");
    for part in [INDEX_DIR, STATE_DIR] {
        fs::remove_dir_all(dir.path().join(part)).expect("it is there");
    }
    assert!(note(dir.path(), &text).is_some());
    assert_eq!(open(&text, dir.path()).expect("the same chain"), made);
}

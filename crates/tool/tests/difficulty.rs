//! The difficulty formula against values that the executable specification computed, every fork and bomb delay on its own.

use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{B256, U256};
use coc_evm::header::difficulty_after;
use coc_evm::json;
use coc_evm::types::Header;
use coc_tool::network::fork_by_name;
use serde_json::Value;

const VECTORS: &str = include_str!("../../../tests/vectors/difficulty/difficulty.json");

fn check(fork: &str, case: &Value) -> Result<(), Box<dyn std::error::Error>> {
    let number = |name: &str| json::u64(json::field(case, name)?, name);
    let difficulty = |name: &str| json::u256(json::field(case, name)?, name);
    let has_ommers = number("parentUncles")? != 0;
    let parent = Header {
        timestamp: number("parentTimestamp")?,
        difficulty: difficulty("parentDifficulty")?,
        ommers_hash: if has_ommers { B256::repeat_byte(1) } else { EMPTY_OMMER_ROOT_HASH },
        ..Header::default()
    };
    let rules = fork_by_name(fork).ok_or("the fork is not known")?;
    let found: U256 =
        difficulty_after(number("currentBlockNumber")?, number("currentTimestamp")?, &parent, rules);
    assert_eq!(found, difficulty("currentDifficulty")?, "{fork}: {case}");
    Ok(())
}

#[test]
fn every_fork_makes_the_difficulty_that_the_specification_makes() -> Result<(), Box<dyn std::error::Error>> {
    let file: Value = serde_json::from_str(VECTORS)?;
    let forks = file["difficulty"].as_object().ok_or("no forks")?;
    let mut cases = 0;
    for (fork, entries) in forks.iter().filter(|(name, _)| *name != "_info") {
        for case in entries.as_object().ok_or("a fork is no object")?.values() {
            check(fork, case)?;
            cases += 1;
        }
    }
    assert!(cases >= 300, "only {cases} cases were read");
    Ok(())
}

//! Block tests: a genesis and blocks, valid and invalid, and the head they must lead to (BlockchainTests format).

use crate::CaseResult;
use crate::memory::{MemoryCodes, empty_world};
use crate::network;
use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use coc_evm::block::{Ancestors, EngineCalls, Parent, decode_block, execute_block};
use coc_evm::fork::{BlobActivation, ForkSchedule};
use coc_evm::genesis::{parse_alloc, parse_blob_params, seal_alloc};
use coc_evm::json::{self, JsonError};
use coc_evm::overlay::BlockHashes;
use coc_evm::types::{Block, Header};
use serde_json::Value;
use std::sync::Arc;

/// Runs every test of a file's text.
pub fn run_file(text: &[u8]) -> Result<Vec<CaseResult>, JsonError> {
    let root: Value =
        serde_json::from_slice(text).map_err(|error| JsonError::new("file", error.to_string()))?;
    let tests = root.as_object().ok_or_else(|| JsonError::new("file", "is not an object of tests"))?;
    Ok(tests.iter().map(|(name, test)| run_test(name, test)).collect())
}

fn run_test(name: &str, test: &Value) -> CaseResult {
    let fork = test.get("network").and_then(Value::as_str).unwrap_or("").to_owned();
    let mut result = CaseResult { name: name.into(), fork: fork.clone(), state_root: None, error: None };
    match play(&fork, test) {
        Ok(root) => result.state_root = Some(root.to_string()),
        Err(error) => result.error = Some(error),
    }
    result
}

#[derive(Clone)]
struct Known {
    parent: Parent,
    ommers: Vec<B256>,
}

/// Hashes and headers of the blocks known so far, as seen from one of them.
#[derive(Clone)]
struct Lineage {
    known: Arc<B256Map<Known>>,
    from: B256,
}

impl BlockHashes for Lineage {
    fn block_hash(&self, number: u64) -> Option<B256> {
        let mut at = self.from;
        loop {
            let block = self.known.get(&at)?;
            if block.parent.header.number == number {
                return Some(at);
            }
            at = block.parent.header.parent_hash;
        }
    }
}

impl Ancestors for Lineage {
    fn ancestor(&self, hash: &B256) -> Option<(Header, Vec<B256>)> {
        self.known.get(hash).map(|known| (known.parent.header.clone(), known.ommers.clone()))
    }
}

struct Chain {
    schedule: ForkSchedule,
    known: Arc<B256Map<Known>>,
    codes: Arc<MemoryCodes>,
    head: B256,
}

impl Chain {
    fn import(&mut self, rlp: &[u8]) -> Result<(), String> {
        let block = decode_block(rlp).map_err(|error| error.to_string())?;
        let parent = self.known.get(&block.header.parent_hash).map(|known| known.parent.clone());
        let parent = parent.ok_or_else(|| format!("the parent {} is not known", block.header.parent_hash))?;
        let lineage = Lineage { known: self.known.clone(), from: parent.hash };
        let validated = execute_block(
            &self.schedule,
            &parent,
            &block,
            rlp.len(),
            None,
            (Arc::new(lineage.clone()), &lineage),
            &EngineCalls::default(),
        )
        .map_err(|error| error.to_string())?;
        drop(lineage);
        self.codes.extend(validated.executed.codes);
        self.adopt(block, &parent, validated.executed.state);
        Ok(())
    }

    fn adopt(&mut self, block: Block, parent: &Parent, state: coc_evm::state::WorldState) {
        let hash = block.header.hash_slow();
        let total_difficulty = parent.total_difficulty.saturating_add(block.header.difficulty);
        let ommers = block.body.ommers.iter().map(Header::hash_slow).collect();
        let merged = block.header.difficulty.is_zero();
        let heaviest =
            self.known.get(&self.head).is_none_or(|head| total_difficulty > head.parent.total_difficulty);
        let adopted = Parent { header: block.header, hash, total_difficulty, state };
        Arc::make_mut(&mut self.known).insert(hash, Known { parent: adopted, ommers });
        if heaviest || merged {
            self.head = hash;
        }
    }
}

fn genesis(fork: &str, test: &Value) -> Result<Chain, String> {
    let text = |error: JsonError| error.to_string();
    let schedule = schedule_of(fork, test).map_err(text)?;
    let alloc = json::field(test, "pre").and_then(parse_alloc).map_err(text)?;
    let rlp = json::field(test, "genesisRLP").and_then(|rlp| json::bytes(rlp, "genesisRLP")).map_err(text)?;
    let header = decode_block(&rlp).map_err(|error| error.to_string())?.header;
    let (empty, codes) = empty_world();
    let sealed = seal_alloc(&alloc, empty).map_err(|error| error.to_string())?;
    codes.extend(sealed.codes);
    let root = sealed.state.accounts.root_hash();
    if root != header.state_root {
        return Err(format!("the genesis state has root {root}, its header says {}", header.state_root));
    }
    let hash = header.hash_slow();
    let total_difficulty = header.difficulty;
    let known =
        Known { parent: Parent { header, hash, total_difficulty, state: sealed.state }, ommers: Vec::new() };
    Ok(Chain { schedule, known: Arc::new(B256Map::from_iter([(hash, known)])), codes, head: hash })
}

fn schedule_of(fork: &str, test: &Value) -> Result<ForkSchedule, JsonError> {
    let config = json::optional(test, "config");
    let chain_id = config.map(|c| json::maybe(c, "chainid", json::u64)).transpose()?.flatten().unwrap_or(1);
    let mut schedule = network::schedule(fork, chain_id)
        .ok_or_else(|| JsonError::new("network", format!("the network {fork} is not known")))?;
    let Some(blobs) = config.and_then(|c| json::optional(c, "blobSchedule")).and_then(Value::as_object)
    else {
        return Ok(schedule);
    };
    // A file's own blob parameters go where the network activates the fork they belong to.
    let times =
        [("Cancun", schedule.cancun_time), ("Prague", schedule.prague_time), ("Osaka", schedule.osaka_time)];
    let own: Vec<BlobActivation> = times
        .into_iter()
        .filter_map(|(name, at)| Some((blobs.get(name)?, at?)))
        .map(|(entry, timestamp)| Ok(BlobActivation { timestamp, params: parse_blob_params(entry)? }))
        .collect::<Result<_, JsonError>>()?;
    let later = std::mem::take(&mut schedule.blob_activations);
    schedule.blob_activations = own.into_iter().chain(later).collect();
    schedule.blob_activations.sort_by_key(|activation| activation.timestamp);
    Ok(schedule)
}

fn play(fork: &str, test: &Value) -> Result<B256, String> {
    let text = |error: JsonError| error.to_string();
    let mut chain = genesis(fork, test)?;
    let blocks = json::field(test, "blocks").map_err(text)?.as_array().ok_or("blocks are not a list")?;
    for (index, block) in blocks.iter().enumerate() {
        let rlp = json::field(block, "rlp").and_then(|rlp| json::bytes(rlp, "rlp")).map_err(text)?;
        let expected = json::optional(block, "expectException").map(Value::to_string);
        let invalid = expected.or_else(|| block.get("blockHeader").is_none().then(|| "a refusal".to_owned()));
        match (chain.import(&rlp), invalid) {
            (Ok(()), None) | (Err(_), Some(_)) => {}
            (Ok(()), Some(exception)) => {
                return Err(format!("block {index} was accepted, {exception} was expected"));
            }
            (Err(refused), None) => return Err(format!("block {index} was refused: {refused}")),
        }
    }
    let last = json::field(test, "lastblockhash")
        .and_then(|hash| json::b256(hash, "lastblockhash"))
        .map_err(text)?;
    if chain.head != last {
        return Err(format!("the head is {}, {last} was expected", chain.head));
    }
    let root = chain.known.get(&chain.head).map(|head| head.parent.header.state_root).unwrap_or_default();
    check_post_state(test, root)?;
    Ok(root)
}

fn check_post_state(test: &Value, root: B256) -> Result<(), String> {
    let expected =
        if let Some(hash) = json::maybe(test, "postStateHash", json::b256).map_err(|e| e.to_string())? {
            hash
        } else if let Some(post) = json::optional(test, "postState") {
            let alloc = parse_alloc(post).map_err(|e| e.to_string())?;
            seal_alloc(&alloc, empty_world().0).map_err(|e| e.to_string())?.state.accounts.root_hash()
        } else {
            return Ok(());
        };
    if root != expected {
        return Err(format!("the state root is {root}, the post state has {expected}"));
    }
    Ok(())
}

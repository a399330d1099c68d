//! A block as a whole: decoded, checked against its parent, executed, and its results compared with its header.

use crate::error::{BlockInvalid, ExecuteError};
use crate::executor::{BlockExecutor, Executed, SystemCall, roots};
use crate::fork::{Fork, ForkSchedule, Rules};
use crate::header::validate_header;
use crate::overlay::BlockHashes;
use crate::requests::requests_hash;
use crate::state::WorldState;
use crate::transaction::recover_senders;
use crate::types::{Block, Header};
use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::{Decodable, Encodable};
use std::sync::Arc;

/// Longest RLP encoding of a block in bytes from Osaka on (EIP-7934).
pub const BLOCK_RLP_MAX_OSAKA: usize = 10 * 1_048_576 - 2 * 1_048_576;
/// Longest RLP encoding of a block in bytes on any fork: bounds the work of decoding (our own rule; the gas limit keeps real blocks far below).
pub const BLOCK_RLP_MAX: usize = 64 * 1_048_576;
/// Ommers a block may name (yellow paper 11.1).
const OMMERS_MAX: usize = 2;
/// Generations an ommer may be behind (yellow paper 11.1).
const OMMER_DEPTH: u64 = 6;

/// What validation needs to know of a block's parent.
#[derive(Clone)]
pub struct Parent {
    /// Its header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// Sum of difficulties up to and including it.
    pub total_difficulty: U256,
    /// The state after it.
    pub state: WorldState,
}

/// Headers and ommers of ancestors, for the ommer rules.
pub trait Ancestors: Send + Sync {
    /// Header and ommer hashes of a known block.
    fn ancestor(&self, hash: &B256) -> Option<(Header, Vec<B256>)>;
}

/// The calls an engine makes around the transactions of a block.
#[derive(Clone, Debug, Default)]
pub struct EngineCalls {
    /// Before the transactions.
    pub before: Vec<SystemCall>,
    /// After the withdrawals.
    pub after: Vec<SystemCall>,
}

/// Decodes the RLP of a block, which must be its one canonical encoding; nothing may follow it.
pub fn decode_block(rlp: &[u8]) -> Result<Block, BlockInvalid> {
    let malformed = |reason: String| BlockInvalid::new("RLP_STRUCTURES_ENCODING", reason);
    if rlp.len() > BLOCK_RLP_MAX {
        return Err(malformed(format!("the block has {} bytes, {BLOCK_RLP_MAX} are allowed", rlp.len())));
    }
    let mut rest = rlp;
    let block = Block::decode(&mut rest)
        .map_err(|error| malformed(format!("the block is not valid RLP: {error}")))?;
    if !rest.is_empty() {
        return Err(malformed(format!("{} bytes follow the block", rest.len())));
    }
    // The decoder does not look at how long a typed transaction's string says it is, nor whether there is a string at all.
    if block.length() != rlp.len() || alloy_rlp::encode(&block) != rlp {
        return Err(malformed("the block is not written in its one canonical encoding".into()));
    }
    Ok(block)
}

/// The result of a valid block.
pub struct Validated {
    /// What it did.
    pub executed: Executed,
    /// Who sent its transactions.
    pub senders: Vec<Address>,
    /// Its rules.
    pub rules: Rules,
}

/// Validates `block` (of `rlp_length` bytes) on `parent` and executes it.
pub fn execute_block(
    schedule: &ForkSchedule,
    parent: &Parent,
    block: &Block,
    rlp_length: usize,
    senders: Option<Vec<Address>>,
    context: (Arc<dyn BlockHashes>, &dyn Ancestors),
    calls: &EngineCalls,
) -> Result<Validated, ExecuteError> {
    let trial = try_block(schedule, parent, block, rlp_length, senders, context, calls)?;
    if let Some((_, invalid)) = trial.refused {
        return Err(invalid.into());
    }
    compare_results(&block.header, &trial.executed, &trial.rules)?;
    Ok(Validated { executed: trial.executed, senders: trial.senders, rules: trial.rules })
}

/// What a block does here, compared with nothing.
pub struct Trial {
    /// What it did, up to the refused transaction.
    pub executed: Executed,
    /// Who sent its transactions.
    pub senders: Vec<Address>,
    /// Its rules.
    pub rules: Rules,
    /// The first transaction that cannot stand in it, and why.
    pub refused: Option<(usize, BlockInvalid)>,
}

impl Trial {
    /// What is wrong with the results that a header states: each with what the header says and what the block makes.
    pub fn disagreements(&self, header: &Header) -> Vec<(&'static str, String, String)> {
        let executed = &self.executed;
        let requests = executed.requests.as_deref().map(requests_hash);
        let pairs = [
            ("gasUsed", header.gas_used.to_string(), executed.gas_used.to_string()),
            (
                "receiptsRoot",
                header.receipts_root.to_string(),
                roots::receipts(&executed.receipts).to_string(),
            ),
            ("stateRoot", header.state_root.to_string(), executed.state.accounts.root_hash().to_string()),
            (
                "requestsHash",
                header.requests_hash.unwrap_or_default().to_string(),
                requests.unwrap_or_default().to_string(),
            ),
        ];
        pairs.into_iter().filter(|(_, says, is)| says != is).collect()
    }
}

/// Validates all of `block` that does not follow from executing it, and executes it up to the first transaction that is refused.
pub fn try_block(
    schedule: &ForkSchedule,
    parent: &Parent,
    block: &Block,
    rlp_length: usize,
    senders: Option<Vec<Address>>,
    context: (Arc<dyn BlockHashes>, &dyn Ancestors),
    calls: &EngineCalls,
) -> Result<Trial, ExecuteError> {
    let header = &block.header;
    let rules = schedule.rules(header.number, header.timestamp, parent.total_difficulty);
    if header.parent_hash != parent.hash {
        return Err(BlockInvalid::new(
            "UNKNOWN_PARENT",
            format!("the parent is {}, not {}", parent.hash, header.parent_hash),
        )
        .into());
    }
    if rules.at_least(Fork::Osaka) && rlp_length > BLOCK_RLP_MAX_OSAKA {
        return Err(BlockInvalid::new(
            "RLP_BLOCK_LIMIT_EXCEEDED",
            format!("the block has {rlp_length} bytes, {BLOCK_RLP_MAX_OSAKA} are allowed (EIP-7934)"),
        )
        .into());
    }
    validate_header(header, &parent.header, &rules)?;
    validate_body(block, &rules)?;
    validate_ommers(schedule, block, parent, context.1)?;
    let senders = match senders {
        Some(senders) => senders,
        None => recover_senders(&block.body.transactions, rules.fork)?,
    };
    let mut executor = BlockExecutor::begin(header, rules, parent.state.clone(), context.0, &calls.before)?;
    executor.preload(&block.body.transactions, &senders)?;
    let mut refused = None;
    for (index, (transaction, sender)) in block.body.transactions.iter().zip(&senders).enumerate() {
        if let Err(invalid) = executor.transact(transaction, *sender)? {
            refused = Some((index, invalid.in_block(index)));
            break;
        }
    }
    let withdrawals = block.body.withdrawals.as_ref().map_or(&[][..], |list| &list[..]);
    let finished = executor.finish(&block.body.ommers, withdrawals, &calls.after);
    let executed = match (finished, &refused) {
        // What is left undone may keep the rest from ending well: the refused transaction is what is wrong.
        (Err(ExecuteError::Invalid(_)), Some((_, invalid))) => return Err(invalid.clone().into()),
        (finished, _) => finished?,
    };
    Ok(Trial { executed, senders, rules, refused })
}

fn expect<T: PartialEq + std::fmt::Display>(
    code: &'static str,
    what: &str,
    says: T,
    is: T,
) -> Result<(), BlockInvalid> {
    if says == is {
        return Ok(());
    }
    Err(BlockInvalid::new(code, format!("the header says {what} {says}, the block makes it {is}")))
}

/// Checks that the body is the one whose roots and hash the header holds, and the encoding thereby the only one of this block.
pub fn check_commitments(block: &Block) -> Result<(), BlockInvalid> {
    let (header, body) = (&block.header, &block.body);
    let ommers = if body.ommers.is_empty() { EMPTY_OMMER_ROOT_HASH } else { body.calculate_ommers_root() };
    expect("INVALID_UNCLES_HASH", "ommers hash", header.ommers_hash, ommers)?;
    expect(
        "INVALID_TRANSACTIONS_ROOT",
        "transactions root",
        header.transactions_root,
        roots::transactions(&body.transactions),
    )?;
    match (&body.withdrawals, header.withdrawals_root) {
        (Some(list), Some(root)) => {
            expect("INVALID_WITHDRAWALS_ROOT", "withdrawals root", root, roots::withdrawals(list))
        }
        (None, None) => Ok(()),
        _ => Err(BlockInvalid::new(
            "INCORRECT_BLOCK_FORMAT",
            "the withdrawals and their root do not come together",
        )),
    }
}

fn validate_body(block: &Block, rules: &Rules) -> Result<(), BlockInvalid> {
    check_commitments(block)?;
    let body = &block.body;
    if rules.at_least(Fork::Paris) && !body.ommers.is_empty() {
        return Err(BlockInvalid::new("IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS", "the block holds ommers"));
    }
    Ok(())
}

fn validate_ommers(
    schedule: &ForkSchedule,
    block: &Block,
    parent: &Parent,
    ancestors: &dyn Ancestors,
) -> Result<(), BlockInvalid> {
    let ommers = &block.body.ommers;
    if ommers.is_empty() {
        return Ok(());
    }
    let refuse = |sentence: &str| Err(BlockInvalid::new("INVALID_UNCLES", sentence));
    if ommers.len() > OMMERS_MAX {
        return refuse("a block names at most two ommers");
    }
    let mut lineage: Vec<(B256, Header)> = Vec::new();
    let mut used: Vec<B256> = Vec::new();
    let mut at = block.header.parent_hash;
    for _ in 0..=OMMER_DEPTH {
        let Some((header, named)) = ancestors.ancestor(&at) else { break };
        used.extend(named);
        let next = header.parent_hash;
        lineage.push((at, header));
        at = next;
    }
    for ommer in ommers {
        let hash = ommer.hash_slow();
        if used.contains(&hash) || lineage.iter().any(|(known, _)| *known == hash) {
            return refuse("an ommer is an ancestor or was named before");
        }
        used.push(hash);
        let Some((_, of)) = lineage.iter().skip(1).find(|(known, _)| *known == ommer.parent_hash) else {
            return refuse("an ommer's parent is not an ancestor of at most six generations before");
        };
        if block.header.number.saturating_sub(ommer.number) > OMMER_DEPTH {
            return refuse("an ommer is more than six generations behind");
        }
        let rules = schedule.rules(ommer.number, ommer.timestamp, U256::ZERO.min(parent.total_difficulty));
        validate_header(ommer, of, &rules)?;
    }
    Ok(())
}

fn compare_results(header: &Header, executed: &Executed, rules: &Rules) -> Result<(), BlockInvalid> {
    expect("INVALID_GAS_USED", "gas used", header.gas_used, executed.gas_used)?;
    if rules.at_least(Fork::Cancun) {
        expect(
            "INCORRECT_BLOB_GAS_USED",
            "blob gas used",
            header.blob_gas_used.unwrap_or(0),
            executed.blob_gas_used,
        )?;
    }
    expect(
        "INVALID_RECEIPTS_ROOT",
        "receipts root",
        header.receipts_root,
        roots::receipts(&executed.receipts),
    )?;
    expect("INVALID_LOG_BLOOM", "bloom", header.logs_bloom, executed.bloom)?;
    expect("INVALID_STATE_ROOT", "state root", header.state_root, executed.state.accounts.root_hash())?;
    if let (Some(requests), Some(says)) = (&executed.requests, header.requests_hash) {
        expect("INVALID_REQUESTS", "requests hash", says, requests_hash(requests))?;
    }
    Ok(())
}

//! The block a transition runs in: the `env` object of `evm t8n`, with what it leaves out computed from the parent's figures.

use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{B256, U256};
use coc_evm::fork::{Fork, ForkSchedule, Rules};
use coc_evm::header::{base_fee_after, difficulty_after};
use coc_evm::json::{self, JsonError};
use coc_evm::overlay::BlockHashes;
use coc_evm::types::{Header, Withdrawal};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Generations by which an ommer may be older than the block that names it: beyond, it earns nothing (yellow paper 11.3).
const OMMER_DELTA_MAX: u64 = 7;

/// Everything a transition knows of its block and of those before it.
pub struct Environment {
    /// The block's header, without results.
    pub header: Header,
    /// Its rules.
    pub rules: Rules,
    /// Number and beneficiary of each ommer.
    pub ommers: Vec<Header>,
    /// What the consensus layer pays out.
    pub withdrawals: Vec<Withdrawal>,
    /// Hashes of earlier blocks.
    pub hashes: HashMap<u64, B256>,
}

/// The hashes an environment names, and the number of the first that was asked for and is not among them.
pub struct GivenHashes {
    hashes: HashMap<u64, B256>,
    missing: Mutex<Option<u64>>,
}

impl GivenHashes {
    /// Nothing was asked for yet.
    pub fn new(hashes: HashMap<u64, B256>) -> Self {
        GivenHashes { hashes, missing: Mutex::new(None) }
    }

    /// The first number asked for in vain.
    pub fn missing(&self) -> Option<u64> {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlockHashes for GivenHashes {
    fn block_hash(&self, number: u64) -> Option<B256> {
        let found = self.hashes.get(&number).copied();
        if found.is_none() {
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(number);
        }
        found
    }
}

impl Environment {
    /// Reads the object; `lenient` leaves out what only whole blocks need (withdrawals).
    pub fn parse(env: &Value, schedule: &ForkSchedule, lenient: bool) -> Result<Environment, JsonError> {
        json::within("env", parse(env, schedule, lenient))
    }
}

fn parse(env: &Value, schedule: &ForkSchedule, lenient: bool) -> Result<Environment, JsonError> {
    let needed = |name: &str| json::u64(json::field(env, name)?, name);
    let (number, timestamp) = (needed("currentNumber")?, needed("currentTimestamp")?);
    // Like go-ethereum's tool: only a schedule that is merged from its first block on is merged here.
    let rules = schedule.rules(number, timestamp, U256::ZERO);
    let parent = parent(env, number)?;
    let hashes = hashes(env)?;
    let before = hashes.get(&number.wrapping_sub(1)).copied();
    let header = Header {
        number,
        timestamp,
        parent_hash: before.or(json::maybe(env, "parentHash", json::b256)?).unwrap_or_default(),
        beneficiary: json::address(json::field(env, "currentCoinbase")?, "currentCoinbase")?,
        gas_limit: needed("currentGasLimit")?,
        difficulty: difficulty(env, number, timestamp, &parent, &rules)?,
        mix_hash: random(env, &rules)?,
        base_fee_per_gas: base_fee(env, &parent, &rules)?,
        excess_blob_gas: excess_blob_gas(env, &parent, &rules)?,
        parent_beacon_block_root: json::maybe(env, "parentBeaconBlockRoot", json::b256)?,
        ..Header::default()
    };
    let withdrawals = withdrawals(env, &rules, lenient)?;
    Ok(Environment { header, rules, ommers: ommers(env, number)?, withdrawals, hashes })
}

/// What the environment says of the block before: absent figures are zero, and a base fee there is only if it is named.
fn parent(env: &Value, number: u64) -> Result<Header, JsonError> {
    let figure = |name: &str| json::maybe(env, name, json::u64);
    let ommers = json::maybe(env, "parentUncleHash", json::b256)?.filter(|hash| !hash.is_zero());
    Ok(Header {
        number: number.saturating_sub(1),
        timestamp: figure("parentTimestamp")?.unwrap_or(0),
        difficulty: json::maybe(env, "parentDifficulty", json::u256)?.unwrap_or_default(),
        ommers_hash: ommers.unwrap_or(EMPTY_OMMER_ROOT_HASH),
        base_fee_per_gas: figure("parentBaseFee")?,
        gas_used: figure("parentGasUsed")?.unwrap_or(0),
        gas_limit: figure("parentGasLimit")?.unwrap_or(0),
        excess_blob_gas: figure("parentExcessBlobGas")?,
        blob_gas_used: figure("parentBlobGasUsed")?,
        ..Header::default()
    })
}

fn difficulty(
    env: &Value,
    number: u64,
    timestamp: u64,
    parent: &Header,
    rules: &Rules,
) -> Result<U256, JsonError> {
    let wrong = |reason: String| Err(JsonError::new("currentDifficulty", reason));
    let given = json::maybe(env, "currentDifficulty", json::u256)?;
    if rules.at_least(Fork::Paris) {
        return match given {
            Some(given) if !given.is_zero() => {
                wrong(format!("is {given}: from Paris on it is zero or left out"))
            }
            _ => Ok(U256::ZERO),
        };
    }
    if let Some(given) = given {
        return Ok(given);
    }
    if json::optional(env, "parentDifficulty").is_none() {
        return wrong("is missing, and so is the parentDifficulty it could be computed from".into());
    }
    if number == 0 {
        return wrong("is missing: block 0 has no parent to compute it from".into());
    }
    if timestamp <= parent.timestamp {
        return wrong(format!(
            "cannot be computed: timestamp {timestamp} is not after the parent's {}",
            parent.timestamp
        ));
    }
    Ok(difficulty_after(number, timestamp, parent, rules.fork))
}

fn random(env: &Value, rules: &Rules) -> Result<B256, JsonError> {
    let given = json::maybe(env, "currentRandom", json::u256)?;
    if given.is_none() && rules.at_least(Fork::Paris) {
        return Err(JsonError::new("currentRandom", "is missing: blocks have it from Paris on"));
    }
    Ok(given.unwrap_or_default().into())
}

fn base_fee(env: &Value, parent: &Header, rules: &Rules) -> Result<Option<u64>, JsonError> {
    if !rules.at_least(Fork::London) {
        return Ok(None);
    }
    if let Some(given) = json::maybe(env, "currentBaseFee", json::u64)? {
        return Ok(Some(given));
    }
    let complete = ["parentBaseFee", "parentGasUsed", "parentGasLimit"]
        .iter()
        .all(|name| json::optional(env, name).is_some());
    if !complete && !rules.london_transition {
        return Err(JsonError::new(
            "currentBaseFee",
            "is missing: blocks have it from London on; it can be computed from parentBaseFee, parentGasUsed and parentGasLimit",
        ));
    }
    Ok(base_fee_after(parent, rules))
}

fn excess_blob_gas(env: &Value, parent: &Header, rules: &Rules) -> Result<Option<u64>, JsonError> {
    if !rules.at_least(Fork::Cancun) {
        return Ok(None);
    }
    let given = json::maybe(env, "currentExcessBlobGas", json::u64)?;
    Ok(Some(given.unwrap_or_else(|| rules.excess_blob_gas(parent))))
}

fn hashes(env: &Value) -> Result<HashMap<u64, B256>, JsonError> {
    let Some(given) = json::optional(env, "blockHashes") else { return Ok(HashMap::new()) };
    let given = given.as_object().ok_or_else(|| JsonError::new("blockHashes", "is not an object"))?;
    given
        .iter()
        .map(|(number, hash)| {
            Ok((json::u64(&Value::String(number.clone()), "blockHashes")?, json::b256(hash, "blockHashes")?))
        })
        .collect()
}

fn ommers(env: &Value, number: u64) -> Result<Vec<Header>, JsonError> {
    let read = |ommer: &Value, _: &str| {
        let delta = json::u64(json::field(ommer, "delta")?, "delta")?;
        if delta == 0 || delta > OMMER_DELTA_MAX || delta > number {
            let bound = OMMER_DELTA_MAX.min(number);
            return Err(JsonError::new(
                "delta",
                format!("is {delta}: an ommer is 1 to {bound} blocks older than block {number}"),
            ));
        }
        let beneficiary = json::address(json::field(ommer, "address")?, "address")?;
        Ok(Header { number: number - delta, beneficiary, ..Header::default() })
    };
    let list = json::maybe(env, "ommers", |list, place| json::within(place, json::list(list, place, read)))?;
    Ok(list.unwrap_or_default())
}

fn withdrawals(env: &Value, rules: &Rules, lenient: bool) -> Result<Vec<Withdrawal>, JsonError> {
    let read = |withdrawal: &Value, _: &str| {
        let number = |name: &str| json::u64(json::field(withdrawal, name)?, name);
        Ok(Withdrawal {
            index: number("index")?,
            validator_index: number("validatorIndex")?,
            address: json::address(json::field(withdrawal, "address")?, "address")?,
            amount: number("amount")?,
        })
    };
    let list =
        json::maybe(env, "withdrawals", |list, place| json::within(place, json::list(list, place, read)))?;
    match (list, rules.at_least(Fork::Shanghai)) {
        (None, true) if !lenient => Err(JsonError::new(
            "withdrawals",
            "is missing: from Shanghai on a block has them, if only an empty list",
        )),
        (Some(list), false) if !list.is_empty() => Err(JsonError::new(
            "withdrawals",
            format!("came with Shanghai, this block is {}", rules.fork.name()),
        )),
        (list, _) => Ok(list.unwrap_or_default()),
    }
}

//! The first block of a chain: geth's genesis JSON, its header, its state.

use crate::error::StateError;
use crate::fork::{BlobActivation, BlobParams, Fork, ForkSchedule};
use crate::genesis_text::GenesisText;
use crate::json::{self, JsonError};
use crate::overlay::{NoBlockHashes, Overlay, Sealed};
use crate::requests::requests_hash;
use crate::state::WorldState;
use crate::types::Header;
use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_primitives::{Address, B64, B256, Bytes, U256};
use serde_json::Value;
use std::sync::Arc;

/// Base fee of a London genesis that names none (geth's `params.InitialBaseFee`).
const GENESIS_BASE_FEE: u64 = 1_000_000_000;
/// Gas limit of a genesis that names none (geth's `params.GenesisGasLimit`).
const GENESIS_GAS_LIMIT: u64 = 4_712_388;
/// Difficulty of a genesis before the merge that names none (geth's `params.GenesisDifficulty`).
const GENESIS_DIFFICULTY: u64 = 131_072;

/// One account of a genesis allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Its address.
    pub address: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its wei.
    pub balance: U256,
    /// Its code.
    pub code: Bytes,
    /// Its slots.
    pub storage: Vec<(U256, U256)>,
}

/// A parsed genesis file.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The fork schedule of its `config`.
    pub schedule: ForkSchedule,
    /// The `coc` section of its `config`, which makes the chain one of ours.
    pub coc: Option<Value>,
    /// The header with everything but the state root.
    pub header: Header,
    /// The accounts.
    pub alloc: Vec<GenesisAccount>,
}

impl Genesis {
    /// Parses the text of a genesis file.
    ///
    /// # Errors
    /// A text that is not JSON, or the first field that cannot be used.
    pub fn parse(text: &[u8]) -> Result<Genesis, JsonError> {
        let text = GenesisText::cut(text)?;
        let genesis = Genesis::parse_outline(&text.outline())?;
        Ok(Genesis { alloc: text.accounts()?, ..genesis })
    }

    /// Parses a genesis file's text without its accounts ([`GenesisText::outline`]).
    ///
    /// # Errors
    /// As [`Genesis::parse`].
    pub fn parse_outline(outline: &[u8]) -> Result<Genesis, JsonError> {
        let root: Value =
            serde_json::from_slice(outline).map_err(|error| JsonError::new("genesis", error.to_string()))?;
        let config = json::field(&root, "config")?;
        let schedule = parse_schedule(config)?;
        let header = parse_header(&root, &schedule)?;
        Ok(Genesis { schedule, coc: json::optional(config, "coc").cloned(), header, alloc: Vec::new() })
    }

    /// Puts the allocation into `empty` and the resulting root into the header.
    pub fn seal(&self, empty: WorldState) -> Result<(Header, Sealed), StateError> {
        let sealed = seal_alloc(&self.alloc, empty)?;
        let header = Header { state_root: sealed.state.accounts.root_hash(), ..self.header.clone() };
        Ok((header, sealed))
    }
}

/// The state that holds just `alloc`.
pub fn seal_alloc(alloc: &[GenesisAccount], empty: WorldState) -> Result<Sealed, StateError> {
    let mut overlay = Overlay::new(empty, Arc::new(NoBlockHashes));
    for account in alloc {
        overlay.set_account(account.address, account.nonce, account.balance, Some(account.code.clone()))?;
        for (slot, value) in &account.storage {
            overlay.set_slot(account.address, *slot, *value)?;
        }
    }
    overlay.seal_into()
}

/// Parses an `alloc` (or `pre`) object.
pub fn parse_alloc(alloc: &Value) -> Result<Vec<GenesisAccount>, JsonError> {
    let accounts = alloc.as_object().ok_or_else(|| JsonError::new("alloc", "is not an object"))?;
    accounts.iter().map(|(address, account)| parse_account(address, account)).collect()
}

pub(crate) fn parse_account(address: &str, account: &Value) -> Result<GenesisAccount, JsonError> {
    let place = |error: JsonError| JsonError::new(format!("alloc.{address}.{}", error.place), error.reason);
    let mut storage = Vec::new();
    if let Some(slots) = json::optional(account, "storage") {
        for (slot, value) in
            slots.as_object().ok_or_else(|| place(JsonError::new("storage", "is not an object")))?
        {
            // Hexadecimal with or without 0x; with it, an odd number of digits is a number like any other.
            let slot = Value::String(slot.clone());
            let slot = json::b256(&slot, "storage").or_else(|error| match slot.as_str() {
                Some(text) if text.starts_with("0x") => json::u256(&slot, "storage").map(B256::from),
                _ => Err(error),
            });
            let slot = slot.map_err(place)?;
            let value = json::u256(value, "storage")
                .or_else(|_| json::b256(value, "storage").map(Into::into))
                .map_err(place)?;
            storage.push((slot.into(), value));
        }
    }
    Ok(GenesisAccount {
        address: json::address(&Value::String(address.into()), "address").map_err(place)?,
        nonce: json::maybe(account, "nonce", json::u64).map_err(place)?.unwrap_or(0),
        balance: json::maybe(account, "balance", json::u256).map_err(place)?.unwrap_or_default(),
        code: json::maybe(account, "code", json::bytes).map_err(place)?.unwrap_or_default(),
        storage,
    })
}

fn parse_schedule(config: &Value) -> Result<ForkSchedule, JsonError> {
    let at = |name: &str| json::maybe(config, name, json::u64);
    let mut schedule = ForkSchedule::frontier(at("chainId")?.unwrap_or(1));
    schedule.homestead_block = at("homesteadBlock")?;
    schedule.dao_fork_block = at("daoForkBlock")?;
    schedule.dao_fork_support = config.get("daoForkSupport").and_then(Value::as_bool).unwrap_or(false);
    schedule.tangerine_whistle_block = at("eip150Block")?;
    schedule.spurious_dragon_block = match (at("eip155Block")?, at("eip158Block")?) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    schedule.byzantium_block = at("byzantiumBlock")?;
    schedule.constantinople_block = at("constantinopleBlock")?;
    schedule.petersburg_block = at("petersburgBlock")?.or(schedule.constantinople_block);
    schedule.istanbul_block = at("istanbulBlock")?;
    schedule.muir_glacier_block = at("muirGlacierBlock")?;
    schedule.berlin_block = at("berlinBlock")?;
    schedule.london_block = at("londonBlock")?;
    schedule.arrow_glacier_block = at("arrowGlacierBlock")?;
    schedule.gray_glacier_block = at("grayGlacierBlock")?;
    schedule.terminal_total_difficulty = json::maybe(config, "terminalTotalDifficulty", json::u256)?;
    schedule.shanghai_time = at("shanghaiTime")?;
    schedule.cancun_time = at("cancunTime")?;
    schedule.prague_time = at("pragueTime")?;
    schedule.osaka_time = at("osakaTime")?;
    if let Some(contract) = json::maybe(config, "depositContractAddress", json::address)? {
        schedule.deposit_contract = contract;
    }
    schedule.blob_activations = parse_blob_schedule(config)?;
    Ok(schedule)
}

/// Blob parameters by activation time: geth's `blobSchedule`, whose keys are fork names with a time of their own in `config`.
fn parse_blob_schedule(config: &Value) -> Result<Vec<BlobActivation>, JsonError> {
    let Some(schedule) = json::optional(config, "blobSchedule") else { return Ok(Vec::new()) };
    let entries =
        schedule.as_object().ok_or_else(|| JsonError::new("config.blobSchedule", "is not an object"))?;
    let mut activations = Vec::new();
    for (name, entry) in entries {
        let Some(timestamp) = json::maybe(config, &format!("{name}Time"), json::u64)? else { continue };
        activations.push(BlobActivation { timestamp, params: parse_blob_params(entry)? });
    }
    activations.sort_by_key(|activation| (activation.timestamp, activation.params.max));
    Ok(activations)
}

/// One entry of a blob schedule.
pub fn parse_blob_params(entry: &Value) -> Result<BlobParams, JsonError> {
    let number = |name: &str| json::u64(json::field(entry, name)?, name);
    let params = BlobParams {
        target: number("target")?,
        max: number("max")?,
        update_fraction: number("baseFeeUpdateFraction")?,
    };
    if params.update_fraction == 0 || params.max == 0 {
        return Err(JsonError::new("config.blobSchedule", "max and baseFeeUpdateFraction are not zero"));
    }
    Ok(params)
}

fn parse_header(root: &Value, schedule: &ForkSchedule) -> Result<Header, JsonError> {
    let number = json::maybe(root, "number", json::u64)?.unwrap_or(0);
    if number != 0 {
        return Err(JsonError::new("number", "is not 0: a chain begins with block 0"));
    }
    let timestamp = json::maybe(root, "timestamp", json::u64)?.unwrap_or(0);
    let stated = json::maybe(root, "difficulty", json::u256)?;
    let merged_at_genesis = schedule.terminal_total_difficulty == Some(U256::ZERO);
    let difficulty =
        stated.unwrap_or(if merged_at_genesis { U256::ZERO } else { U256::from(GENESIS_DIFFICULTY) });
    let nonce = json::maybe(root, "nonce", json::u64)?.unwrap_or(0);
    let mut header = Header {
        parent_hash: json::maybe(root, "parentHash", json::b256)?.unwrap_or_default(),
        number,
        timestamp,
        difficulty,
        nonce: B64::from(nonce),
        extra_data: json::maybe(root, "extraData", json::bytes)?.unwrap_or_default(),
        gas_limit: json::maybe(root, "gasLimit", json::u64)?
            .filter(|gas| *gas != 0)
            .unwrap_or(GENESIS_GAS_LIMIT),
        gas_used: json::maybe(root, "gasUsed", json::u64)?.unwrap_or(0),
        mix_hash: json::maybe(root, "mixHash", json::b256)?.unwrap_or_default(),
        beneficiary: json::maybe(root, "coinbase", json::address)?.unwrap_or_default(),
        ..Header::default()
    };
    let london = schedule.london_block.is_some_and(|at| number >= at);
    let by_time = |at: Option<u64>| london && at.is_some_and(|at| timestamp >= at);
    if london {
        header.base_fee_per_gas =
            Some(json::maybe(root, "baseFeePerGas", json::u64)?.unwrap_or(GENESIS_BASE_FEE));
    }
    let times = [schedule.shanghai_time, schedule.cancun_time, schedule.prague_time, schedule.osaka_time];
    if times.windows(2).any(|pair| !by_time(pair[0]) && by_time(pair[1])) {
        return Err(JsonError::new("config", "a fork is active at genesis without the one before it"));
    }
    if by_time(schedule.shanghai_time) {
        header.withdrawals_root = Some(EMPTY_ROOT_HASH);
    }
    if by_time(schedule.cancun_time) {
        header.excess_blob_gas = Some(json::maybe(root, "excessBlobGas", json::u64)?.unwrap_or(0));
        header.blob_gas_used = Some(json::maybe(root, "blobGasUsed", json::u64)?.unwrap_or(0));
        header.parent_beacon_block_root = Some(B256::ZERO);
    }
    if by_time(schedule.prague_time) {
        header.requests_hash = Some(requests_hash(&[]));
    }
    Ok(header)
}

/// The fork a schedule has at its genesis.
pub fn fork_at_genesis(genesis: &Genesis) -> Fork {
    genesis.schedule.rules(genesis.header.number, genesis.header.timestamp, genesis.header.difficulty).fork
}

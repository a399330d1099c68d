//! State tests: one transaction on a given state, one expected root and log hash a fork (GeneralStateTests format).

use crate::CaseResult;
use crate::memory::empty_world;
use crate::network;
use crate::secret::{address_of, secret_key};
use crate::touch::touch;
use alloy_primitives::{Address, B256, Log, TxKind, U256, keccak256};
use coc_evm::error::ExecuteError;
use coc_evm::executor::BlockExecutor;
use coc_evm::fork::{Fork, ForkSchedule};
use coc_evm::genesis::{parse_alloc, parse_blob_params, seal_alloc};
use coc_evm::json::{self, JsonError};
use coc_evm::json_transaction::{access_list, authorizations};
use coc_evm::overlay::BlockHashes;
use coc_evm::types::Header;
use revm::context::TxEnv;
use revm::context::either::Either;
use revm::context::transaction::AccessList;
use serde_json::Value;
use std::sync::Arc;

/// Base fee of an environment that names none though its fork has one (go-ethereum's choice).
const DEFAULT_BASE_FEE: u64 = 10;

/// State tests name no ancestors: the hash of block `n` is the hash of the decimal text of `n`.
struct TextHashes;

impl BlockHashes for TextHashes {
    fn block_hash(&self, number: u64) -> Option<B256> {
        Some(keccak256(number.to_string()))
    }
}

/// Runs every case of a file's text.
pub fn run_file(text: &[u8]) -> Result<Vec<CaseResult>, JsonError> {
    let root: Value =
        serde_json::from_slice(text).map_err(|error| JsonError::new("file", error.to_string()))?;
    let tests = root.as_object().ok_or_else(|| JsonError::new("file", "is not an object of tests"))?;
    let mut results = Vec::new();
    for (name, test) in tests {
        let post = json::field(test, "post")?
            .as_object()
            .ok_or_else(|| JsonError::new("post", "is not an object"))?;
        for (fork, cases) in post {
            for case in
                cases.as_array().ok_or_else(|| JsonError::new("post", "a fork's cases are not a list"))?
            {
                results.push(run_case(name, fork, test, case));
            }
        }
    }
    Ok(results)
}

fn run_case(name: &str, fork: &str, test: &Value, case: &Value) -> CaseResult {
    let mut result = CaseResult { name: name.into(), fork: fork.into(), state_root: None, error: None };
    match execute(fork, test, case) {
        Err(error) => result.error = Some(error),
        Ok(done) => {
            result.state_root = Some(done.root.to_string());
            result.error = judge(case, &done).err();
        }
    }
    result
}

struct Done {
    root: B256,
    logs: Vec<Log>,
    refused: Option<String>,
}

fn judge(case: &Value, done: &Done) -> Result<(), String> {
    let expected = json::b256(json::field(case, "hash").map_err(|e| e.to_string())?, "hash")
        .map_err(|e| e.to_string())?;
    match (&done.refused, json::optional(case, "expectException")) {
        (Some(refused), None) => return Err(format!("the transaction was refused: {refused}")),
        (None, Some(exception)) => {
            return Err(format!("the transaction was accepted, {exception} was expected"));
        }
        _ => {}
    }
    if done.root != expected {
        return Err(format!("the state root is {}, {expected} was expected", done.root));
    }
    let logs = json::maybe(case, "logs", json::b256).map_err(|e| e.to_string())?;
    let found = keccak256(alloy_rlp::encode(&done.logs));
    if logs.is_some_and(|logs| logs != found) {
        return Err(format!("the hash of the logs is {found}, {} was expected", logs.unwrap_or_default()));
    }
    Ok(())
}

fn execute(fork: &str, test: &Value, case: &Value) -> Result<Done, String> {
    let schedule = schedule_of(fork, test).map_err(|e| e.to_string())?;
    let alloc = json::field(test, "pre").and_then(parse_alloc).map_err(|e| e.to_string())?;
    let (empty, codes) = empty_world();
    let sealed = seal_alloc(&alloc, empty).map_err(|e| e.to_string())?;
    codes.extend(sealed.codes);
    let header =
        json::field(test, "env").and_then(|env| header_of(env, &schedule)).map_err(|e| e.to_string())?;
    let rules = schedule.rules(header.number, header.timestamp, U256::ZERO);
    let transaction = transaction_of(test, case);
    run(header, rules, sealed.state, transaction).map_err(|e| e.to_string())
}

fn run(
    header: Header,
    rules: coc_evm::fork::Rules,
    state: coc_evm::state::WorldState,
    transaction: Result<TxEnv, JsonError>,
) -> Result<Done, ExecuteError> {
    // The system calls of a block are no part of a state test.
    let quiet = Header { parent_beacon_block_root: None, ..header.clone() };
    let mut executor = BlockExecutor::without_system_calls(&quiet, rules, state, Arc::new(TextHashes));
    let refused = match transaction {
        Err(unreadable) => Some(unreadable.to_string()),
        Ok(transaction) => executor.run(transaction)?.err().map(|refused| refused.to_string()),
    };
    // A block pays its beneficiary even where the transaction was refused: the tests were made with a reward of zero.
    touch(executor.overlay(), header.beneficiary, rules.fork)?;
    let logs = executor.receipts().first().map(|receipt| receipt.logs.clone()).unwrap_or_default();
    let root = executor.overlay().seal_into()?.state.accounts.root_hash();
    Ok(Done { root, logs, refused })
}

fn schedule_of(fork: &str, test: &Value) -> Result<ForkSchedule, JsonError> {
    let config = json::optional(test, "config");
    let chain_id = config.map(|c| json::maybe(c, "chainid", json::u64)).transpose()?.flatten().unwrap_or(1);
    let mut schedule = network::schedule(fork, chain_id)
        .ok_or_else(|| JsonError::new("post", format!("the fork {fork} is not known")))?;
    if let Some(blobs) = config.and_then(|c| c.get("blobSchedule")).and_then(|b| b.get(fork)) {
        schedule.blob_activations =
            vec![coc_evm::fork::BlobActivation { timestamp: 0, params: parse_blob_params(blobs)? }];
    }
    Ok(schedule)
}

fn header_of(env: &Value, schedule: &ForkSchedule) -> Result<Header, JsonError> {
    let number = json::u64(json::field(env, "currentNumber")?, "currentNumber")?;
    let timestamp = json::u64(json::field(env, "currentTimestamp")?, "currentTimestamp")?;
    let rules = schedule.rules(number, timestamp, U256::ZERO);
    let base_fee = json::maybe(env, "currentBaseFee", json::u64)?.unwrap_or(DEFAULT_BASE_FEE);
    let difficulty = json::maybe(env, "currentDifficulty", json::u256)?.unwrap_or_default();
    let random = json::maybe(env, "currentRandom", json::b256)?;
    Ok(Header {
        number,
        timestamp,
        beneficiary: json::address(json::field(env, "currentCoinbase")?, "currentCoinbase")?,
        difficulty,
        mix_hash: random.unwrap_or_else(|| B256::from(difficulty)),
        gas_limit: json::u64(json::field(env, "currentGasLimit")?, "currentGasLimit")?,
        base_fee_per_gas: rules.at_least(Fork::London).then_some(base_fee),
        excess_blob_gas: json::maybe(env, "currentExcessBlobGas", json::u64)?,
        ..Header::default()
    })
}

fn choice<'a>(
    transaction: &'a Value,
    field: &str,
    case: &Value,
    index: &str,
) -> Result<&'a Value, JsonError> {
    let indexes = json::field(case, "indexes")?;
    let at = json::u64(json::field(indexes, index)?, index)?;
    let list = json::field(transaction, field)?;
    list.get(usize::try_from(at).unwrap_or(usize::MAX))
        .ok_or_else(|| JsonError::new(field, format!("has no item {at}")))
}

fn transaction_of(test: &Value, case: &Value) -> Result<TxEnv, JsonError> {
    let tx = json::field(test, "transaction")?;
    let legacy_price = json::maybe(tx, "gasPrice", json::u128)?;
    let max_fee = json::maybe(tx, "maxFeePerGas", json::u128)?;
    let priority = json::maybe(tx, "maxPriorityFeePerGas", json::u128)?;
    let access_list = access_list_of(tx, case)?;
    let blob_hashes =
        json::maybe(tx, "blobVersionedHashes", |list, place| json::list(list, place, json::b256))?;
    let blob_fee = json::maybe(tx, "maxFeePerBlobGas", json::u128)?;
    let authorizations = json::maybe(tx, "authorizationList", authorizations)?;
    let tx_type = match () {
        () if authorizations.is_some() => 4,
        () if blob_hashes.is_some() || blob_fee.is_some() => 3,
        () if max_fee.is_some() || priority.is_some() => 2,
        () if access_list.is_some() => 1,
        () => 0,
    };
    let to = json::optional(tx, "to").map(|to| json::text(to, "to")).transpose()?.unwrap_or("");
    Ok(TxEnv {
        tx_type,
        caller: sender_of(tx)?,
        gas_limit: json::u64(choice(tx, "gasLimit", case, "gas")?, "gasLimit")?,
        gas_price: max_fee.or(legacy_price).unwrap_or(0),
        kind: if to.is_empty() {
            TxKind::Create
        } else {
            TxKind::Call(json::address(&Value::String(to.into()), "to")?)
        },
        value: json::u256(choice(tx, "value", case, "value")?, "value")?,
        data: json::bytes(choice(tx, "data", case, "data")?, "data")?,
        nonce: json::u64(json::field(tx, "nonce")?, "nonce")?,
        chain_id: json::maybe(tx, "chainId", json::u64)?.or((tx_type != 0).then(|| chain_id_of(test))),
        access_list: access_list.unwrap_or_default(),
        gas_priority_fee: (tx_type >= 2).then_some(priority.unwrap_or(0)),
        blob_hashes: blob_hashes.unwrap_or_default(),
        max_fee_per_blob_gas: blob_fee.unwrap_or(0),
        authorization_list: authorizations.unwrap_or_default().into_iter().map(Either::Left).collect(),
    })
}

fn chain_id_of(test: &Value) -> u64 {
    test.get("config")
        .and_then(|c| c.get("chainid"))
        .and_then(|id| json::u64(id, "chainid").ok())
        .unwrap_or(1)
}

fn sender_of(tx: &Value) -> Result<Address, JsonError> {
    if let Some(sender) = json::maybe(tx, "sender", json::address)? {
        return Ok(sender);
    }
    secret_key(json::field(tx, "secretKey")?, "secretKey").map(|secret| address_of(&secret))
}

fn access_list_of(tx: &Value, case: &Value) -> Result<Option<AccessList>, JsonError> {
    let list = if json::optional(tx, "accessLists").is_some() {
        choice(tx, "accessLists", case, "data")?
    } else if let Some(list) = json::optional(tx, "accessList") {
        list
    } else {
        return Ok(None);
    };
    if list.is_null() { Ok(None) } else { access_list(list, "accessList").map(Some) }
}

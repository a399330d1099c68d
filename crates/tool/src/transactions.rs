//! Transactions as the transition tool is given them: JSON objects, signed or with the key to sign them, or the RLP of their list.
//!
//! What cannot be read as a field at all ends the run with a [`JsonError`]; what reads well and yet can be no transaction is refused,
//! as the same transaction would be in a block.

use crate::secret::{secret_key, sign};
use alloy_consensus::{
    EthereumTypedTransaction, SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use alloy_rlp::{Decodable as _, Header as RlpHeader};
use coc_evm::fork::{Fork, Rules};
use coc_evm::json::{self, JsonError};
use coc_evm::json_transaction::{access_list, authorizations};
use coc_evm::transaction::TransactionInvalid;
use coc_evm::types::Transaction;
use serde_json::Value;

/// A transaction in its place in the list, or why it is none.
pub type Candidate = Result<Transaction, TransactionInvalid>;

/// Reads the list of transactions: a JSON list of objects, or one hexadecimal string with the RLP of a block's list.
pub fn parse(list: &Value, rules: &Rules) -> Result<Vec<Candidate>, JsonError> {
    match list {
        Value::Null => Ok(Vec::new()),
        Value::String(_) => from_rlp(&json::bytes(list, "txs")?),
        Value::Array(objects) => {
            objects.iter().enumerate().map(|(index, object)| from_json(index, object, rules)).collect()
        }
        _ => Err(JsonError::new("txs", "is neither a list of transactions nor the RLP of one as a string")),
    }
}

/// Reads the RLP of a list of transactions; an item that is none is refused and the next one read.
fn from_rlp(mut rlp: &[u8]) -> Result<Vec<Candidate>, JsonError> {
    let wrong = |reason: String| JsonError::new("txs", reason);
    let outer = RlpHeader::decode(&mut rlp).map_err(|error| wrong(format!("is not RLP: {error}")))?;
    if !outer.list || outer.payload_length != rlp.len() {
        return Err(wrong("is not the RLP of one list".into()));
    }
    let mut candidates = Vec::new();
    while !rlp.is_empty() {
        let mut rest = rlp;
        let item = RlpHeader::decode(&mut rest).map_err(|error| wrong(format!("is not RLP: {error}")))?;
        let end = rlp.len() - rest.len() + item.payload_length;
        let (bytes, after) = rlp.split_at(end);
        candidates.push(decode(bytes).map_err(|reason| {
            TransactionInvalid::new(
                "RLP_STRUCTURES_ENCODING",
                format!("the transaction is not valid RLP: {reason}"),
            )
        }));
        rlp = after;
    }
    Ok(candidates)
}

/// Decodes one item, which must be the one canonical encoding of its transaction: the decoder does not look at how long a typed
/// transaction's string is.
fn decode(item: &[u8]) -> Result<Transaction, String> {
    let transaction = Transaction::decode(&mut &*item).map_err(|error| error.to_string())?;
    if alloy_rlp::encode(&transaction) == item {
        Ok(transaction)
    } else {
        Err("it is not the canonical encoding".into())
    }
}

/// Why an object gives no transaction.
enum Problem {
    Unreadable(JsonError),
    Refused(TransactionInvalid),
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Problem::Unreadable(error)
    }
}

fn refuse(code: &'static str, sentence: &str) -> Problem {
    Problem::Refused(TransactionInvalid::new(code, sentence))
}

fn from_json(index: usize, object: &Value, rules: &Rules) -> Result<Candidate, JsonError> {
    let place = format!("txs[{index}]");
    if !object.is_object() {
        return Err(JsonError::new(place, "is not an object"));
    }
    match signed(object, rules) {
        Ok(transaction) => Ok(Ok(transaction)),
        Err(Problem::Refused(refused)) => Ok(Err(refused)),
        Err(Problem::Unreadable(error)) => json::within(place, Err(error)),
    }
}

fn signed(object: &Value, rules: &Rules) -> Result<Transaction, Problem> {
    let number = |name: &str| json::maybe(object, name, json::u256).map(Option::unwrap_or_default);
    let (v, r, s) = (number("v")?, number("r")?, number("s")?);
    let unsigned = v.is_zero() && r.is_zero() && s.is_zero();
    if unsigned && let Some(secret) = json::maybe(object, "secretKey", secret_key)? {
        let protected = object.get("protected").and_then(Value::as_bool).unwrap_or(true);
        // Replay protection came with Spurious Dragon (EIP-155): before, every transaction is signed without.
        let chain_id = (protected && rules.at_least(Fork::SpuriousDragon)).then_some(rules.chain_id);
        let transaction = fields(object, rules, chain_id)?;
        let signature = sign(&secret, transaction.signature_hash());
        return Ok(transaction.into_envelope(signature));
    }
    let transaction_type = kind(object)?;
    let parity =
        if transaction_type == 0 { v } else { json::maybe(object, "yParity", json::u256)?.unwrap_or(v) };
    let said = parity_and_chain(parity, transaction_type);
    let transaction = fields(object, rules, said.and_then(|(_, chain_id)| chain_id))?;
    let (odd, _) = said.ok_or_else(|| refuse("INVALID_SIGNATURE_VRS", "v is no parity of a signature"))?;
    Ok(transaction.into_envelope(Signature::new(r, s, odd)))
}

/// What `v` says: the parity of the signature, and on legacy transactions the chain id (EIP-155).
fn parity_and_chain(v: U256, transaction_type: u8) -> Option<(bool, Option<u64>)> {
    let v = u64::try_from(v).ok()?;
    match (transaction_type, v) {
        (0, 27 | 28) => Some((v == 28, None)),
        (0, 35..) => Some(((v - 35) % 2 == 1, Some((v - 35) / 2))),
        (1.., 0 | 1) => Some((v == 1, None)),
        _ => None,
    }
}

/// The EIP-2718 type: as given, or the oldest that has all the fields that are there.
fn kind(object: &Value) -> Result<u8, Problem> {
    let has = |name: &str| json::optional(object, name).is_some();
    if let Some(given) = json::maybe(object, "type", json::u64)? {
        return u8::try_from(given)
            .ok()
            .filter(|given| *given <= 4)
            .ok_or_else(|| refuse("TYPE_NOT_SUPPORTED", &format!("{given:#x} is no transaction type")));
    }
    Ok(match () {
        () if has("authorizationList") => 4,
        () if has("blobVersionedHashes") || has("maxFeePerBlobGas") => 3,
        () if has("maxFeePerGas") || has("maxPriorityFeePerGas") => 2,
        () if has("accessList") => 1,
        () => 0,
    })
}

fn one_of<'a>(object: &'a Value, name: &'a str, other: &'a str) -> Result<(&'a Value, &'a str), JsonError> {
    match json::optional(object, name) {
        Some(value) => Ok((value, name)),
        None => json::optional(object, other)
            .map(|value| (value, other))
            .ok_or_else(|| JsonError::new(name, "is missing")),
    }
}

/// A price a unit of gas in wei. More than 128 bits hold nobody can pay, and no format forbids.
fn price(object: &Value, name: &str) -> Result<u128, Problem> {
    let price = json::u256(json::field(object, name)?, name)?;
    u128::try_from(price)
        .map_err(|_| refuse("GASLIMIT_PRICE_PRODUCT_OVERFLOW", &format!("{name} is more than 128 bits hold")))
}

/// What transactions of every type have.
struct Common {
    nonce: u64,
    gas_limit: u64,
    to: Option<Address>,
    value: U256,
    input: Bytes,
}

fn common(object: &Value) -> Result<Common, JsonError> {
    let (gas, place) = one_of(object, "gas", "gasLimit")?;
    let gas_limit = json::u64(gas, place)?;
    let (input, place) = one_of(object, "input", "data")?;
    Ok(Common {
        nonce: json::u64(json::field(object, "nonce")?, "nonce")?,
        gas_limit,
        to: recipient(object)?,
        value: json::maybe(object, "value", json::u256)?.unwrap_or_default(),
        input: json::bytes(input, place)?,
    })
}

/// The transaction without its signature; `legacy_chain_id` is that of a legacy one, others name their own.
fn fields(
    object: &Value,
    rules: &Rules,
    legacy_chain_id: Option<u64>,
) -> Result<EthereumTypedTransaction<TxEip4844>, Problem> {
    let Common { nonce, gas_limit, to, value, input } = common(object)?;
    let kind = kind(object)?;
    if kind == 0 {
        let gas_price = price(object, "gasPrice")?;
        let to = to.map_or(TxKind::Create, TxKind::Call);
        return Ok(
            TxLegacy { chain_id: legacy_chain_id, nonce, gas_price, gas_limit, to, value, input }.into()
        );
    }
    let chain_id = json::maybe(object, "chainId", json::u64)?.unwrap_or(rules.chain_id);
    let access_list = json::maybe(object, "accessList", access_list)?.unwrap_or_default();
    if kind == 1 {
        let gas_price = price(object, "gasPrice")?;
        let to = to.map_or(TxKind::Create, TxKind::Call);
        return Ok(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }.into());
    }
    let dynamic = TxEip1559 {
        chain_id,
        nonce,
        gas_limit,
        max_fee_per_gas: price(object, "maxFeePerGas")?,
        max_priority_fee_per_gas: price(object, "maxPriorityFeePerGas")?,
        to: to.map_or(TxKind::Create, TxKind::Call),
        value,
        access_list,
        input,
    };
    match kind {
        2 => Ok(dynamic.into()),
        3 => blob_fields(object, dynamic),
        _ => set_code_fields(object, dynamic),
    }
}

/// A blob transaction (EIP-4844) with the fields it shares with `dynamic`.
fn blob_fields(object: &Value, dynamic: TxEip1559) -> Result<EthereumTypedTransaction<TxEip4844>, Problem> {
    let TxKind::Call(to) = dynamic.to else {
        return Err(refuse("TYPE_3_TX_CONTRACT_CREATION", "a blob transaction cannot create a contract"));
    };
    let hashes = json::field(object, "blobVersionedHashes")?;
    Ok(TxEip4844 {
        chain_id: dynamic.chain_id,
        nonce: dynamic.nonce,
        gas_limit: dynamic.gas_limit,
        max_fee_per_gas: dynamic.max_fee_per_gas,
        max_priority_fee_per_gas: dynamic.max_priority_fee_per_gas,
        to,
        value: dynamic.value,
        access_list: dynamic.access_list,
        blob_versioned_hashes: json::list(hashes, "blobVersionedHashes", json::b256)?,
        max_fee_per_blob_gas: price(object, "maxFeePerBlobGas")?,
        input: dynamic.input,
    }
    .into())
}

/// A set-code transaction (EIP-7702) with the fields it shares with `dynamic`.
fn set_code_fields(
    object: &Value,
    dynamic: TxEip1559,
) -> Result<EthereumTypedTransaction<TxEip4844>, Problem> {
    let TxKind::Call(to) = dynamic.to else {
        return Err(refuse("TYPE_4_TX_CONTRACT_CREATION", "a set-code transaction cannot create a contract"));
    };
    let list = json::field(object, "authorizationList")?;
    Ok(TxEip7702 {
        chain_id: dynamic.chain_id,
        nonce: dynamic.nonce,
        gas_limit: dynamic.gas_limit,
        max_fee_per_gas: dynamic.max_fee_per_gas,
        max_priority_fee_per_gas: dynamic.max_priority_fee_per_gas,
        to,
        value: dynamic.value,
        access_list: dynamic.access_list,
        authorization_list: authorizations(list, "authorizationList")?,
        input: dynamic.input,
    }
    .into())
}

/// Where the transaction goes; none, null or nothing between the quotes makes a contract.
fn recipient(object: &Value) -> Result<Option<Address>, JsonError> {
    match json::optional(object, "to") {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() || text == "0x" => Ok(None),
        Some(to) => json::address(to, "to").map(Some),
    }
}

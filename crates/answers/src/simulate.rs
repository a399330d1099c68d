//! Running a transaction that nobody signed: calls, gas estimates, access lists, on the state of a block with that block's environment.

use crate::fees::difficulty_below;
use crate::overrides;
use crate::request::Request;
use crate::text::Text;
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{B256, Bytes, TxKind, U256};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::shared::Lineage;
use coc_evm::error::StateError;
use coc_evm::executor::{Evm, block_env, cfg_env, equip, new_evm};
use coc_evm::fork::{EMPTY_CODE_HASH, Fork, Rules};
use coc_evm::json::JsonError;
use coc_evm::overlay::Overlay;
use coc_evm::transaction::{TransactionInvalid, check_type, refusal};
use coc_evm::types::Header;
use revm::context::either::Either;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, Output};
use revm::context::{BlockEnv, Context, TxEnv};
use revm::{ExecuteEvm, InspectEvm, MainBuilder};
use revm_inspectors::access_list::AccessListInspector;
use serde_json::Value;
use std::sync::Arc;

/// Gas of the cheapest transaction (yellow paper, Gtransaction).
const TRANSACTION_GAS: u64 = 21_000;
/// Most gas of one transaction from Osaka on (EIP-7825).
const TRANSACTION_GAS_MAX_OSAKA: u64 = 1 << 24;
/// Rounds after which an access list that still grows is answered as it is: it grows only where code branches on gas.
const ACCESS_LIST_ROUNDS_MAX: usize = 16;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The request does not read as a transaction.
    #[error(transparent)]
    Request(#[from] JsonError),
    /// The transaction could not run.
    #[error("{}", .0.sentence)]
    Refused(TransactionInvalid),
    /// The transaction failed where it had to succeed.
    #[error("the transaction fails")]
    Failed(Outcome),
    /// The chain could not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl From<StateError> for SimulateError {
    fn from(error: StateError) -> Self {
        SimulateError::Chain(error.into())
    }
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `success`, `revert` or `halt`.
    pub status: &'static str,
    /// What it returned, or reverted with.
    pub output: Bytes,
    /// Gas it used.
    pub gas_used: u64,
    /// Gas it needed before refunds.
    pub gas_spent: u64,
    /// Why it halted.
    pub reason: String,
}

impl Outcome {
    /// Whether it succeeded.
    pub fn is_success(&self) -> bool {
        self.status == "success"
    }
}

fn outcome(result: ExecutionResult) -> Outcome {
    let (gas_used, gas_spent) = (result.tx_gas_used(), result.gas().total_gas_spent());
    match result {
        ExecutionResult::Success { output, .. } => {
            let output = match output {
                Output::Call(data) | Output::Create(data, _) => data,
            };
            Outcome { status: "success", output, gas_used, gas_spent, reason: String::new() }
        }
        ExecutionResult::Revert { output, .. } => {
            Outcome { status: "revert", output, gas_used, gas_spent, reason: "execution reverted".into() }
        }
        ExecutionResult::Halt { reason, .. } => Outcome {
            status: "halt",
            output: Bytes::new(),
            gas_used,
            gas_spent,
            reason: halt_reason(&format!("{reason}")),
        },
    }
}

/// Clients know these sentences from go-ethereum.
fn halt_reason(reason: &str) -> String {
    let lower = reason.to_lowercase();
    if lower.contains("out of gas") || lower.contains("outofgas") { "out of gas".into() } else { lower }
}

/// Where a call runs.
pub struct Stage {
    header: Header,
    rules: Rules,
    overlay: Box<dyn Fn() -> Result<Overlay, StateError> + Send>,
}

impl Stage {
    /// The state after `block` with overrides (execution-apis `StateOverride`, `BlockOverrides`).
    pub fn on(
        chain: &Chain,
        block: &B256,
        overrides: &[u8],
        block_overrides: &[u8],
    ) -> Result<Stage, SimulateError> {
        let stored = chain.shared.stored(block)?.ok_or(ChainError::UnknownBlock(*block))?;
        let state = chain.shared.state(block)?;
        let mut header = stored.block.header.clone();
        let below = difficulty_below(&stored);
        overrides::apply_to_header(&mut header, &overrides::parse(block_overrides)?)?;
        let rules = chain.shared.schedule.rules(header.number, header.timestamp, below);
        let changes = overrides::parse(overrides)?;
        let lineage =
            Arc::new(Lineage { shared: chain.shared.clone(), from: stored.block.header.parent_hash });
        // Checked once here, so that later overlays of the same stage cannot fail on it.
        let mut first = Overlay::new(state.clone(), lineage.clone());
        overrides::apply_to_state(&mut first, &changes)?;
        let overlay = move || {
            let mut overlay = Overlay::new(state.clone(), lineage.clone());
            overlay.follow(&rules);
            overrides::apply_to_state(&mut overlay, &changes)
                .map_err(|error| StateError(error.to_string()))?;
            Ok(overlay)
        };
        Ok(Stage { header, rules, overlay: Box::new(overlay) })
    }

    fn evm(&self, fees: bool) -> Result<Evm, SimulateError> {
        let mut evm = new_evm((self.overlay)()?, &self.header, &self.rules);
        evm.ctx.cfg = self.cfg(fees);
        Ok(evm)
    }

    fn cfg(&self, fees: bool) -> revm::context::CfgEnv {
        let mut cfg = cfg_env(&self.rules);
        cfg.disable_eip3607 = true;
        cfg.disable_nonce_check = true;
        cfg.disable_block_gas_limit = true;
        cfg.disable_base_fee = !fees;
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        cfg
    }

    fn transaction(&self, request: &Request, gas: u64) -> Result<TxEnv, SimulateError> {
        let kind = match request.kind() {
            // A request without fees is priced at nothing, so the plainest type that carries its lists will do.
            2 if request.max_fee_per_gas.is_none() && !self.rules.at_least(Fork::London) => 0,
            kind => kind,
        };
        check_type(kind, &self.rules).map_err(SimulateError::Refused)?;
        let price =
            request.max_fee_per_gas.or(request.gas_price).or(request.max_priority_fee_per_gas).unwrap_or(0);
        Ok(TxEnv {
            tx_type: kind,
            caller: request.from.unwrap_or_default(),
            gas_limit: gas,
            gas_price: price,
            kind: request.to.map_or(TxKind::Create, TxKind::Call),
            value: request.value,
            data: request.input.clone(),
            nonce: request.nonce.unwrap_or(0),
            chain_id: request.chain_id.or((kind != 0).then_some(self.rules.chain_id)),
            access_list: request.access_list.clone().unwrap_or_default(),
            gas_priority_fee: (kind >= 2).then_some(request.max_priority_fee_per_gas.unwrap_or(0)),
            blob_hashes: request.blob_hashes.clone().unwrap_or_default(),
            max_fee_per_blob_gas: request.max_fee_per_blob_gas.unwrap_or(0),
            authorization_list: request.authorizations.iter().flatten().cloned().map(Either::Left).collect(),
        })
    }

    fn run(&self, request: &Request, gas: u64) -> Result<Outcome, SimulateError> {
        let mut evm = self.evm(has_fees(request))?;
        let result = evm.transact_one(self.transaction(request, gas)?);
        settle(result).map(outcome)
    }

    /// Runs the call.
    pub fn call(&self, request: &Request, gas_cap: u64) -> Result<Outcome, SimulateError> {
        self.run(request, request.gas.unwrap_or(gas_cap).min(gas_cap))
    }

    /// The least gas limit with which the transaction succeeds.
    pub fn estimate_gas(&self, request: &Request, gas_cap: u64) -> Result<u64, SimulateError> {
        let mut high =
            request.gas.filter(|gas| *gas >= TRANSACTION_GAS).unwrap_or(self.header.gas_limit).min(gas_cap);
        if self.rules.at_least(Fork::Osaka) {
            high = high.min(TRANSACTION_GAS_MAX_OSAKA);
        }
        high = self.affordable(request, high)?;
        if self.is_plain_transfer(request)?
            && self.run(request, TRANSACTION_GAS).is_ok_and(|outcome| outcome.is_success())
        {
            return Ok(TRANSACTION_GAS);
        }
        let first = self.run(request, high)?;
        if !first.is_success() {
            return Err(SimulateError::Failed(first));
        }
        let mut low = first.gas_used.saturating_sub(1);
        // What was spent before refunds, and what EIP-150 keeps back in calls, is mostly enough.
        let guess = (first.gas_spent + 2_300).saturating_mul(64) / 63;
        if guess < high && self.succeeds(request, guess)? {
            high = guess;
        }
        if self.succeeds(request, low + 1)? {
            return Ok(low + 1);
        }
        low += 1;
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.succeeds(request, middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high)
    }

    fn succeeds(&self, request: &Request, gas: u64) -> Result<bool, SimulateError> {
        match self.run(request, gas) {
            Ok(outcome) => Ok(outcome.is_success()),
            Err(SimulateError::Refused(refused)) if refused.code.starts_with("INTRINSIC_GAS") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The gas limit that the sender's balance pays for at the fee cap stated.
    fn affordable(&self, request: &Request, high: u64) -> Result<u64, SimulateError> {
        let price = request.max_fee_per_gas.or(request.gas_price).unwrap_or(0);
        if price == 0 {
            return Ok(high);
        }
        let sender = request.from.unwrap_or_default();
        let balance = (self.overlay)()?.info(sender)?.map(|info| info.balance).unwrap_or_default();
        let left = balance.checked_sub(request.value).ok_or_else(|| {
            SimulateError::Refused(TransactionInvalid::new(
                "INSUFFICIENT_ACCOUNT_FUNDS",
                format!(
                    "insufficient funds for transfer: the balance is {balance}, the value {}",
                    request.value
                ),
            ))
        })?;
        let gas = u64::try_from(left / U256::from(price)).unwrap_or(u64::MAX);
        Ok(high.min(gas))
    }

    fn is_plain_transfer(&self, request: &Request) -> Result<bool, SimulateError> {
        let Some(to) = request.to else { return Ok(false) };
        if !request.input.is_empty() || request.kind() > 2 || request.access_list.is_some() {
            return Ok(false);
        }
        Ok((self.overlay)()?.info(to)?.is_none_or(|info| info.code_hash == EMPTY_CODE_HASH))
    }

    /// The access list of the call and the gas it takes with it (execution-apis `AccessListResult`).
    pub fn access_list_json(&self, request: &Request, gas_cap: u64) -> Result<Vec<u8>, SimulateError> {
        let gas = request.gas.unwrap_or(self.header.gas_limit).min(gas_cap);
        let mut request = request.clone();
        let mut list = request.access_list.clone().unwrap_or_default();
        for _ in 0..ACCESS_LIST_ROUNDS_MAX {
            let (found, _) = self.trace_access(&request, list.clone(), gas)?;
            let settled = found == list;
            list = found;
            if settled {
                break;
            }
        }
        request.access_list = Some(list.clone());
        if request.kind() == 0 {
            request.tx_type = Some(1);
        }
        let (_, result) = self.trace_access(&request, list.clone(), gas)?;
        let mut text = Text::default();
        text.open('{');
        text.key("accessList");
        text.open('[');
        for item in &list.0 {
            text.open('{');
            text.put_data("address", item.address);
            text.key("storageKeys");
            text.open('[');
            item.storage_keys.iter().for_each(|key| text.data(key));
            text.close(']');
            text.close('}');
        }
        text.close(']');
        if !result.is_success() {
            text.key("error");
            text.raw(&Value::String(result.reason.clone()).to_string());
        }
        text.put("gasUsed", result.gas_used);
        text.close('}');
        Ok(text.into_bytes())
    }

    fn trace_access(
        &self,
        request: &Request,
        list: AccessList,
        gas: u64,
    ) -> Result<(AccessList, Outcome), SimulateError> {
        let mut transaction = self.transaction(request, gas)?;
        transaction.access_list = list.clone();
        if transaction.tx_type == 0 && !list.0.is_empty() {
            transaction.tx_type = 1;
            transaction.chain_id = Some(self.rules.chain_id);
        }
        let context: revm::handler::MainnetContext<Overlay> =
            Context::<BlockEnv, TxEnv, _, Overlay, _, ()>::new((self.overlay)()?, self.rules.spec)
                .with_cfg(self.cfg(has_fees(request)))
                .with_block(block_env(&self.header, &self.rules));
        let mut evm = context.build_mainnet_with_inspector(AccessListInspector::new(list));
        equip(&mut evm, &self.rules);
        let result = settle(evm.inspect_one_tx(transaction)).map(outcome)?;
        Ok((evm.inspector.access_list(), result))
    }
}

fn has_fees(request: &Request) -> bool {
    [request.gas_price, request.max_fee_per_gas].iter().flatten().any(|fee| *fee != 0)
}

fn settle(
    result: Result<ExecutionResult, EVMError<StateError, InvalidTransaction>>,
) -> Result<ExecutionResult, SimulateError> {
    match result {
        Ok(result) => Ok(result),
        Err(EVMError::Transaction(invalid)) => Err(SimulateError::Refused(refusal(invalid))),
        Err(EVMError::Database(error)) => Err(error.into()),
        Err(other) => Err(SimulateError::Refused(TransactionInvalid::new("EVM_FAILED", other.to_string()))),
    }
}

//! A bare run: one call or creation on a state, without a transaction around it.
//!
//! As in go-ethereum's `evm run`, no intrinsic gas is charged and no fee paid: all the gas there is goes to the code, and the gas used
//! is what the code used before refunds.

use crate::memory::empty_world;
use crate::network;
use crate::t8n::failure;
use crate::trace::Tracer;
use alloy_primitives::{Address, Bytes, TxKind, address};
use coc_evm::error::StateError;
use coc_evm::executor::{block_env, cfg_env};
use coc_evm::fork::{ForkSchedule, Rules};
use coc_evm::genesis::{Genesis, GenesisAccount, seal_alloc};
use coc_evm::json::{self, JsonError};
use coc_evm::overlay::{NoBlockHashes, Overlay};
use coc_evm::state::WorldState;
use coc_evm::types::Header;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction};
use revm::context::{BlockEnv, CfgEnv, ContextTr, Journal, JournalTr, TxEnv};
use revm::handler::{EvmTr, EvmTrError, FrameResult, FrameTr, Handler, MainnetContext};
use revm::inspector::{InspectorEvmTr, InspectorHandler};
use revm::interpreter::InitialAndFloorGas;
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::FrameInit;
use revm::state::EvmState;
use revm::{Context, Inspector, MainBuilder};
use serde_json::Value;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::Arc;

/// Who calls where nobody is named: the word "sender" (go-ethereum's choice).
const SENDER: Address = address!("0x000000000000000000000000000073656e646572");
/// Who is called where nobody is named: the word "receiver" (go-ethereum's choice).
const RECEIVER: Address = address!("0x0000000000000000000000007265636569766572");
/// Gas of a run that names none (go-ethereum's choice).
const GAS: u64 = 10_000_000_000;
/// Rules of a run that names neither a fork nor a genesis: the newest there are.
const FORK: &str = "Osaka";

/// A run, ready to be started any number of times: each start is on the same state.
pub struct Run {
    header: Header,
    rules: Rules,
    state: WorldState,
    call: TxEnv,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What the code returned, or the code it deployed.
    pub output: Bytes,
    /// Gas the code used, before refunds.
    pub gas_used: u64,
    /// Why it failed; `None` where it did not.
    pub failure: Option<String>,
}

/// Why there was no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Something given does not read.
    #[error(transparent)]
    Input(#[from] JsonError),
    /// The trace could not be written.
    #[error("the trace could not be written: {0}")]
    Trace(#[from] io::Error),
    /// The state could not be read.
    #[error("the state could not be read: {0}")]
    State(#[from] StateError),
    /// The EVM did not start.
    #[error("the EVM did not start: {0}")]
    Evm(String),
}

impl Run {
    /// Prepares a run from a JSON object (`code`, `input`, `gas`, `value`, `sender`, `receiver`, `create`, `fork`; all optional) and
    /// the text of the genesis file whose state, block and rules it runs on.
    pub fn prepare(request: &[u8], genesis: Option<&[u8]>) -> Result<Run, RunError> {
        let request: Value = serde_json::from_slice(request)
            .map_err(|error| JsonError::new("request", format!("is not JSON: {error}")))?;
        let genesis = genesis.map(Genesis::parse).transpose()?;
        let code = json::maybe(&request, "code", json::bytes)?;
        let create = request.get("create").and_then(Value::as_bool).unwrap_or(false);
        if code.is_none() && (genesis.is_none() || create) {
            return Err(JsonError::new("code", "is missing: there is nothing to run").into());
        }
        let sender = json::maybe(&request, "sender", json::address)?.unwrap_or(SENDER);
        let receiver = json::maybe(&request, "receiver", json::address)?.unwrap_or(RECEIVER);
        let gas = json::maybe(&request, "gas", json::u64)?.unwrap_or(GAS);
        let value = json::maybe(&request, "value", json::u256)?.unwrap_or_default();
        let input = json::maybe(&request, "input", json::bytes)?.unwrap_or_default();
        let schedule = schedule(&request, genesis.as_ref())?;
        let mut alloc = match &genesis {
            Some(genesis) => genesis.alloc.clone(),
            // Nobody owns anything here: the sender is given what the call carries.
            None => vec![GenesisAccount { address: sender, balance: value, ..GenesisAccount::default() }],
        };
        let data = if create {
            [code.unwrap_or_default(), input].concat().into()
        } else {
            place(&mut alloc, receiver, code);
            input
        };
        let header =
            genesis.map_or_else(|| Header { gas_limit: gas, ..Header::default() }, |genesis| genesis.header);
        let rules = schedule.rules(header.number, header.timestamp, header.difficulty);
        let (empty, codes) = empty_world();
        let sealed = seal_alloc(&alloc, empty)?;
        codes.extend(sealed.codes);
        let kind = if create { TxKind::Create } else { TxKind::Call(receiver) };
        let call = TxEnv { caller: sender, gas_limit: gas, kind, value, data, ..TxEnv::default() };
        Ok(Run { header, rules, state: sealed.state, call })
    }

    /// A state of its own for one start.
    pub fn fresh_state(&self) -> Overlay {
        Overlay::new(self.state.clone(), Arc::new(NoBlockHashes))
    }

    fn context(&self, mut state: Overlay) -> MainnetContext<Overlay> {
        state.follow(&self.rules);
        let mut cfg = cfg_env(&self.rules);
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        let mut context =
            Context::<BlockEnv, TxEnv, CfgEnv, Overlay, Journal<Overlay>, ()>::new(state, self.rules.spec)
                .with_cfg(cfg)
                .with_block(block_env(&self.header, &self.rules));
        context.tx = self.call.clone();
        context
    }

    /// Runs on `state`.
    pub fn start(&self, state: Overlay) -> Result<Ended, RunError> {
        let mut evm = self.context(state).build_mainnet();
        ended(BareHandler::default().run(&mut evm))
    }

    /// Runs on a state of its own and writes every step to `out`.
    pub fn start_traced(&self, out: &mut dyn Write) -> Result<Ended, RunError> {
        let mut evm = self.context(self.fresh_state()).build_mainnet_with_inspector(Tracer::new(out));
        let ended = ended(BareHandler::default().inspect_run(&mut evm))?;
        evm.inspector.finish(&ended.output, ended.failure.as_deref())?;
        Ok(ended)
    }
}

fn schedule(request: &Value, genesis: Option<&Genesis>) -> Result<ForkSchedule, JsonError> {
    match (json::optional(request, "fork"), genesis) {
        (None, Some(genesis)) => Ok(genesis.schedule.clone()),
        (fork, genesis) => {
            let name = fork.map_or(Ok(FORK), |fork| json::text(fork, "fork"))?;
            let chain_id = genesis.map_or(1, |genesis| genesis.schedule.chain_id);
            network::schedule(name, chain_id)
                .ok_or_else(|| JsonError::new("fork", format!("{name} is not known")))
        }
    }
}

/// Puts `code` where the call goes.
fn place(alloc: &mut Vec<GenesisAccount>, receiver: Address, code: Option<Bytes>) {
    let Some(code) = code else { return };
    match alloc.iter_mut().find(|account| account.address == receiver) {
        Some(account) => account.code = code,
        None => alloc.push(GenesisAccount { address: receiver, code, ..GenesisAccount::default() }),
    }
}

type EvmError = EVMError<StateError, InvalidTransaction>;

fn ended(result: Result<ExecutionResult<HaltReason>, EvmError>) -> Result<Ended, RunError> {
    let result = match result {
        Ok(result) => result,
        Err(EVMError::Database(error)) => return Err(error.into()),
        Err(other) => return Err(RunError::Evm(other.to_string())),
    };
    let gas_used = result.gas().total_gas_spent();
    let failure = failure(&result);
    Ok(Ended { output: result.into_output().unwrap_or_default(), gas_used, failure })
}

/// Ethereum's way with a call, without the transaction: nothing is checked or charged before the code runs.
struct BareHandler<EVM, ERROR, FRAME>(PhantomData<(EVM, ERROR, FRAME)>);

impl<EVM, ERROR, FRAME> Default for BareHandler<EVM, ERROR, FRAME> {
    fn default() -> Self {
        BareHandler(PhantomData)
    }
}

impl<EVM, ERROR, FRAME> Handler for BareHandler<EVM, ERROR, FRAME>
where
    EVM: EvmTr<Context: ContextTr<Journal: JournalTr<State = EvmState>>, Frame = FRAME>,
    ERROR: EvmTrError<EVM>,
    FRAME: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
{
    type Evm = EVM;
    type Error = ERROR;
    type HaltReason = HaltReason;

    fn validate(&self, evm: &mut EVM) -> Result<InitialAndFloorGas, ERROR> {
        // The caller is loaded and warm, as after the checks of a transaction.
        let caller = revm::context::Transaction::caller(evm.ctx().tx());
        evm.ctx().journal_mut().load_account(caller)?;
        Ok(InitialAndFloorGas::new(0, 0))
    }
}

impl<EVM, ERROR, FRAME> InspectorHandler for BareHandler<EVM, ERROR, FRAME>
where
    EVM: InspectorEvmTr<
            Context: ContextTr<Journal: JournalTr<State = EvmState>>,
            Frame = FRAME,
            Inspector: Inspector<<EVM as EvmTr>::Context, EthInterpreter>,
        >,
    ERROR: EvmTrError<EVM>,
    FRAME: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
{
    type IT = EthInterpreter;
}

//! The transition tool: a state, a block's environment and transactions in; the state after them and what they did out.
//!
//! Conventions are those of go-ethereum's `evm t8n`, so that what drives that tool drives this one (execution-spec-tests among others).
//! A transaction that cannot be in the block is left out and named; only input that cannot be read ends a run.

use crate::environment::{Environment, GivenHashes};
use crate::memory::empty_world;
use crate::network;
use crate::post_state;
use crate::report::{self, Included, Rejected};
use crate::touch::touch;
use crate::trace::{Tracer, reason};
use crate::transactions::{self, Candidate};
use alloy_primitives::{B256, Bytes, U256};
use coc_evm::error::{BlockInvalid, ExecuteError, StateError};
use coc_evm::executor::{BlockExecutor, block_env, cfg_env};
use coc_evm::fork::Fork;
use coc_evm::genesis::{GenesisAccount, parse_alloc, seal_alloc};
use coc_evm::json::JsonError;
use coc_evm::overlay::Overlay;
use coc_evm::transaction::{recover_sender, tx_env};
use coc_evm::types::Transaction;
use revm::context::result::{ExecutionResult, HaltReason};
use revm::context::{BlockEnv, CfgEnv, Journal, TxEnv};
use revm::handler::MainnetContext;
use revm::interpreter::InstructionResult;
use revm::{Context, InspectEvm, MainBuilder};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::Arc;

/// The three texts a transition is made from, each JSON.
pub struct Input<'a> {
    /// Accounts before.
    pub alloc: &'a [u8],
    /// The block.
    pub env: &'a [u8],
    /// Its transactions.
    pub txs: &'a [u8],
}

/// Rules and manner of a transition.
pub struct Options {
    /// A fork or transition network.
    pub fork: String,
    /// Chain id of the rules and of what is signed here.
    pub chain_id: u64,
    /// Wei paid for the block; `None` pays nobody and touches nobody.
    pub reward: Option<u64>,
    /// Runs the transactions alone: no system calls, rewards, withdrawals or requests.
    pub state_test: bool,
}

/// What comes out.
pub struct Output {
    /// Accounts after.
    pub alloc: Value,
    /// What the transactions did.
    pub result: Value,
    /// RLP of the list of the transactions that are in the block.
    pub body: Bytes,
}

/// Opens the place for the trace of a transaction: its place in the block, its hash.
pub type OpenTrace<'a> = &'a mut dyn FnMut(usize, B256) -> io::Result<Box<dyn Write>>;

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum T8nError {
    /// Something given does not read.
    #[error(transparent)]
    Input(#[from] JsonError),
    /// No such network.
    #[error("the fork {0} is not known")]
    UnknownFork(String),
    /// The environment does not have a hash the code asked for.
    #[error("env.blockHashes: a transaction asked for the hash of block {0}, which is not given")]
    MissingBlockHash(u64),
    /// A trace could not be written.
    #[error("the trace could not be written: {0}")]
    Trace(#[from] io::Error),
    /// The state could not be read.
    #[error("the state could not be read: {0}")]
    State(#[from] StateError),
}

impl From<ExecuteError> for T8nError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::State(error) => T8nError::State(error),
            ExecuteError::Invalid(invalid) => T8nError::Input(JsonError::new("block", invalid.to_string())),
        }
    }
}

/// A transition in progress.
struct Transition<'a> {
    environment: Environment,
    executor: BlockExecutor,
    hashes: Arc<GivenHashes>,
    trace: Option<OpenTrace<'a>>,
    included: Vec<Included>,
    rejected: Vec<Rejected>,
}

/// Runs a transition.
pub fn run(input: &Input<'_>, options: &Options, trace: Option<OpenTrace<'_>>) -> Result<Output, T8nError> {
    let schedule = network::schedule(&options.fork, options.chain_id)
        .ok_or_else(|| T8nError::UnknownFork(options.fork.clone()))?;
    let alloc = parse_alloc(&parse(input.alloc, "alloc")?)?;
    let environment = Environment::parse(&parse(input.env, "env")?, &schedule, options.state_test)?;
    let candidates = transactions::parse(&parse(input.txs, "txs")?, &environment.rules)?;
    let (empty, codes) = empty_world();
    let sealed = seal_alloc(&alloc, empty)?;
    codes.extend(sealed.codes);
    let hashes = Arc::new(GivenHashes::new(environment.hashes.clone()));
    let (header, rules) = (&environment.header, environment.rules);
    let executor = if options.state_test {
        BlockExecutor::without_system_calls(header, rules, sealed.state, hashes.clone())
    } else {
        BlockExecutor::begin(header, rules, sealed.state, hashes.clone(), &[])?
    };
    let mut transition =
        Transition { environment, executor, hashes, trace, included: Vec::new(), rejected: Vec::new() };
    for (index, candidate) in candidates.into_iter().enumerate() {
        transition.apply(index, candidate)?;
    }
    let (requests, exception) =
        if options.state_test { (None, None) } else { transition.close(options.reward)? };
    let executed = transition.executor.seal(requests)?;
    codes.extend(executed.codes.clone());
    let exception = exception.map(|invalid| invalid.to_string());
    transition.output(&alloc, &executed, exception.as_deref())
}

fn parse(text: &[u8], place: &str) -> Result<Value, JsonError> {
    serde_json::from_slice(text).map_err(|error| JsonError::new(place, format!("is not JSON: {error}")))
}

impl Transition<'_> {
    fn apply(&mut self, index: usize, candidate: Candidate) -> Result<(), T8nError> {
        let recovered = candidate.and_then(|transaction| {
            let sender = recover_sender(&transaction, self.environment.rules.fork)?;
            Ok((transaction, sender))
        });
        let (transaction, sender) = match recovered {
            Ok(recovered) => recovered,
            Err(reason) => {
                self.rejected.push(Rejected { index, reason });
                return Ok(());
            }
        };
        let call = tx_env(&transaction, sender);
        self.trace(&transaction, call.clone())?;
        match self.executor.run(call)? {
            Ok(_) => self.included.push(Included { transaction, sender }),
            Err(reason) => {
                self.rejected.push(Rejected { index, reason });
                return Ok(());
            }
        }
        self.hashes.missing().map_or(Ok(()), |number| Err(T8nError::MissingBlockHash(number)))
    }

    /// A traced transaction runs twice: first to be watched, leaving nothing behind, then for its effect.
    fn trace(&mut self, transaction: &Transaction, call: TxEnv) -> Result<(), T8nError> {
        let Some(open) = self.trace.as_mut() else { return Ok(()) };
        let (header, rules) = (&self.environment.header, &self.environment.rules);
        let mut out = Lazy { open, index: self.included.len(), hash: *transaction.tx_hash(), file: None };
        let context: MainnetContext<&mut Overlay> =
            Context::<BlockEnv, TxEnv, CfgEnv, _, Journal<_>, ()>::new(self.executor.overlay(), rules.spec)
                .with_cfg(cfg_env(rules))
                .with_block(block_env(header, rules));
        let mut evm = context.build_mainnet_with_inspector(Tracer::new(&mut out));
        let result = evm.inspect_one_tx(call);
        let tracer = evm.inspector;
        if let Ok(result) = result {
            let failure = failure(&result);
            let output = result.output().cloned().unwrap_or_default();
            tracer.finish(&output, failure.as_deref())?;
        }
        Ok(())
    }

    /// Rewards, withdrawals and requests; a block that breaks a rule here is reported, not refused.
    fn close(&mut self, reward: Option<u64>) -> Result<(Option<Vec<Bytes>>, Option<BlockInvalid>), T8nError> {
        let fork = self.environment.rules.fork;
        if let Some(reward) = reward {
            self.executor.pay_rewards(U256::from(reward), &self.environment.ommers)?;
            for paid in self.environment.ommers.iter().chain([&self.environment.header]) {
                touch(self.executor.overlay(), paid.beneficiary, fork)?;
            }
        }
        self.executor.pay_withdrawals(&self.environment.withdrawals)?;
        if fork < Fork::Prague {
            return Ok((None, None));
        }
        match self.executor.collect_requests() {
            Ok(requests) => Ok((Some(requests), None)),
            Err(ExecuteError::Invalid(invalid)) => Ok((Some(Vec::new()), Some(invalid))),
            Err(ExecuteError::State(error)) => Err(error.into()),
        }
    }

    fn output(
        mut self,
        alloc: &[GenesisAccount],
        executed: &coc_evm::executor::Executed,
        exception: Option<&str>,
    ) -> Result<Output, T8nError> {
        let names = post_state::names(alloc, self.executor.overlay());
        let result = report::result(&self.environment, executed, &self.included, &self.rejected, exception);
        let transactions: Vec<&Transaction> =
            self.included.iter().map(|included| &included.transaction).collect();
        let mut body = Vec::new();
        alloy_rlp::encode_list::<_, Transaction>(&transactions, &mut body);
        Ok(Output { alloc: post_state::alloc(&executed.state, &names)?, result, body: body.into() })
    }
}

/// Why a call failed, in words; `None` where it did not.
pub fn failure(result: &ExecutionResult<HaltReason>) -> Option<String> {
    match result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { .. } => Some(reason(InstructionResult::Revert)),
        ExecutionResult::Halt { reason: halt, .. } => Some(reason(halt.clone().into())),
    }
}

/// A file that is made when the first line comes, so that a refused transaction has none.
struct Lazy<'a, 'b> {
    open: &'a mut OpenTrace<'b>,
    index: usize,
    hash: B256,
    file: Option<Box<dyn Write>>,
}

impl Write for Lazy<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = match self.file.as_mut() {
            Some(file) => file,
            None => self.file.insert((self.open)(self.index, self.hash)?),
        };
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

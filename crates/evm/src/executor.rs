//! The one transition function: what a block does to the state, for building and validating alike.
//!
//! A [`BlockExecutor`] is opened with [`BlockExecutor::begin`], fed transactions in order, and closed with
//! [`BlockExecutor::finish`]. The validator stops at the first refused transaction, the builder leaves it out; nothing else differs.

mod closing;

use crate::dao;
use crate::error::{ExecuteError, StateError};
use crate::fork::{Fork, GAS_PER_BLOB, Rules};
use crate::net_gas;
use crate::overlay::{BlockHashes, Overlay};
use crate::requests;
use crate::state::WorldState;
use crate::storage_only;
use crate::transaction::{TransactionInvalid, check_type, refusal, tx_env};
use crate::types::{Header, Outcome, Receipt, Transaction};
use alloy_consensus::Transaction as _;
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, Bloom, Bytes, TxKind, U256, address};
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction, Output};
use revm::context::{BlockEnv, CfgEnv, ContextTr, Journal, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::handler::{Handler, MainnetContext, MainnetEvm, MainnetHandler, SYSTEM_ADDRESS};
use revm::{Context, ExecuteEvm, MainBuilder};
use std::sync::Arc;

pub use closing::block_reward;

/// Predeploy that keeps parent beacon block roots (EIP-4788).
pub const BEACON_ROOTS: Address = address!("0x000f3df6d732807ef1319fb7b8bb8522d0beac02");
/// Predeploy that keeps block hashes (EIP-2935).
pub const HISTORY_STORAGE: Address = address!("0x0000f90827f1c53a10cb7a02335b175320002935");
/// Gas of a system call (EIP-4788).
const SYSTEM_CALL_GAS: u64 = 30_000_000;

/// A call the protocol itself makes, outside block gas, fees and receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// The contract called.
    pub to: Address,
    /// Its calldata.
    pub data: Bytes,
}

/// Everything a block did.
pub struct Executed {
    /// The state after the block.
    pub state: WorldState,
    /// Code that was deployed, by hash.
    pub codes: B256Map<Bytes>,
    /// One receipt a transaction.
    pub receipts: Vec<Receipt>,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// Blob gas of all transactions.
    pub blob_gas_used: u64,
    /// Bloom over all logs.
    pub bloom: Bloom,
    /// Accounts that changed; before Byzantium an account may stand more than once.
    pub changed: Vec<Address>,
    /// Requests to the consensus layer, type byte first, empty ones included; `None` before Prague.
    pub requests: Option<Vec<Bytes>>,
}

/// Why the EVM did not run a transaction.
type EvmError = EVMError<StateError, InvalidTransaction>;

/// An EVM over an overlay.
pub type Evm = InspectedEvm<()>;
/// An EVM over an overlay, watched by an inspector.
pub type InspectedEvm<I> = MainnetEvm<MainnetContext<Overlay>, I>;

/// Executes one block, transaction by transaction.
pub struct BlockExecutor {
    evm: Evm,
    rules: Rules,
    gas_limit: u64,
    base_fee: Option<u64>,
    beneficiary: Address,
    number: u64,
    receipts: Vec<Receipt>,
    codes: B256Map<Bytes>,
    changed: Vec<Address>,
    gas_used: u64,
    blob_gas_used: u64,
}

/// The EVM's configuration under `rules`.
pub fn cfg_env(rules: &Rules) -> CfgEnv {
    let mut cfg = CfgEnv::new().with_spec_and_mainnet_gas_params(rules.spec).with_chain_id(rules.chain_id);
    cfg.tx_chain_id_check = true;
    cfg.max_blobs_per_tx = rules.blobs_per_transaction();
    cfg.blob_base_fee_update_fraction = rules.blobs.map(|blobs| blobs.update_fraction);
    net_gas::price(&mut cfg, rules);
    cfg
}

/// What the EVM sees of a header.
pub fn block_env(header: &Header, rules: &Rules) -> BlockEnv {
    let excess = header.excess_blob_gas.unwrap_or(0);
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or(0),
        difficulty: header.difficulty,
        prevrandao: rules.at_least(Fork::Paris).then_some(header.mix_hash),
        blob_excess_gas_and_price: rules.blobs.map(|blobs| BlobExcessGasAndPrice {
            excess_blob_gas: excess,
            blob_gasprice: blobs.base_fee(excess),
        }),
        slot_num: 0,
    }
}

/// An EVM for `header` under `rules` on `overlay`.
pub fn new_evm(overlay: Overlay, header: &Header, rules: &Rules) -> Evm {
    let context: MainnetContext<Overlay> =
        Context::<BlockEnv, TxEnv, CfgEnv, Overlay, Journal<Overlay>, ()>::new(overlay, rules.spec)
            .with_cfg(cfg_env(rules))
            .with_block(block_env(header, rules));
    let mut evm = context.build_mainnet();
    equip(&mut evm, rules);
    evm
}

/// Gives an EVM over an overlay what `rules` demand beyond its configuration; [`new_evm`] has done so.
pub fn equip<I>(evm: &mut InspectedEvm<I>, rules: &Rules) {
    evm.ctx.db_mut().follow(rules);
    net_gas::install(evm, rules);
    storage_only::install(evm);
}

impl BlockExecutor {
    /// Opens the block that `header` describes (its results are not read) on the parent's `state`: the DAO's transfer, the beacon
    /// root, the parent's hash and the engine's calls `before` happen here.
    pub fn begin(
        header: &Header,
        rules: Rules,
        state: WorldState,
        hashes: Arc<dyn BlockHashes>,
        before: &[SystemCall],
    ) -> Result<Self, ExecuteError> {
        let mut overlay = Overlay::new(state, hashes);
        if rules.dao_transfer {
            for account in dao::DRAINED_ACCOUNTS {
                let balance = overlay.drain_balance(account)?;
                overlay.add_balance(dao::REFUND_CONTRACT, balance)?;
            }
        }
        let mut executor = Self::on_overlay(header, rules, overlay);
        if let Some(root) = header.parent_beacon_block_root.filter(|_| rules.at_least(Fork::Cancun)) {
            executor.system_call(BEACON_ROOTS, Bytes::copy_from_slice(root.as_slice()))?;
        }
        if rules.at_least(Fork::Prague) {
            executor.system_call(HISTORY_STORAGE, Bytes::copy_from_slice(header.parent_hash.as_slice()))?;
        }
        for call in before {
            executor.system_call(call.to, call.data.clone())?;
        }
        Ok(executor)
    }

    /// An open block in which the protocol itself did nothing: for single transactions outside a chain.
    pub fn without_system_calls(
        header: &Header,
        rules: Rules,
        state: WorldState,
        hashes: Arc<dyn BlockHashes>,
    ) -> Self {
        Self::on_overlay(header, rules, Overlay::new(state, hashes))
    }

    fn on_overlay(header: &Header, rules: Rules, overlay: Overlay) -> Self {
        BlockExecutor {
            evm: new_evm(overlay, header, &rules),
            rules,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas,
            beneficiary: header.beneficiary,
            number: header.number,
            receipts: Vec::new(),
            codes: B256Map::default(),
            changed: Vec::new(),
            gas_used: 0,
            blob_gas_used: 0,
        }
    }

    /// Reads ahead, on all cores, the accounts that these transactions are known to need.
    pub fn preload(&mut self, transactions: &[Transaction], senders: &[Address]) -> Result<(), StateError> {
        let called = transactions.iter().filter_map(|transaction| transaction.to());
        self.overlay().preload(senders.iter().copied().chain(called))
    }

    /// The changes so far.
    pub fn overlay(&mut self) -> &mut Overlay {
        self.evm.ctx.db_mut()
    }

    /// Runs one system call and keeps its changes; `Ok(None)` where the call failed and left nothing.
    fn system_call(&mut self, to: Address, data: Bytes) -> Result<Option<Bytes>, StateError> {
        let call = TxEnv {
            caller: SYSTEM_ADDRESS,
            kind: TxKind::Call(to),
            data,
            gas_limit: SYSTEM_CALL_GAS,
            ..TxEnv::default()
        };
        self.evm.ctx.tx = call;
        let result: Result<ExecutionResult, EvmError> =
            MainnetHandler::default().run_system_call(&mut self.evm);
        let changes = self.evm.finalize();
        match result {
            Ok(ExecutionResult::Success { output: Output::Call(output), .. }) => {
                self.overlay().commit(changes);
                Ok(Some(output))
            }
            Ok(_) => Ok(None),
            Err(EVMError::Database(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Gas that is left for transactions.
    pub fn gas_left(&self) -> u64 {
        self.gas_limit - self.gas_used
    }

    /// Executes the next transaction. A refused one leaves no trace.
    pub fn transact(
        &mut self,
        transaction: &Transaction,
        sender: Address,
    ) -> Result<Result<&Receipt, TransactionInvalid>, StateError> {
        self.run(tx_env(transaction, sender))
    }

    /// [`Self::transact`] for a transaction that is already in the EVM's form.
    pub fn run(&mut self, transaction: TxEnv) -> Result<Result<&Receipt, TransactionInvalid>, StateError> {
        if let Err(refused) = self.admit(&transaction) {
            return Ok(Err(refused));
        }
        let (tx_type, blob_gas) = (transaction.tx_type, transaction.blob_hashes.len() as u64 * GAS_PER_BLOB);
        let result = self.evm.transact_one(transaction);
        let changes = self.evm.finalize();
        let result = match result {
            Ok(result) => result,
            Err(EVMError::Transaction(invalid)) => return Ok(Err(refusal(invalid))),
            Err(EVMError::Database(error)) => return Err(error),
            Err(other) => return Ok(Err(TransactionInvalid::new("EVM_FAILED", other.to_string()))),
        };
        self.overlay().commit(changes);
        self.gas_used += result.tx_gas_used();
        self.blob_gas_used += blob_gas;
        let receipt = self.receipt(tx_type, result)?;
        self.receipts.push(receipt);
        Ok(Ok(&self.receipts[self.receipts.len() - 1]))
    }

    fn admit(&self, transaction: &TxEnv) -> Result<(), TransactionInvalid> {
        check_type(transaction.tx_type, &self.rules)?;
        if transaction.kind == TxKind::Create && transaction.tx_type >= 3 {
            let code = if transaction.tx_type == 3 {
                "TYPE_3_TX_CONTRACT_CREATION"
            } else {
                "TYPE_4_TX_CONTRACT_CREATION"
            };
            return Err(TransactionInvalid::new(
                code,
                "blob and set-code transactions cannot create contracts",
            ));
        }
        if transaction.gas_limit > self.gas_left() {
            return Err(TransactionInvalid::new(
                "GAS_ALLOWANCE_EXCEEDED",
                format!(
                    "the gas limit {} is above the {} that are left in the block",
                    transaction.gas_limit,
                    self.gas_left()
                ),
            ));
        }
        let blob_gas_max = self.rules.blobs.map_or(0, |blobs| blobs.max_gas());
        if self.blob_gas_used + transaction.blob_hashes.len() as u64 * GAS_PER_BLOB > blob_gas_max {
            return Err(TransactionInvalid::new(
                "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
                format!("the block holds {blob_gas_max} blob gas, {} are used", self.blob_gas_used),
            ));
        }
        Ok(())
    }

    fn receipt(&mut self, tx_type: u8, result: ExecutionResult) -> Result<Receipt, StateError> {
        let status = result.is_success();
        let gas_used = result.tx_gas_used();
        let created = result.created_address();
        let logs = if status { result.into_logs() } else { Vec::new() };
        let mut bloom = Bloom::ZERO;
        for log in &logs {
            bloom.accrue_log(log);
        }
        let outcome = if self.rules.at_least(Fork::Byzantium) {
            Outcome::Status(status)
        } else {
            let sealed = self.overlay().seal_into()?;
            self.codes.extend(sealed.codes);
            self.changed.extend(sealed.changed);
            Outcome::Root(sealed.state.accounts.root_hash())
        };
        let cumulative_gas_used = self.gas_used;
        Ok(Receipt { tx_type, outcome, cumulative_gas_used, bloom, logs, gas_used, created })
    }

    /// Base fee of the block in wei.
    pub fn base_fee(&self) -> Option<u64> {
        self.base_fee
    }

    /// Receipts so far.
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }
}

/// Roots over encoded lists.
pub mod roots {
    use crate::types::{Receipt, Transaction, Withdrawal};
    use alloy_eips::Encodable2718 as _;
    use alloy_primitives::B256;

    /// Root of the transactions trie.
    pub fn transactions(transactions: &[Transaction]) -> B256 {
        coc_trie::ordered_root(transactions.iter().map(|transaction| transaction.encoded_2718()))
    }

    /// Root of the receipts trie.
    pub fn receipts(receipts: &[Receipt]) -> B256 {
        coc_trie::ordered_root(receipts.iter().map(Receipt::consensus_bytes))
    }

    /// Root of the withdrawals trie.
    pub fn withdrawals(withdrawals: &[Withdrawal]) -> B256 {
        coc_trie::ordered_root(withdrawals.iter().map(alloy_rlp::encode))
    }
}

/// Hash of the empty requests list and similar constants are computed, never written out.
pub fn empty_requests_hash() -> B256 {
    requests::requests_hash(&[])
}

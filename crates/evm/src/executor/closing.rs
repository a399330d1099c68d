//! The end of a block: rewards or withdrawals, requests, the state root.
//!
//! [`BlockExecutor::finish`] does all of it in the order of the chain; the transition tool of the tests, whose reward is an input,
//! takes the same steps one by one.

use super::{BlockExecutor, Executed, SystemCall};
use crate::error::{BlockInvalid, ExecuteError, StateError};
use crate::fork::{EMPTY_CODE_HASH, Fork};
use crate::requests::{self, CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS};
use crate::types::{Header, Withdrawal};
use alloy_primitives::{Address, Bloom, Bytes, U256};

/// Wei a block earns before the merge (yellow paper 11.3, EIP-649, EIP-1234).
pub fn block_reward(fork: Fork) -> U256 {
    let ether: u64 = match fork {
        fork if fork >= Fork::Constantinople => 2,
        fork if fork >= Fork::Byzantium => 3,
        _ => 5,
    };
    U256::from(ether) * U256::from(1_000_000_000_000_000_000u64)
}

impl BlockExecutor {
    /// Closes the block: rewards or withdrawals, the engine's calls `after`, requests, state root.
    pub fn finish(
        mut self,
        ommers: &[Header],
        withdrawals: &[Withdrawal],
        after: &[SystemCall],
    ) -> Result<Executed, ExecuteError> {
        if !self.rules.at_least(Fork::Paris) {
            self.pay_rewards(block_reward(self.rules.fork), ommers)?;
        }
        self.pay_withdrawals(withdrawals)?;
        for call in after {
            self.system_call(call.to, call.data.clone())?;
        }
        let requests = if self.rules.at_least(Fork::Prague) { Some(self.collect_requests()?) } else { None };
        Ok(self.seal(requests)?)
    }

    /// What the block did so far, with its state root; the executor is left without them.
    pub fn seal(&mut self, requests: Option<Vec<Bytes>>) -> Result<Executed, StateError> {
        let sealed = self.overlay().seal_into()?;
        let mut codes = std::mem::take(&mut self.codes);
        codes.extend(sealed.codes);
        let mut changed = std::mem::take(&mut self.changed);
        changed.extend(sealed.changed);
        let receipts = std::mem::take(&mut self.receipts);
        let mut bloom = Bloom::ZERO;
        for receipt in &receipts {
            bloom |= receipt.bloom;
        }
        let (gas_used, blob_gas_used) = (self.gas_used, self.blob_gas_used);
        Ok(Executed {
            state: sealed.state,
            codes,
            receipts,
            gas_used,
            blob_gas_used,
            bloom,
            requests,
            changed,
        })
    }

    /// Pays `reward` wei for the block, and for each of its ommers what the ommer and the naming of it are worth (yellow paper 11.3).
    pub fn pay_rewards(&mut self, reward: U256, ommers: &[Header]) -> Result<(), StateError> {
        let mut own = reward;
        for ommer in ommers {
            let distance = self.number.saturating_sub(ommer.number);
            let share = reward * U256::from(8u64.saturating_sub(distance)) / U256::from(8);
            self.overlay().add_balance(ommer.beneficiary, share)?;
            own += reward / U256::from(32);
        }
        let beneficiary = self.beneficiary;
        self.overlay().add_balance(beneficiary, own)
    }

    /// Pays withdrawals from the consensus layer (EIP-4895).
    pub fn pay_withdrawals(&mut self, withdrawals: &[Withdrawal]) -> Result<(), StateError> {
        for withdrawal in withdrawals {
            let wei = U256::from(withdrawal.amount) * U256::from(1_000_000_000u64);
            self.overlay().add_balance(withdrawal.address, wei)?;
            // One of nothing touches its account all the same.
            self.overlay().clear_if_empty(withdrawal.address)?;
        }
        Ok(())
    }

    /// Collects the requests to the consensus layer (EIP-7685), type byte first, empty ones included.
    pub fn collect_requests(&mut self) -> Result<Vec<Bytes>, ExecuteError> {
        let logs = self.receipts.iter().flat_map(|receipt| receipt.logs.iter());
        let deposits = requests::deposits(logs, self.rules.deposit_contract)?;
        let withdrawals = self.checked_system_call(WITHDRAWAL_REQUESTS)?;
        let consolidations = self.checked_system_call(CONSOLIDATION_REQUESTS)?;
        let typed = [
            (requests::DEPOSIT_REQUEST, deposits),
            (requests::WITHDRAWAL_REQUEST, withdrawals.to_vec()),
            (requests::CONSOLIDATION_REQUEST, consolidations.to_vec()),
        ];
        Ok(typed
            .into_iter()
            .map(|(kind, data)| Bytes::from([&[kind][..], data.as_slice()].concat()))
            .collect())
    }

    /// A system call that must find code and succeed (EIP-7002, EIP-7251).
    fn checked_system_call(&mut self, to: Address) -> Result<Bytes, ExecuteError> {
        let info = self.overlay().info(to)?;
        if info.is_none_or(|info| info.code_hash == EMPTY_CODE_HASH) {
            return Err(BlockInvalid::new(
                "SYSTEM_CONTRACT_EMPTY",
                format!("the system contract {to} has no code"),
            )
            .into());
        }
        self.system_call(to, Bytes::new())?.ok_or_else(|| {
            BlockInvalid::new("SYSTEM_CONTRACT_CALL_FAILED", format!("the system contract {to} failed"))
                .into()
        })
    }
}

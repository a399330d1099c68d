//! Accounts as only old forks, genesis files and tests make them, and what the rules of each fork say of them.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use coc_evm::error::StateError;
use coc_evm::executor::BlockExecutor;
use coc_evm::fork::{Fork, ForkSchedule};
use coc_evm::overlay::{NoBlockHashes, Overlay};
use coc_evm::state::{CodeReader, WorldState};
use coc_evm::types::{Header, Outcome, Withdrawal};
use coc_trie::{MemoryNodes, Trie};
use revm::context::TxEnv;
use std::sync::Arc;

const ODD: Address = Address::repeat_byte(0xdd);
const CALLED: Address = Address::repeat_byte(0xcc);

struct OneCode(Bytes);

impl CodeReader for OneCode {
    fn code(&self, _hash: &B256) -> Result<Option<Bytes>, StateError> {
        Ok(Some(self.0.clone()))
    }
}

/// A block of `fork` over a sealed state in which [`ODD`] has this code; code is read back as a store would give it.
fn block(fork: Fork, code: &[u8]) -> BlockExecutor {
    let codes = Arc::new(OneCode(Bytes::copy_from_slice(code)));
    let empty = WorldState { accounts: Trie::empty(), nodes: Arc::new(MemoryNodes::new()), codes };
    let mut world = Overlay::new(empty, Arc::new(NoBlockHashes));
    world.set_account(ODD, 0, U256::ZERO, Some(Bytes::copy_from_slice(code))).expect("memory");
    let state = world.seal_into().expect("memory").state;
    let rules = ForkSchedule::at_genesis(1, fork).rules(1, 1, U256::ZERO);
    let header = Header { number: 1, gas_limit: 10_000_000, timestamp: 1, ..Header::default() };
    BlockExecutor::without_system_calls(&header, rules, state, Arc::new(NoBlockHashes))
}

fn succeeds(fork: Fork, code: &[u8]) -> bool {
    let call = TxEnv { kind: TxKind::Call(ODD), gas_limit: 100_000, ..TxEnv::default() };
    let mut block = block(fork, code);
    let receipt = block.run(call).expect("memory").expect("the call is valid");
    match receipt.outcome {
        Outcome::Status(status) => status,
        Outcome::Root(_) => receipt.gas_used < 100_000,
    }
}

#[test]
fn code_that_looks_like_a_delegation_is_none_before_prague() {
    let delegation = [&[0xef, 0x01, 0x00][..], CALLED.as_slice()].concat();
    for fork in Fork::ALL {
        assert_eq!(succeeds(fork, &delegation), fork >= Fork::Prague, "{}", fork.name());
    }
}

#[test]
fn code_that_is_almost_a_delegation_fails_on_every_fork() {
    let delegation = [&[0xef, 0x01, 0x00][..], CALLED.as_slice()].concat();
    let longer = [&delegation[..], &[0]].concat();
    let newer = [&[0xef, 0x01, 0x01][..], CALLED.as_slice()].concat();
    for code in [&delegation[..22], &longer, &newer, &[0xef, 0x01], &[0xef]] {
        for fork in Fork::ALL {
            assert!(!succeeds(fork, code), "{} {code:02x?}", fork.name());
        }
    }
}

#[test]
fn a_withdrawal_of_nothing_clears_an_empty_account_and_makes_none() {
    let withdraw = |address, amount| Withdrawal { address, amount, ..Withdrawal::default() };
    let mut block = block(Fork::Shanghai, &[]);
    assert!(block.overlay().info(ODD).expect("memory").is_some());
    let list = [withdraw(ODD, 0), withdraw(CALLED, 0), withdraw(Address::ZERO, 1)];
    block.pay_withdrawals(&list).expect("memory");
    assert!(block.overlay().info(ODD).expect("memory").is_none());
    assert!(block.overlay().info(CALLED).expect("memory").is_none());
    let paid = block.overlay().info(Address::ZERO).expect("memory").expect("it was paid");
    assert_eq!(paid.balance, U256::from(1_000_000_000u64));
}

#[test]
fn a_type_that_no_fork_knows_is_refused() {
    for tx_type in [5, 0x7f, 0xff] {
        let call = TxEnv { tx_type, kind: TxKind::Call(ODD), gas_limit: 100_000, ..TxEnv::default() };
        let refused = block(Fork::Osaka, &[]).run(call).expect("memory").expect_err("no such type");
        assert_eq!(refused.code, "TYPE_NOT_SUPPORTED");
    }
}

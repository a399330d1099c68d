//! What a block's state must be, kept by plain arithmetic beside the chain that computes it.

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use coc_chain::chain::Chain;
use coc_disk::Dice;
use coc_evm::types::{Outcome, Receipt, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Senders with money at genesis.
pub const SENDERS: u8 = 5;
/// Wei that each of them has at genesis.
pub const FUNDS: u128 = 1 << 100;
/// The contract at genesis that stores its second word of input under its first.
pub const BOOK: Address = Address::repeat_byte(0xbb);
/// Its code: PUSH1 32, CALLDATALOAD, PUSH0, CALLDATALOAD, SSTORE, STOP.
pub const BOOK_CODE: [u8; 7] = [0x60, 0x20, 0x35, 0x5f, 0x35, 0x55, 0x00];
/// What every transaction pays for gas, above any base fee here.
const GAS_PRICE: u128 = 1_000_000_000_000;

/// The account of a sender.
pub fn sender(index: u8) -> Address {
    Address::with_last_byte(0x10 + index)
}

/// What one transaction does.
#[derive(Clone, Debug)]
enum Act {
    Transfer { to: Address, wei: u64 },
    Note { slot: u64, value: u64 },
    Deploy { mark: u8 },
}

/// A transaction with its sender, and what the ledger must learn from it.
pub struct Planned {
    pub transaction: Arc<Transaction>,
    pub sender: Address,
    act: Act,
}

/// Balances, nonces, slots and contracts after a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    accounts: BTreeMap<Address, (u64, U256)>,
    slots: BTreeMap<u64, u64>,
    contracts: BTreeMap<Address, u8>,
}

impl Ledger {
    /// The state of block 0.
    pub fn at_genesis() -> Ledger {
        let accounts = (0..SENDERS).map(|index| (sender(index), (0, U256::from(FUNDS)))).collect();
        Ledger { accounts, ..Ledger::default() }
    }

    /// Up to `most` transactions that are valid after this state.
    pub fn plan(&self, dice: &mut Dice, most: u64) -> Vec<Planned> {
        self.plan_of(dice, most, 6)
    }

    /// As [`plan`](Self::plan), and so that the state does not grow for ever.
    pub fn plan_without_contracts(&self, dice: &mut Dice, most: u64) -> Vec<Planned> {
        self.plan_of(dice, most, 5)
    }

    fn plan_of(&self, dice: &mut Dice, most: u64, kinds: u64) -> Vec<Planned> {
        let mut nonces: BTreeMap<Address, u64> = BTreeMap::new();
        let mut planned = Vec::new();
        for _ in 0..dice.below(most + 1) {
            let from = sender(dice.below(u64::from(SENDERS)) as u8);
            let nonce = nonces.entry(from).or_insert(self.accounts[&from].0);
            let act = match dice.below(kinds) {
                0..=2 => Act::Transfer { to: recipient(dice.below(12) as u8), wei: 1 + dice.below(1_000) },
                3 | 4 => Act::Note { slot: dice.below(20), value: dice.below(5) },
                _ => Act::Deploy { mark: 1 + dice.below(3) as u8 },
            };
            planned.push(Planned { transaction: Arc::new(signed(from, *nonce, &act)), sender: from, act });
            *nonce += 1;
        }
        planned
    }

    /// The state after a block of exactly these transactions.
    pub fn after(&self, planned: &[Planned], receipts: &[Receipt]) -> Ledger {
        let mut next = self.clone();
        assert_eq!(planned.len(), receipts.len(), "every planned transaction is in its block");
        for (plan, receipt) in planned.iter().zip(receipts) {
            assert_eq!(receipt.outcome, Outcome::Status(true), "{:?}", plan.act);
            let account = next.accounts.get_mut(&plan.sender).expect("senders are known");
            let contract = plan.sender.create(account.0);
            account.0 += 1;
            account.1 -= U256::from(GAS_PRICE) * U256::from(receipt.gas_used);
            match plan.act {
                Act::Transfer { to, wei } => {
                    account.1 -= U256::from(wei);
                    next.accounts.entry(to).or_default().1 += U256::from(wei);
                }
                Act::Note { slot, value } => drop(next.slots.insert(slot, value)),
                Act::Deploy { mark } => drop(next.contracts.insert(contract, mark)),
            }
        }
        next
    }

    /// Compares a block's state with what it must be.
    pub fn verify(&self, chain: &Chain, block: &B256) -> Result<(), String> {
        let state = chain.shared.state(block).map_err(|error| error.to_string())?;
        let text = |error: coc_evm::error::StateError| error.to_string();
        for (address, expected) in &self.accounts {
            let found =
                state.account(address).map_err(text)?.map(|(account, _)| (account.nonce, account.balance));
            if found.unwrap_or_default() != *expected {
                return Err(format!("account {address} is {found:?} and must be {expected:?}"));
            }
        }
        let book = state.account(&BOOK).map_err(text)?.ok_or("the contract of block 0 is gone")?.1;
        for (slot, expected) in &self.slots {
            let found = state.slot(&book, &B256::from(U256::from(*slot))).map_err(text)?;
            if found != U256::from(*expected) {
                return Err(format!("slot {slot} is {found} and must be {expected}"));
            }
        }
        for (address, mark) in &self.contracts {
            let (account, storage) = state.account(address).map_err(text)?.ok_or("a contract is gone")?;
            let code = state.code(&account.code_hash).map_err(text)?;
            let first = state.slot(&storage, &B256::ZERO).map_err(text)?;
            if code.as_ref() != [*mark] || first != U256::from(*mark) {
                return Err(format!(
                    "contract {address} has code {code} and slot {first}, its mark is {mark}"
                ));
            }
        }
        Ok(())
    }
}

fn recipient(index: u8) -> Address {
    Address::from_slice(&keccak256([index])[..20])
}

/// A transaction whose signature is none: senders are given with it, so nobody looks.
fn signed(from: Address, nonce: u64, act: &Act) -> Transaction {
    let (to, value, input) = match act {
        Act::Transfer { to, wei } => (TxKind::Call(*to), U256::from(*wei), Bytes::new()),
        Act::Note { slot, value } => {
            let words = [U256::from(*slot).to_be_bytes::<32>(), U256::from(*value).to_be_bytes()].concat();
            (TxKind::Call(BOOK), U256::ZERO, words.into())
        }
        Act::Deploy { mark } => (TxKind::Create, U256::ZERO, init_code(*mark).into()),
    };
    let legacy =
        TxLegacy { chain_id: Some(1337), nonce, gas_price: GAS_PRICE, gas_limit: 200_000, to, value, input };
    let r = U256::from_be_slice(from.as_slice()) + U256::ONE;
    Transaction::Legacy(legacy.into_signed(Signature::new(r, U256::ONE, false)))
}

/// Stores the mark in slot 0, logs it as a topic, and leaves it as the contract's only byte of code.
fn init_code(mark: u8) -> Vec<u8> {
    let store = [0x60, mark, 0x5f, 0x55];
    let log = [0x60, mark, 0x5f, 0x5f, 0xa1];
    let leave = [0x60, mark, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3];
    [&store[..], &log, &leave].concat()
}

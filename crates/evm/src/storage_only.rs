//! Accounts that have storage but neither nonce nor code: no contract may be created at their address (EIP-7610).
//!
//! Before Spurious Dragon a contract began with nonce 0, so one whose initcode wrote to storage and returned no code left such an
//! account; mainnet has 28. The EVM looks for a collision at nonce and code hash alone, so it is shown the hash [`COLLIDES`] for
//! them, which counts as "no code" everywhere except where a contract asks for the hash itself: EXTCODEHASH is mended here.

use crate::executor::InspectedEvm;
use crate::fork::EMPTY_CODE_HASH;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::opcode::EXTCODEHASH;
use revm::context_interface::Host;
use revm::interpreter::instructions::{Instruction, host::extcodehash};
use revm::interpreter::interpreter_types::{InterpreterTypes, StackTr};
use revm::interpreter::{InstructionContext, InstructionExecResult, InstructionResult};

/// Code hash shown to the EVM for an account that has nothing but storage and perhaps wei.
pub const COLLIDES: B256 = B256::ZERO;

/// Exchanges the instruction.
pub fn install<I>(evm: &mut InspectedEvm<I>) {
    let gas = evm.instruction.gas_table()[usize::from(EXTCODEHASH)];
    evm.instruction.insert_instruction(EXTCODEHASH, Instruction::new(code_hash), gas);
}

/// The hash of no code where the account exists, though the EVM was shown another.
fn code_hash<W: InterpreterTypes, H: Host + ?Sized>(
    context: InstructionContext<'_, H, W>,
) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let address = *interpreter.stack.top().ok_or(InstructionResult::StackUnderflow)?;
    extcodehash(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    let Some(top) = interpreter.stack.top() else { return Ok(()) };
    if top.is_zero() {
        let word: [u8; 32] = address.to_be_bytes();
        let address = Address::from_word(word.into());
        // The instruction has just loaded and paid for the account.
        let has_wei = host.balance(address).is_some_and(|balance| !balance.data.is_zero());
        if has_wei {
            *top = U256::from_be_bytes(EMPTY_CODE_HASH.0);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::error::StateError;
    use crate::executor::BlockExecutor;
    use crate::fork::{EMPTY_CODE_HASH, Fork, ForkSchedule};
    use crate::overlay::{NoBlockHashes, Overlay};
    use crate::state::{CodeReader, WorldState};
    use crate::types::Header;
    use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
    use coc_trie::{MemoryNodes, Trie};
    use revm::Database;
    use revm::context::TxEnv;
    use std::sync::Arc;

    struct NoCodes;

    impl CodeReader for NoCodes {
        fn code(&self, _hash: &B256) -> Result<Option<Bytes>, StateError> {
            Ok(None)
        }
    }

    /// What `EXTCODEHASH` says of an account with storage alone and this balance, and the gas the asking took.
    fn asked(fork: Fork, balance: u64, with_storage: bool) -> (U256, u64) {
        let (asked, asking) = (Address::repeat_byte(0xaa), Address::repeat_byte(0xcc));
        let nodes = Arc::new(MemoryNodes::new());
        let empty = WorldState { accounts: Trie::empty(), nodes, codes: Arc::new(NoCodes) };
        let mut world = Overlay::new(empty, Arc::new(NoBlockHashes));
        world.set_account(asked, 0, U256::from(balance), None).expect("memory");
        if with_storage {
            world.set_slot(asked, U256::from(1), U256::from(1)).expect("memory");
        }
        let state = world.seal_into().expect("memory").state;
        let rules = ForkSchedule::at_genesis(1, fork).rules(1, 1, U256::ZERO);
        let header = Header { number: 1, gas_limit: 10_000_000, timestamp: 1, ..Header::default() };
        let mut block = BlockExecutor::without_system_calls(&header, rules, state, Arc::new(NoBlockHashes));
        let code = hex::decode(format!("73{}3f600055", "aa".repeat(20))).expect("hex");
        block.overlay().set_account(asking, 1, U256::ZERO, Some(code.into())).expect("memory");
        let call =
            TxEnv { kind: TxKind::Call(asking), gas_limit: 1_000_000, chain_id: Some(1), ..TxEnv::default() };
        let gas_used = block.run(call).expect("memory").expect("the call is valid").gas_used;
        (block.overlay().storage(asking, U256::ZERO).expect("memory"), gas_used)
    }

    #[test]
    fn an_account_with_wei_and_storage_alone_has_the_hash_of_no_code() {
        for fork in [Fork::Petersburg, Fork::Berlin, Fork::Osaka] {
            assert_eq!(asked(fork, 1, true), asked(fork, 1, false), "{}", fork.name());
            assert_eq!(asked(fork, 1, true).0, U256::from_be_bytes(EMPTY_CODE_HASH.0));
        }
    }

    #[test]
    fn an_account_with_storage_alone_is_empty() {
        assert_eq!(asked(Fork::Osaka, 0, true), asked(Fork::Osaka, 0, false));
        assert_eq!(asked(Fork::Osaka, 0, true).0, U256::ZERO);
    }

    #[test]
    fn no_contract_is_created_over_storage() {
        let creator = Address::ZERO;
        let taken = creator.create(0);
        let nodes = Arc::new(MemoryNodes::new());
        let empty = WorldState { accounts: Trie::empty(), nodes, codes: Arc::new(NoCodes) };
        let mut world = Overlay::new(empty, Arc::new(NoBlockHashes));
        world.set_account(taken, 0, U256::ZERO, None).expect("memory");
        world.set_slot(taken, U256::from(1), U256::from(1)).expect("memory");
        let state = world.seal_into().expect("memory").state;
        let rules = ForkSchedule::at_genesis(1, Fork::Osaka).rules(1, 1, U256::ZERO);
        let header = Header { number: 1, gas_limit: 10_000_000, timestamp: 1, ..Header::default() };
        let mut block = BlockExecutor::without_system_calls(&header, rules, state, Arc::new(NoBlockHashes));
        let create =
            TxEnv { kind: TxKind::Create, gas_limit: 100_000, chain_id: Some(1), ..TxEnv::default() };
        let receipt = block.run(create).expect("memory").expect("the creation is valid");
        assert_eq!(receipt.outcome, crate::types::Outcome::Status(false));
        assert_eq!(block.overlay().storage(taken, U256::from(1)).expect("memory"), U256::from(1));
    }
}

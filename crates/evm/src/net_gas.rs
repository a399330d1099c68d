//! Net gas metering of Constantinople (EIP-1283), which was withdrawn before mainnet had it but lives on in test networks.
//!
//! The rule is that of Istanbul (EIP-2200) at Constantinople's prices and without its stipend check, so the EVM's own accounting is
//! asked to use it through other gas parameters and one exchanged instruction.

use crate::executor::InspectedEvm;
use crate::fork::{Fork, Rules};
use revm::bytecode::opcode::SSTORE;
use revm::context::CfgEnv;
use revm::context_interface::Host;
use revm::context_interface::cfg::GasId;
use revm::interpreter::instructions::{Instruction, host::sstore_with_gas_accounting};
use revm::interpreter::interpreter_types::InterpreterTypes;
use revm::interpreter::{InstructionContext, InstructionExecResult, InstructionResult};

/// Cost of a write that changes nothing or is not the first of its slot.
const DIRTY: u64 = 200;
/// Cost of a first write to an empty slot.
const SET: u64 = 20_000;
/// Cost of a first write to another slot.
const RESET: u64 = 5_000;
/// Refund for clearing a slot.
const CLEARS: u64 = 15_000;

/// Sets the prices, where the block is Constantinople's.
pub fn price(cfg: &mut CfgEnv, rules: &Rules) {
    if rules.fork != Fork::Constantinople {
        return;
    }
    let mut prices = cfg.gas_params.clone();
    prices.override_gas([
        (GasId::sstore_static(), DIRTY),
        (GasId::sstore_set_without_load_cost(), SET - DIRTY),
        (GasId::sstore_reset_without_cold_load_cost(), RESET - DIRTY),
        (GasId::sstore_clearing_slot_refund(), CLEARS),
        (GasId::sstore_set_refund(), SET - DIRTY),
        (GasId::sstore_reset_refund(), RESET - DIRTY),
    ]);
    cfg.set_gas_params(prices);
}

/// Exchanges the instruction, where the block is Constantinople's.
pub fn install<I>(evm: &mut InspectedEvm<I>, rules: &Rules) {
    if rules.fork == Fork::Constantinople {
        evm.instruction.insert_instruction(SSTORE, Instruction::new(sstore), 0);
    }
}

fn sstore<W: InterpreterTypes, H: Host + ?Sized>(
    context: InstructionContext<'_, H, W>,
) -> InstructionExecResult {
    sstore_with_gas_accounting(context, |context, _target, load| {
        let prices = context.host.gas_params();
        let (cost, refund) =
            (prices.sstore_dynamic_gas(true, &load.data, false), prices.sstore_refund(true, &load.data));
        if !context.interpreter.gas.record_regular_cost(cost) {
            return Err(InstructionResult::OutOfGas);
        }
        context.interpreter.gas.record_refund(refund);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::executor::BlockExecutor;
    use crate::fork::{Fork, ForkSchedule};
    use crate::overlay::{NoBlockHashes, Overlay};
    use crate::state::{CodeReader, WorldState};
    use crate::types::Header;
    use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
    use coc_trie::{MemoryNodes, Trie};
    use revm::context::TxEnv;
    use std::sync::Arc;

    struct NoCodes;

    impl CodeReader for NoCodes {
        fn code(&self, _hash: &B256) -> Result<Option<Bytes>, crate::error::StateError> {
            Ok(None)
        }
    }

    /// Gas of a transaction that calls the code with `original` in slot 0.
    fn gas_used(code: &str, original: u64) -> u64 {
        let contract = Address::repeat_byte(0xcc);
        let sender = Address::repeat_byte(0xaa);
        let nodes = Arc::new(MemoryNodes::new());
        let empty = WorldState { accounts: Trie::empty(), nodes, codes: Arc::new(NoCodes) };
        let mut world = Overlay::new(empty, Arc::new(NoBlockHashes));
        let code = Bytes::from(hex::decode(code).expect("hex"));
        world.set_account(contract, 1, U256::ZERO, None).expect("memory");
        world.set_slot(contract, U256::ZERO, U256::from(original)).expect("memory");
        world.set_account(sender, 0, U256::from(10).pow(U256::from(18)), None).expect("memory");
        let state = world.seal_into().expect("memory").state;
        let rules = ForkSchedule::at_genesis(1, Fork::Constantinople).rules(1, 1, U256::ZERO);
        let header = Header { number: 1, gas_limit: 10_000_000, timestamp: 1, ..Header::default() };
        let mut block = BlockExecutor::without_system_calls(&header, rules, state, Arc::new(NoBlockHashes));
        block.overlay().set_account(contract, 1, U256::ZERO, Some(code)).expect("memory");
        let call =
            TxEnv { caller: sender, kind: TxKind::Call(contract), gas_limit: 1_000_000, ..TxEnv::default() };
        let receipt = block.run(call).expect("memory").expect("the call is valid");
        receipt.gas_used
    }

    /// The table of EIP-1283: code, gas used, refund (at most half of what the transaction used), original value.
    #[test]
    fn every_case_of_the_eip_costs_what_its_table_says() {
        let cases = [
            ("60006000556000600055", 412, 0, 0),
            ("60006000556001600055", 20_212, 0, 0),
            ("60016000556000600055", 20_212, 19_800, 0),
            ("60016000556002600055", 20_212, 0, 0),
            ("60016000556001600055", 20_212, 0, 0),
            ("60006000556000600055", 5_212, 15_000, 1),
            ("60006000556001600055", 5_212, 4_800, 1),
            ("60006000556002600055", 5_212, 0, 1),
            ("60026000556000600055", 5_212, 15_000, 1),
            ("60026000556003600055", 5_212, 0, 1),
            ("60026000556001600055", 5_212, 4_800, 1),
            ("60026000556002600055", 5_212, 0, 1),
            ("60016000556000600055", 5_212, 15_000, 1),
            ("60016000556002600055", 5_212, 0, 1),
            ("60016000556001600055", 412, 0, 1),
            ("600160005560006000556001600055", 40_218, 19_800, 0),
            ("600060005560016000556000600055", 10_218, 19_800, 1),
        ];
        for (code, gas, refund, original) in cases {
            let refunded = refund.min((21_000 + gas) / 2);
            assert_eq!(gas_used(code, original), 21_000 + gas - refunded, "{code} over {original}");
        }
    }
}

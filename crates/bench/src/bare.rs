//! The yardstick: the same transactions in bare revm on hash maps, with the same parallel recovery of senders; no
//! receipts, no root, no disk.

use crate::folder::{Failure, load_accounts, load_blocks};
use crate::usage;
use crate::workload::{CHAIN_ID, FAUCET, MILL, TOKEN, balance_slot};
use alloy_primitives::{Address, B256, U256};
use coc_chain::chain::Chain;
use coc_chain::open::{ChainOptions, genesis_of};
use coc_evm::block::decode_block;
use coc_evm::executor::{block_env, cfg_env};
use coc_evm::transaction::{recover_senders, tx_env};
use coc_evm::types::Block;
use revm::bytecode::Bytecode;
use revm::database::{CacheDB, EmptyDB};
use revm::state::AccountInfo;
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// Executes the prepared blocks on a copy of the prepared state in hash maps.
///
/// # Errors
/// What the disk or the chain says; a transaction that used another amount of gas than the block says.
pub fn bare(folder: &Path) -> Result<Value, Failure> {
    let blocks: Vec<Block> =
        load_blocks(folder)?.iter().map(|rlp| decode_block(rlp)).collect::<Result<_, _>>()?;
    let base = folder.join("base");
    let text = genesis_of(&base)?.ok_or("the prepared chain has no genesis file")?;
    let (chain, _) = Chain::open(&text, Some(&base), &ChainOptions::default())?;
    let mut state = load_state(&chain, &load_accounts(folder)?)?;
    let schedule = chain.shared.schedule.clone();
    drop(chain);
    let (processor, began) = (usage::processor_seconds(), Instant::now());
    let (mut gas, mut transactions) = (0, 0);
    for block in &blocks {
        let rules = schedule.rules(block.header.number, block.header.timestamp, U256::ZERO);
        let senders = recover_senders(&block.body.transactions, rules.fork)?;
        let context = Context::mainnet()
            .with_db(&mut state)
            .with_cfg(cfg_env(&rules))
            .with_block(block_env(&block.header, &rules));
        let mut evm = context.build_mainnet();
        let mut used = 0;
        for (transaction, sender) in block.body.transactions.iter().zip(senders) {
            used += evm
                .transact_commit(tx_env(transaction, sender))
                .map_err(|error| error.to_string())?
                .tx_gas_used();
        }
        if used != block.header.gas_used {
            return Err(format!("the block says {} gas, bare revm used {used}", block.header.gas_used).into());
        }
        gas += used;
        transactions += block.body.transactions.len();
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(json!({
        "seconds": seconds,
        "processor_seconds": usage::processor_seconds() - processor,
        "transactions": transactions,
        "gas": gas,
        "blocks": blocks.len(),
        "chain_id": CHAIN_ID,
    }))
}

fn load_state(chain: &Chain, accounts: &[Address]) -> Result<CacheDB<EmptyDB>, Failure> {
    let state = chain.shared.head().state;
    let mut loaded = CacheDB::new(EmptyDB::new());
    for address in accounts.iter().chain(&[FAUCET, MILL, TOKEN, Address::with_last_byte(0xfe)]) {
        let Some((account, storage)) = state.account(address)? else { continue };
        let code = Bytecode::new_raw(state.code(&account.code_hash)?);
        loaded.insert_account_info(
            *address,
            AccountInfo::new(account.balance, account.nonce, account.code_hash, code),
        );
        if *address == TOKEN {
            for holder in accounts {
                let slot = balance_slot(*holder);
                loaded.insert_account_storage(TOKEN, slot, state.slot(&storage, &B256::from(slot))?)?;
            }
        }
    }
    Ok(loaded)
}

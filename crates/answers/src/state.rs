//! Answers about accounts: nonce, balance, code, slots, and proofs of them (EIP-1186).

use crate::text::Text;
use alloy_primitives::{Address, B256, U256, keccak256};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_evm::fork::EMPTY_CODE_HASH;
use coc_evm::state::{Account, WorldState};
use coc_trie::{EMPTY_ROOT_HASH, Trie};

/// The account that is not there.
pub const ABSENT: Account =
    Account { nonce: 0, balance: U256::ZERO, storage_root: EMPTY_ROOT_HASH, code_hash: EMPTY_CODE_HASH };

/// The account at an address and its storage trie; an absent one is empty.
pub fn account(state: &WorldState, address: &Address) -> Result<(Account, Trie), ChainError> {
    Ok(state.account(address)?.unwrap_or((ABSENT, Trie::empty())))
}

/// The proof of an account and of some of its slots. Keys are written as 32 bytes.
pub fn proof_json(
    chain: &Chain,
    block: &B256,
    address: &Address,
    slots: &[B256],
) -> Result<Vec<u8>, ChainError> {
    let state = chain.shared.state(block)?;
    let (account, storage) = account(&state, address)?;
    let mut text = Text::with_capacity(4_096);
    text.open('{');
    text.put_data("address", address);
    write_proof(
        &mut text,
        "accountProof",
        state.accounts.prove(&*state.nodes, keccak256(address).as_slice())?,
    );
    text.put256("balance", account.balance);
    text.put_data("codeHash", account.code_hash);
    text.put("nonce", account.nonce);
    text.put_data("storageHash", account.storage_root);
    text.key("storageProof");
    text.open('[');
    for slot in slots {
        text.open('{');
        text.put_data("key", slot);
        text.put256("value", state.slot(&storage, slot)?);
        write_proof(&mut text, "proof", storage.prove(&*state.nodes, keccak256(slot).as_slice())?);
        text.close('}');
    }
    text.close(']');
    text.close('}');
    Ok(text.into_bytes())
}

fn write_proof(text: &mut Text, key: &str, nodes: Vec<impl AsRef<[u8]>>) {
    text.key(key);
    text.open('[');
    nodes.iter().for_each(|node| text.data(node));
    text.close(']');
}

//! A chain of ours with some thousand accounts, contracts with storage, and blocks with signed transactions; and comparing two.

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, keccak256};
use coc_chain::build::Attributes;
use coc_chain::chain::Chain;
use coc_chain::open::ChainOptions;
use coc_evm::types::Transaction;
use coc_trie::Trie;
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, SecretKey};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// How much there is at genesis.
struct Size {
    /// Accounts without code.
    plain: u64,
    contracts: u64,
    /// Slots of the largest contract.
    largest_slots: u64,
}

const LARGE: Size = Size { plain: 2_800, contracts: 200, largest_slots: 2_000 };
const SMALL: Size = Size { plain: 500, contracts: 90, largest_slots: 400 };
/// Blocks behind genesis: more than BLOCKHASH reaches.
pub const BLOCKS: u64 = 262;
/// Stores its second word of input under its first: PUSH1 32, CALLDATALOAD, PUSH0, CALLDATALOAD, SSTORE, STOP.
pub const BOOK: Address = address!("00000000000000000000000000000000000b0000");
const BOOK_CODE: [u8; 7] = [0x60, 0x20, 0x35, 0x5f, 0x35, 0x55, 0x00];
/// Stores the hash of the block 200 heights back under the height, and logs the height:
/// NUMBER, PUSH1 200, SWAP1, SUB, BLOCKHASH, NUMBER, SSTORE, NUMBER, PUSH0, PUSH0, LOG1, STOP.
pub const WITNESS: Address = address!("00000000000000000000000000000000000b0001");
const WITNESS_CODE: [u8; 13] = [0x60, 0xc8, 0x43, 0x03, 0x40, 0x43, 0x55, 0x43, 0x5f, 0x5f, 0xa1, 0x00, 0x00];
const CHAIN_ID: u64 = 1337;

/// Consensus data of eight empty fields, of which the evidence is a list.
pub const DATA: [u8; 9] = [0xc8, 0x80, 0x80, 0x80, 0x80, 0x80, 0xc0, 0x80, 0x80];

fn key() -> SecretKey {
    SecretKey::from_secret_bytes([7; 32]).expect("in the order")
}

fn sender() -> Address {
    let public = secp256k1::PublicKey::from_secret_key(&key()).serialize_uncompressed();
    Address::from_raw_public_key(&public[1..])
}

/// The genesis file of the small chain; `extra` makes another one of it.
pub fn genesis(extra: &str) -> Vec<u8> {
    genesis_of(&SMALL, extra)
}

/// The genesis file of the large chain.
pub fn large_genesis() -> Vec<u8> {
    genesis_of(&LARGE, "0x")
}

fn genesis_of(size: &Size, extra: &str) -> Vec<u8> {
    let forks = [
        "homesteadBlock",
        "eip150Block",
        "eip155Block",
        "eip158Block",
        "byzantiumBlock",
        "constantinopleBlock",
        "petersburgBlock",
        "istanbulBlock",
        "berlinBlock",
        "londonBlock",
        "terminalTotalDifficulty",
        "shanghaiTime",
        "cancunTime",
    ];
    let mut config: Map<String, Value> = forks.iter().map(|name| ((*name).to_owned(), json!(0))).collect();
    config.insert("chainId".into(), json!(CHAIN_ID));
    config.insert("coc".into(), json!({}));
    let file = json!({
        "config": config, "alloc": alloc(size), "gasLimit": "0x1c9c380", "difficulty": "0x0", "extraData": extra,
    });
    file.to_string().into_bytes()
}

fn alloc(size: &Size) -> Map<String, Value> {
    let mut alloc = Map::new();
    for index in 0..size.plain {
        let account = Address::from_slice(&keccak256(index.to_be_bytes())[..20]);
        alloc.insert(account.to_string(), json!({ "balance": format!("{:#x}", index + 1) }));
    }
    for index in 0..size.contracts {
        // Every third has the storage of the one before it, and code repeats after eleven.
        let kind = if index % 3 == 2 { index - 1 } else { index };
        let slots = if index == 50 { size.largest_slots } else { kind % 23 };
        let storage: Map<String, Value> = (0..slots)
            .map(|slot| {
                (B256::from(U256::from(slot)).to_string(), json!(B256::from(U256::from(kind + slot + 1))))
            })
            .collect();
        let code = Bytes::from(vec![0x00, (index % 11) as u8, 0xc0]);
        let account = Address::from_slice(&keccak256([index.to_be_bytes(), [1; 8]].concat())[..20]);
        alloc.insert(account.to_string(), json!({ "balance": "0x1", "code": code, "storage": storage }));
    }
    alloc.insert(sender().to_string(), json!({ "balance": format!("{:#x}", U256::MAX >> 100) }));
    alloc.insert(BOOK.to_string(), json!({ "balance": "0x0", "code": Bytes::from(BOOK_CODE) }));
    alloc.insert(WITNESS.to_string(), json!({ "balance": "0x0", "code": Bytes::from(WITNESS_CODE) }));
    alloc
}

/// Small caches and segments, no reserve, checksums that do not depend on chance.
pub fn options() -> ChainOptions {
    ChainOptions {
        node_cache_bytes: 1 << 20,
        block_cache_bytes: 1 << 20,
        reserve_bytes: 0,
        log_segment_bytes: 200_000,
        log_salt: Some(77),
        ..ChainOptions::default()
    }
}

/// A transaction to one of the contracts, or a transfer to somebody new.
fn transaction(nonce: u64) -> Transaction {
    let (to, value, input) = match nonce % 3 {
        0 => (WITNESS, U256::ZERO, Bytes::new()),
        1 => {
            let words = [nonce % 40, nonce].map(|word| U256::from(word).to_be_bytes::<32>());
            (BOOK, U256::ZERO, words.concat().into())
        }
        _ => (Address::from_slice(&keccak256(nonce.to_be_bytes())[12..]), U256::from(5), Bytes::new()),
    };
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        nonce,
        gas_price: 1_000_000_000_000,
        gas_limit: 100_000,
        to: TxKind::Call(to),
        value,
        input,
    };
    let digest = Message::from_digest(legacy.signature_hash().0);
    let signature = RecoverableSignature::sign_ecdsa_recoverable(digest, &key());
    let (id, compact) = signature.serialize_compact();
    let signature = Signature::from_bytes_and_parity(&compact, id.to_u8() == 1);
    Transaction::Legacy(legacy.into_signed(signature))
}

/// Adds a block with so many transactions to the head, and flushes now and then.
pub fn grow(chain: &Chain, transactions: u64) -> B256 {
    let head = chain.shared.head();
    let (parent, number) = (head.stored.hash, head.number() + 1);
    let nonce = head.state.account(&sender()).expect("readable").expect("there").0.nonce;
    let attributes = Attributes {
        timestamp: head.stored.block.header.timestamp + 1,
        beneficiary: Address::with_last_byte(0xfe),
        extra_data: Bytes::new(),
        gas_limit_target: 30_000_000,
        consensus_data: Bytes::from_static(&DATA),
    };
    let chosen = (nonce..nonce + transactions).map(|nonce| (Arc::new(transaction(nonce)), sender()));
    let built = chain.build(&parent, &attributes, chosen, || false).expect("a block");
    assert_eq!(built.included.len() as u64, transactions);
    decide(chain, &built.hash);
    if number.is_multiple_of(50) {
        chain.flush().expect("room");
    }
    built.hash
}

/// Decides an executed block under some seal and makes it the head.
pub fn decide(chain: &Chain, hash: &B256) {
    chain.decide(hash, Bytes::from_static(b"seal"), true).expect("room");
    chain.set_head(hash).expect("known");
}

/// The small chain, whose state is served.
pub fn server() -> &'static Chain {
    static SERVER: OnceLock<Chain> = OnceLock::new();
    SERVER.get_or_init(|| grown(&genesis("0x")))
}

/// The large one.
pub fn large_server() -> &'static Chain {
    static SERVER: OnceLock<Chain> = OnceLock::new();
    SERVER.get_or_init(|| grown(&large_genesis()))
}

fn grown(genesis: &[u8]) -> Chain {
    let (chain, _) = Chain::open(genesis, None, &options()).expect("a chain");
    for number in 1..=BLOCKS {
        grow(&chain, if number > BLOCKS - 8 { 6 } else { 0 });
    }
    chain
}

/// The header of a block as bytes.
pub fn header(chain: &Chain, hash: &B256) -> Vec<u8> {
    alloy_rlp::encode(&chain.shared.stored(hash).expect("readable").expect("known").block.header)
}

/// A key of the state with its value.
type Entry = (Vec<u8>, Vec<u8>);

/// All of the state after a block: accounts, slots, codes.
pub fn all_state(chain: &Chain, hash: &B256) -> Vec<Entry> {
    let state = chain.shared.state(hash).expect("kept");
    let mut found = entries(chain, &state.accounts);
    for (account, value) in found.clone() {
        let leaf = state.accounts.get(&*chain.shared.nodes, &account).expect("readable").expect("there");
        if let Some(storage) = leaf.storage() {
            let slots = entries(chain, storage).into_iter();
            found.extend(slots.map(|(slot, value)| ([account.clone(), slot].concat(), value)));
        }
        let code_hash = coc_evm::state::Account::decode_rlp(&value).expect("an account").code_hash;
        found.push((code_hash.to_vec(), state.code(&code_hash).expect("its code is here").to_vec()));
    }
    found
}

fn entries(chain: &Chain, trie: &Trie) -> Vec<Entry> {
    let entries = trie.iter(&*chain.shared.nodes, &[]).map(|entry| entry.expect("sound nodes"));
    entries.map(|(key, value)| (key, value.rlp().to_vec())).collect()
}

/// Slots of all accounts after a block, and those that are left when each storage counts once.
pub fn slots(chain: &Chain, hash: &B256) -> (u64, u64) {
    let accounts = chain.shared.state(hash).expect("kept").accounts;
    let (mut all, mut distinct, mut seen) = (0, 0, BTreeSet::new());
    for entry in accounts.iter(&*chain.shared.nodes, &[]) {
        let (_, account) = entry.expect("sound nodes");
        let Some(storage) = account.storage() else { continue };
        let count = entries(chain, storage).len() as u64;
        all += count;
        distinct += if seen.insert(storage.root_hash()) { count } else { 0 };
    }
    (all, distinct)
}

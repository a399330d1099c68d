//! What the blocks of a benchmark hold: contracts, and the transactions that call them.

use crate::accounts::{Account, Dice, sign};
use alloy_consensus::{SignableTransaction as _, TxEip1559};
use alloy_primitives::{Address, Bytes, TxKind, U256, address, hex, keccak256};
use coc_evm::types::Transaction;
use rayon::prelude::*;
use std::sync::Arc;

/// Chain id of the benchmark's chain.
pub const CHAIN_ID: u64 = 1337;
/// Fee cap in wei a unit of gas: above every base fee that the blocks lead to.
const FEE_CAP: u128 = 100_000_000_000;

/// Where genesis puts the contract that gives ether to every address in its calldata.
pub const FAUCET: Address = address!("0x00000000000000000000000000000000c0c00001");
/// Where genesis puts the contract that computes.
pub const MILL: Address = address!("0x00000000000000000000000000000000c0c00002");
/// Where genesis puts the token.
pub const TOKEN: Address = address!("0x00000000000000000000000000000000c0c00003");
/// The token's slot of `balanceOf`.
const BALANCES_SLOT: u64 = 1;

/// For each 20 bytes of calldata: call that address with ten ether.
///
/// `off = 0; do { call(0 gas, calldata[off..] >> 96, 10 ether); off += 20 } while (off < calldatasize)`
pub const FAUCET_CODE: &[u8] = &hex!("5f5b5f5f5f5f678ac7230489e80000853560601c5ff15060140180361160015700");

/// As many times as the first word of calldata says: hash 64 bytes of memory, square, add, xor, store.
pub const MILL_CODE: &[u8] = &hex!("5f355b60405f20805f52800260205101811860205260019003806002570000");

/// Rounds of the mill a transaction, about 9.6 million gas.
const MILL_ROUNDS: u64 = 90_000;
/// Addresses one transaction serves when the state is grown.
const ADDRESSES_PER_GRANT: usize = 2_000;

/// What the measured blocks are full of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ether from a random account to a random account.
    Transfers,
    /// Tokens from a random account to a random account.
    Erc20,
    /// A loop over arithmetic, memory and keccak.
    Compute,
}

impl Kind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Kind> {
        match name {
            "transfers" => Some(Kind::Transfers),
            "erc20" => Some(Kind::Erc20),
            "compute" => Some(Kind::Compute),
            _ => None,
        }
    }

    /// Gas one transaction uses, about: decides how many fill a block.
    pub fn gas(self) -> u64 {
        match self {
            Kind::Transfers => 21_000,
            Kind::Erc20 => 35_000,
            Kind::Compute => 10_000_000,
        }
    }
}

/// Signs transactions of accounts whose nonces it counts.
pub struct Signer {
    accounts: Vec<Account>,
    nonces: Vec<u64>,
    dice: Dice,
}

struct Draft {
    from: usize,
    nonce: u64,
    to: Address,
    value: u64,
    gas: u64,
    input: Bytes,
}

type Signed = (Arc<Transaction>, Address);

impl Signer {
    /// A signer for fresh accounts.
    pub fn new(accounts: Vec<Account>) -> Signer {
        let nonces = vec![0; accounts.len()];
        Signer { accounts, nonces, dice: Dice(7) }
    }

    /// The addresses it signs for.
    pub fn addresses(&self) -> Vec<Address> {
        self.accounts.iter().map(|account| account.address).collect()
    }

    fn draft(&mut self, from: usize, to: Address, value: u64, gas: u64, input: Bytes) -> Draft {
        let nonce = self.nonces[from];
        self.nonces[from] += 1;
        Draft { from, nonce, to, value, gas, input }
    }

    fn signed(&self, drafts: Vec<Draft>) -> Vec<Signed> {
        let sign_one = |draft: Draft| {
            let account = self.accounts[draft.from];
            let transaction = TxEip1559 {
                chain_id: CHAIN_ID,
                nonce: draft.nonce,
                gas_limit: draft.gas,
                max_fee_per_gas: FEE_CAP,
                max_priority_fee_per_gas: 1,
                to: TxKind::Call(draft.to),
                value: U256::from(draft.value),
                access_list: Default::default(),
                input: draft.input,
            };
            let signature = sign(&account.key, &transaction.signature_hash());
            (Arc::new(Transaction::Eip1559(transaction.into_signed(signature))), account.address)
        };
        drafts.into_par_iter().map(sign_one).collect()
    }

    /// `count` transactions of a kind between random accounts.
    pub fn draw(&mut self, kind: Kind, count: usize) -> Vec<Signed> {
        let drafts = (0..count).map(|_| self.draw_one(kind)).collect();
        self.signed(drafts)
    }

    fn draw_one(&mut self, kind: Kind) -> Draft {
        let count = self.accounts.len();
        let (from, to) = (self.dice.below(count), self.dice.below(count));
        let to = self.accounts[to].address;
        match kind {
            Kind::Transfers => self.draft(from, to, 1, 21_000, Bytes::new()),
            Kind::Erc20 => self.draft(from, TOKEN, 0, 100_000, token_transfer(to).into()),
            Kind::Compute => {
                self.draft(from, MILL, 0, 12_000_000, U256::from(MILL_ROUNDS).to_be_bytes_vec().into())
            }
        }
    }

    /// The transactions of the first account that give every address ten ether, one a block.
    pub fn grants(&mut self, addresses: &[Address]) -> Vec<Signed> {
        let drafts = addresses
            .chunks(ADDRESSES_PER_GRANT)
            .map(|some| {
                let input: Vec<u8> = some.iter().flat_map(|address| address.0.0).collect();
                self.draft(0, FAUCET, 0, 100_000_000, input.into())
            })
            .collect();
        self.signed(drafts)
    }

    /// The transactions of the first account that give every address tokens, one a block.
    pub fn token_grants(&mut self, addresses: &[Address]) -> Vec<Signed> {
        let drafts = addresses
            .chunks(ADDRESSES_PER_GRANT)
            .map(|some| self.draft(0, TOKEN, 0, 100_000_000, token_mint(some).into()))
            .collect();
        self.signed(drafts)
    }
}

fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature);
    [hash[0], hash[1], hash[2], hash[3]]
}

fn token_transfer(to: Address) -> Vec<u8> {
    [&selector("transfer(address,uint256)")[..], to.into_word().as_slice(), &U256::ONE.to_be_bytes::<32>()]
        .concat()
}

fn token_mint(holders: &[Address]) -> Vec<u8> {
    let mut input = selector("mintEach(address[],uint256)").to_vec();
    for word in [64, 1_000_000_000_u64, holders.len() as u64] {
        input.extend_from_slice(&U256::from(word).to_be_bytes::<32>());
    }
    holders.iter().for_each(|holder| input.extend_from_slice(holder.into_word().as_slice()));
    input
}

/// The slot in which the token keeps a holder's balance.
pub fn balance_slot(holder: Address) -> U256 {
    let key = [holder.into_word().as_slice(), &U256::from(BALANCES_SLOT).to_be_bytes::<32>()].concat();
    keccak256(key).into()
}

/// The code of the token that the end-to-end tests deploy.
pub fn token_code() -> Result<Bytes, String> {
    let artifact = include_str!("../../../tests/e2e/contracts/artifacts/Token.json");
    let artifact: serde_json::Value = serde_json::from_str(artifact).map_err(|error| error.to_string())?;
    let code = artifact["deployedBytecode"].as_str().ok_or("the token's artifact has no code")?;
    hex::decode(code).map(Bytes::from).map_err(|error| error.to_string())
}

/// The genesis file of the benchmark's chain: Cancun, the three contracts, ether for the faucet and the first account.
pub fn genesis(first: Address) -> Result<String, String> {
    let block_zero: serde_json::Map<_, _> = [
        "homestead",
        "eip150",
        "eip155",
        "eip158",
        "byzantium",
        "constantinople",
        "petersburg",
        "istanbul",
        "berlin",
        "london",
    ]
    .map(|fork| (format!("{fork}Block"), 0.into()))
    .into_iter()
    .collect();
    let mut config = serde_json::Value::Object(block_zero);
    config["chainId"] = CHAIN_ID.into();
    config["terminalTotalDifficulty"] = 0.into();
    config["shanghaiTime"] = 0.into();
    config["cancunTime"] = 0.into();
    let plenty = "0x1000000000000000000000000000000000000000";
    let coded = |code: &[u8], balance: &str| serde_json::json!({ "code": hex::encode_prefixed(code), "balance": balance });
    let mut alloc = serde_json::Map::new();
    alloc.insert(FAUCET.to_string(), coded(FAUCET_CODE, plenty));
    alloc.insert(MILL.to_string(), coded(MILL_CODE, "0x0"));
    alloc.insert(TOKEN.to_string(), coded(&token_code()?, "0x0"));
    alloc.insert(first.to_string(), serde_json::json!({ "balance": plenty }));
    let genesis = serde_json::json!({
        "config": config, "alloc": alloc, "gasLimit": "0xbebc200", "timestamp": "0x6553f100", "difficulty": "0x0",
    });
    Ok(genesis.to_string())
}

//! Which rules hold at a block: forks in order, their schedule, and the parameters a fork changes.
//!
//! A [`ForkSchedule`] is what geth's `config` object says; [`ForkSchedule::rules`] answers for one block. Everything else in
//! the crate asks [`Rules`] and never a block number.

use alloy_primitives::{Address, B256, U256, address};
use revm::primitives::hardfork::SpecId;

/// Ethereum's forks in order of activation, as the test formats and geth's configuration name them.
///
/// Difficulty-bomb delays are forks of their own, since headers before the merge depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Fork {
    Frontier,
    Homestead,
    TangerineWhistle,
    SpuriousDragon,
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    MuirGlacier,
    Berlin,
    London,
    ArrowGlacier,
    GrayGlacier,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
}

impl Fork {
    /// Every fork, oldest first.
    pub const ALL: [Fork; 18] = [
        Fork::Frontier,
        Fork::Homestead,
        Fork::TangerineWhistle,
        Fork::SpuriousDragon,
        Fork::Byzantium,
        Fork::Constantinople,
        Fork::Petersburg,
        Fork::Istanbul,
        Fork::MuirGlacier,
        Fork::Berlin,
        Fork::London,
        Fork::ArrowGlacier,
        Fork::GrayGlacier,
        Fork::Paris,
        Fork::Shanghai,
        Fork::Cancun,
        Fork::Prague,
        Fork::Osaka,
    ];

    /// The EVM's name for the instruction set and gas table of this fork.
    pub fn spec(self) -> SpecId {
        match self {
            Fork::Frontier => SpecId::FRONTIER,
            Fork::Homestead => SpecId::HOMESTEAD,
            Fork::TangerineWhistle => SpecId::TANGERINE,
            Fork::SpuriousDragon => SpecId::SPURIOUS_DRAGON,
            Fork::Byzantium => SpecId::BYZANTIUM,
            Fork::Constantinople | Fork::Petersburg => SpecId::PETERSBURG,
            Fork::Istanbul | Fork::MuirGlacier => SpecId::ISTANBUL,
            Fork::Berlin => SpecId::BERLIN,
            Fork::London | Fork::ArrowGlacier | Fork::GrayGlacier => SpecId::LONDON,
            Fork::Paris => SpecId::MERGE,
            Fork::Shanghai => SpecId::SHANGHAI,
            Fork::Cancun => SpecId::CANCUN,
            Fork::Prague => SpecId::PRAGUE,
            Fork::Osaka => SpecId::OSAKA,
        }
    }

    /// The name geth and `eth_config` use.
    pub fn name(self) -> &'static str {
        match self {
            Fork::Frontier => "Frontier",
            Fork::Homestead => "Homestead",
            Fork::TangerineWhistle => "TangerineWhistle",
            Fork::SpuriousDragon => "SpuriousDragon",
            Fork::Byzantium => "Byzantium",
            Fork::Constantinople => "Constantinople",
            Fork::Petersburg => "Petersburg",
            Fork::Istanbul => "Istanbul",
            Fork::MuirGlacier => "MuirGlacier",
            Fork::Berlin => "Berlin",
            Fork::London => "London",
            Fork::ArrowGlacier => "ArrowGlacier",
            Fork::GrayGlacier => "GrayGlacier",
            Fork::Paris => "Paris",
            Fork::Shanghai => "Shanghai",
            Fork::Cancun => "Cancun",
            Fork::Prague => "Prague",
            Fork::Osaka => "Osaka",
        }
    }
}

/// Blob gas a blob takes (EIP-4844).
pub const GAS_PER_BLOB: u64 = 1 << 17;
/// Execution gas that the reserve price of a blob is measured in (EIP-7918).
const BLOB_BASE_COST: u64 = 1 << 13;
/// Blobs one transaction may carry from Osaka on (EIP-7594).
const BLOBS_PER_TRANSACTION_OSAKA: u64 = 6;

/// How many blobs a block aims at and may hold, and how fast their price moves (EIP-7840).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobParams {
    /// Blobs a block aims at.
    pub target: u64,
    /// Blobs a block may hold.
    pub max: u64,
    /// Denominator of the exponent of the blob base fee.
    pub update_fraction: u64,
}

impl BlobParams {
    /// The schedule a fork has where the configuration names none.
    pub fn default_for(fork: Fork) -> Option<BlobParams> {
        match fork {
            f if f < Fork::Cancun => None,
            Fork::Cancun => Some(BlobParams { target: 3, max: 6, update_fraction: 3_338_477 }),
            _ => Some(BlobParams { target: 6, max: 9, update_fraction: 5_007_716 }),
        }
    }

    /// Blob gas a block may use.
    pub fn max_gas(&self) -> u64 {
        self.max.saturating_mul(GAS_PER_BLOB)
    }

    /// Price of one unit of blob gas in wei (EIP-4844 `get_base_fee_per_blob_gas`).
    pub fn base_fee(&self, excess_blob_gas: u64) -> u128 {
        fake_exponential(1, u128::from(excess_blob_gas), u128::from(self.update_fraction))
    }
}

/// `factor * e ** (numerator / denominator)` by Taylor expansion (EIP-4844), saturating where the specification's integers
/// would outgrow 128 bits: a price that high refuses every transaction either way.
fn fake_exponential(factor: u128, numerator: u128, denominator: u128) -> u128 {
    let mut index = 1u128;
    let mut output = U256::ZERO;
    let mut term = U256::from(factor) * U256::from(denominator);
    while !term.is_zero() {
        output = output.saturating_add(term);
        let Some(scaled) = term.checked_mul(U256::from(numerator)) else { return u128::MAX };
        term = scaled / (U256::from(denominator) * U256::from(index));
        index += 1;
    }
    u128::try_from(output / U256::from(denominator)).unwrap_or(u128::MAX)
}

/// The rules of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The newest fork that is active.
    pub fork: Fork,
    /// The EVM's name for it.
    pub spec: SpecId,
    /// Chain id of EIP-155.
    pub chain_id: u64,
    /// Blob parameters, from Cancun on.
    pub blobs: Option<BlobParams>,
    /// Whether this very block carries the DAO's irregular state change.
    pub dao_transfer: bool,
    /// Whether this block lies in the range in which DAO-supporting chains mark their headers.
    pub dao_extra_data: Option<bool>,
    /// The first London block doubles its parent's gas limit before the bound is checked.
    pub london_transition: bool,
    /// Where deposits are read from (EIP-6110).
    pub deposit_contract: Address,
}

impl Rules {
    /// Whether `fork` or a newer one is active.
    pub fn at_least(&self, fork: Fork) -> bool {
        self.fork >= fork
    }

    /// Excess blob gas of a block with these rules on top of `parent` (EIP-4844, EIP-7918).
    pub fn excess_blob_gas(&self, parent: &alloy_consensus::Header) -> u64 {
        let Some(blobs) = self.blobs else { return 0 };
        let (excess, used) = (parent.excess_blob_gas.unwrap_or(0), parent.blob_gas_used.unwrap_or(0));
        let target = blobs.target.saturating_mul(GAS_PER_BLOB);
        let total = excess.saturating_add(used);
        if total < target {
            return 0;
        }
        if self.at_least(Fork::Osaka) {
            let reserve = U256::from(BLOB_BASE_COST) * U256::from(parent.base_fee_per_gas.unwrap_or(0));
            let price = U256::from(GAS_PER_BLOB) * U256::from(blobs.base_fee(excess));
            if reserve > price {
                let room = blobs.max.saturating_sub(blobs.target);
                return excess.saturating_add(used.saturating_mul(room) / blobs.max.max(1));
            }
        }
        total - target
    }

    /// Blobs one transaction may carry.
    pub fn blobs_per_transaction(&self) -> Option<u64> {
        let blobs = self.blobs?;
        Some(if self.at_least(Fork::Osaka) { BLOBS_PER_TRANSACTION_OSAKA.min(blobs.max) } else { blobs.max })
    }
}

/// When a blob-parameter change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobActivation {
    /// First timestamp with these parameters.
    pub timestamp: u64,
    /// The parameters.
    pub params: BlobParams,
}

/// Where mainnet's deposits are made: used where a configuration names no other contract.
pub const MAINNET_DEPOSIT_CONTRACT: Address = address!("0x00000000219ab540356cbb839cbe05303d7705fa");

/// The fork schedule of a chain. `None` means never.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ForkSchedule {
    pub chain_id: u64,
    pub homestead_block: Option<u64>,
    pub dao_fork_block: Option<u64>,
    pub dao_fork_support: bool,
    pub tangerine_whistle_block: Option<u64>,
    pub spurious_dragon_block: Option<u64>,
    pub byzantium_block: Option<u64>,
    pub constantinople_block: Option<u64>,
    pub petersburg_block: Option<u64>,
    pub istanbul_block: Option<u64>,
    pub muir_glacier_block: Option<u64>,
    pub berlin_block: Option<u64>,
    pub london_block: Option<u64>,
    pub arrow_glacier_block: Option<u64>,
    pub gray_glacier_block: Option<u64>,
    /// A block whose parent's total difficulty reaches this is proof-of-stake (EIP-3675).
    pub terminal_total_difficulty: Option<U256>,
    pub shanghai_time: Option<u64>,
    pub cancun_time: Option<u64>,
    pub prague_time: Option<u64>,
    pub osaka_time: Option<u64>,
    /// Blob parameters by activation time, ascending; empty means the forks' defaults.
    pub blob_activations: Vec<BlobActivation>,
    pub deposit_contract: Address,
}

impl ForkSchedule {
    /// A schedule in which nothing but Frontier is active.
    pub fn frontier(chain_id: u64) -> Self {
        ForkSchedule {
            chain_id,
            homestead_block: None,
            dao_fork_block: None,
            dao_fork_support: false,
            tangerine_whistle_block: None,
            spurious_dragon_block: None,
            byzantium_block: None,
            constantinople_block: None,
            petersburg_block: None,
            istanbul_block: None,
            muir_glacier_block: None,
            berlin_block: None,
            london_block: None,
            arrow_glacier_block: None,
            gray_glacier_block: None,
            terminal_total_difficulty: None,
            shanghai_time: None,
            cancun_time: None,
            prague_time: None,
            osaka_time: None,
            blob_activations: Vec::new(),
            deposit_contract: MAINNET_DEPOSIT_CONTRACT,
        }
    }

    /// A schedule in which `fork` and all before it are active from genesis.
    pub fn at_genesis(chain_id: u64, fork: Fork) -> Self {
        let mut schedule = Self::frontier(chain_id);
        for earlier in Fork::ALL.into_iter().filter(|f| *f <= fork) {
            schedule.activate(earlier, 0);
        }
        schedule
    }

    /// Activates `fork` at block or timestamp `at`; for Paris `at` is the terminal total difficulty.
    pub fn activate(&mut self, fork: Fork, at: u64) {
        let slot = match fork {
            Fork::Frontier => return,
            Fork::Paris => {
                self.terminal_total_difficulty = Some(U256::from(at));
                return;
            }
            Fork::Homestead => &mut self.homestead_block,
            Fork::TangerineWhistle => &mut self.tangerine_whistle_block,
            Fork::SpuriousDragon => &mut self.spurious_dragon_block,
            Fork::Byzantium => &mut self.byzantium_block,
            Fork::Constantinople => &mut self.constantinople_block,
            Fork::Petersburg => &mut self.petersburg_block,
            Fork::Istanbul => &mut self.istanbul_block,
            Fork::MuirGlacier => &mut self.muir_glacier_block,
            Fork::Berlin => &mut self.berlin_block,
            Fork::London => &mut self.london_block,
            Fork::ArrowGlacier => &mut self.arrow_glacier_block,
            Fork::GrayGlacier => &mut self.gray_glacier_block,
            Fork::Shanghai => &mut self.shanghai_time,
            Fork::Cancun => &mut self.cancun_time,
            Fork::Prague => &mut self.prague_time,
            Fork::Osaka => &mut self.osaka_time,
        };
        *slot = Some(at);
    }

    /// The rules of the block `number` at `timestamp` whose parent's total difficulty is `parent_total_difficulty`
    /// (for genesis: its own difficulty).
    pub fn rules(&self, number: u64, timestamp: u64, parent_total_difficulty: U256) -> Rules {
        let merged = self.terminal_total_difficulty.is_some_and(|ttd| parent_total_difficulty >= ttd);
        let fork = if merged { self.fork_by_time(timestamp) } else { self.fork_by_number(number) };
        let dao = self.dao_fork_block.filter(|_| self.dao_fork_support);
        Rules {
            fork,
            spec: fork.spec(),
            chain_id: self.chain_id,
            blobs: self.blobs(fork, timestamp),
            dao_transfer: dao == Some(number),
            dao_extra_data: self
                .dao_fork_block
                .filter(|first| (*first..first.saturating_add(DAO_EXTRA_DATA_BLOCKS)).contains(&number))
                .map(|_| self.dao_fork_support),
            london_transition: self.london_block == Some(number),
            deposit_contract: self.deposit_contract,
        }
    }

    fn fork_by_number(&self, number: u64) -> Fork {
        let schedule = [
            (Fork::GrayGlacier, self.gray_glacier_block),
            (Fork::ArrowGlacier, self.arrow_glacier_block),
            (Fork::London, self.london_block),
            (Fork::Berlin, self.berlin_block),
            (Fork::MuirGlacier, self.muir_glacier_block),
            (Fork::Istanbul, self.istanbul_block),
            (Fork::Petersburg, self.petersburg_block),
            (Fork::Constantinople, self.constantinople_block),
            (Fork::Byzantium, self.byzantium_block),
            (Fork::SpuriousDragon, self.spurious_dragon_block),
            (Fork::TangerineWhistle, self.tangerine_whistle_block),
            (Fork::Homestead, self.homestead_block),
        ];
        schedule
            .into_iter()
            .find(|(_, at)| at.is_some_and(|at| number >= at))
            .map_or(Fork::Frontier, |(fork, _)| fork)
    }

    fn fork_by_time(&self, timestamp: u64) -> Fork {
        let schedule = [
            (Fork::Osaka, self.osaka_time),
            (Fork::Prague, self.prague_time),
            (Fork::Cancun, self.cancun_time),
            (Fork::Shanghai, self.shanghai_time),
        ];
        schedule
            .into_iter()
            .find(|(_, at)| at.is_some_and(|at| timestamp >= at))
            .map_or(Fork::Paris, |(fork, _)| fork)
    }

    fn blobs(&self, fork: Fork, timestamp: u64) -> Option<BlobParams> {
        let default = BlobParams::default_for(fork)?;
        let active = self.blob_activations.iter().rev().find(|a| a.timestamp <= timestamp);
        Some(active.map_or(default, |a| a.params))
    }
}

/// Blocks from the DAO fork on whose headers must carry the mark (EIP-779).
const DAO_EXTRA_DATA_BLOCKS: u64 = 10;
/// The mark: "dao-hard-fork".
pub const DAO_EXTRA_DATA: [u8; 13] = *b"dao-hard-fork";

/// Hash of the empty byte string.
pub const EMPTY_CODE_HASH: B256 = alloy_primitives::KECCAK256_EMPTY;

//! The networks that test files name: every fork, and transitions such as `ParisToShanghaiAtTime15k`.

use alloy_primitives::U256;
use coc_evm::fork::{BlobActivation, BlobParams, Fork, ForkSchedule};

/// The fork with the name a test file gives it.
pub fn fork_by_name(name: &str) -> Option<Fork> {
    Some(match name {
        "Frontier" => Fork::Frontier,
        "Homestead" => Fork::Homestead,
        "EIP150" | "TangerineWhistle" => Fork::TangerineWhistle,
        "EIP158" | "SpuriousDragon" => Fork::SpuriousDragon,
        "Byzantium" => Fork::Byzantium,
        "Constantinople" => Fork::Constantinople,
        "ConstantinopleFix" | "Petersburg" => Fork::Petersburg,
        "Istanbul" => Fork::Istanbul,
        "MuirGlacier" => Fork::MuirGlacier,
        "Berlin" => Fork::Berlin,
        "London" => Fork::London,
        "ArrowGlacier" => Fork::ArrowGlacier,
        "GrayGlacier" => Fork::GrayGlacier,
        "Merge" | "Paris" => Fork::Paris,
        "Shanghai" => Fork::Shanghai,
        "Cancun" => Fork::Cancun,
        "Prague" => Fork::Prague,
        "Osaka" => Fork::Osaka,
        _ => return None,
    })
}

/// Blob parameters of the parameter-only forks (EIP-7892) as mainnet and the test formats number them.
fn blob_fork(name: &str) -> Option<BlobParams> {
    Some(match name {
        "BPO1" => BlobParams { target: 10, max: 15, update_fraction: 8_346_193 },
        "BPO2" => BlobParams { target: 14, max: 21, update_fraction: 11_684_671 },
        "BPO3" => BlobParams { target: 21, max: 32, update_fraction: 20_609_697 },
        "BPO4" => BlobParams { target: 14, max: 21, update_fraction: 13_739_630 },
        _ => return None,
    })
}

/// One of the names on either side of a transition.
#[derive(Clone, Copy)]
enum Stage {
    Fork(Fork),
    Dao,
    Blobs(BlobParams),
}

fn stage(name: &str) -> Option<Stage> {
    if name == "Dao" || name == "DAOFork" {
        return Some(Stage::Dao);
    }
    fork_by_name(name).map(Stage::Fork).or_else(|| blob_fork(name).map(Stage::Blobs))
}

/// When the second stage of a transition starts.
enum Activation {
    Block(u64),
    Time(u64),
    Difficulty(u64),
}

fn activation(text: &str) -> Option<Activation> {
    if let Some(time) = text.strip_prefix("Time") {
        let (digits, unit) = time.strip_suffix('k').map_or((time, 1), |digits| (digits, 1_000));
        return digits.parse::<u64>().ok()?.checked_mul(unit).map(Activation::Time);
    }
    if let Some(difficulty) = text.strip_prefix("Diff") {
        return u64::from_str_radix(difficulty, 16).ok().map(Activation::Difficulty);
    }
    text.parse().ok().map(Activation::Block)
}

/// The schedule of a network, or `None` for a name the formats do not have.
pub fn schedule(network: &str, chain_id: u64) -> Option<ForkSchedule> {
    if let Some(stage) = stage(network) {
        return Some(at_genesis(stage, chain_id));
    }
    let (stages, at) = network.rsplit_once("At")?;
    let at = activation(at)?;
    // "To" may also be part of a name: take the first split both of whose sides are stages.
    let (from, to) = stages
        .match_indices("To")
        .find_map(|(index, _)| Some((stage(&stages[..index])?, stage(&stages[index + 2..])?)))?;
    let mut schedule = at_genesis(from, chain_id);
    apply(&mut schedule, from, to, &at)?;
    Some(schedule)
}

fn at_genesis(stage: Stage, chain_id: u64) -> ForkSchedule {
    match stage {
        Stage::Fork(fork) => ForkSchedule::at_genesis(chain_id, fork),
        Stage::Dao => {
            let mut schedule = ForkSchedule::at_genesis(chain_id, Fork::Homestead);
            (schedule.dao_fork_block, schedule.dao_fork_support) = (Some(0), true);
            schedule
        }
        Stage::Blobs(params) => {
            let mut schedule = ForkSchedule::at_genesis(chain_id, Fork::Osaka);
            schedule.blob_activations.push(BlobActivation { timestamp: 0, params });
            schedule
        }
    }
}

fn apply(schedule: &mut ForkSchedule, from: Stage, to: Stage, at: &Activation) -> Option<()> {
    let (Activation::Block(at) | Activation::Time(at) | Activation::Difficulty(at)) = *at;
    match to {
        Stage::Dao => (schedule.dao_fork_block, schedule.dao_fork_support) = (Some(at), true),
        Stage::Blobs(params) => schedule.blob_activations.push(BlobActivation { timestamp: at, params }),
        Stage::Fork(Fork::Paris) => schedule.terminal_total_difficulty = Some(U256::from(at)),
        Stage::Fork(to) => {
            let from = if let Stage::Fork(from) = from { from } else { Fork::Homestead };
            for fork in Fork::ALL.into_iter().filter(|fork| *fork > from && *fork <= to) {
                schedule.activate(fork, at);
            }
        }
    }
    Some(())
}

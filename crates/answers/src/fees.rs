//! Fee history and the base fees of the next block.

use crate::text::Text;
use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, U256};
use coc_chain::chain::Chain;
use coc_chain::error::ChainError;
use coc_chain::record::StoredBlock;
use coc_evm::fork::Rules;
use coc_evm::header::base_fee_after;

/// Blob gas of one blob (EIP-4844).
const GAS_PER_BLOB: u64 = coc_evm::fork::GAS_PER_BLOB;

/// Total difficulty below a block, which says on which side of the merge it is; for block 0 its own.
pub fn difficulty_below(block: &StoredBlock) -> U256 {
    let header = &block.block.header;
    if header.number == 0 {
        header.difficulty
    } else {
        block.total_difficulty.saturating_sub(header.difficulty)
    }
}

/// The rules of a known block.
pub fn rules_of(chain: &Chain, block: &StoredBlock) -> Rules {
    let header = &block.block.header;
    chain.shared.schedule.rules(header.number, header.timestamp, difficulty_below(block))
}

/// Rules of the block after `block`, should it come a second later.
fn rules_after(chain: &Chain, block: &StoredBlock) -> Rules {
    let header = &block.block.header;
    chain.shared.schedule.rules(header.number + 1, header.timestamp.saturating_add(1), block.total_difficulty)
}

/// Base fee of the block after `block` in wei; 0 before London.
pub fn next_base_fee(chain: &Chain, block: &StoredBlock) -> u64 {
    base_fee_after(&block.block.header, &rules_after(chain, block)).unwrap_or(0)
}

/// Price of blob gas in the block after `block` in wei; 0 before Cancun.
pub fn next_blob_base_fee(chain: &Chain, block: &StoredBlock) -> u128 {
    let rules = rules_after(chain, block);
    rules.blobs.map_or(0, |blobs| blobs.base_fee(rules.excess_blob_gas(&block.block.header)))
}

fn blob_base_fee(chain: &Chain, block: &StoredBlock) -> u128 {
    let excess = block.block.header.excess_blob_gas.unwrap_or(0);
    rules_of(chain, block).blobs.map_or(0, |blobs| blobs.base_fee(excess))
}

/// Fees of `count` blocks up to `newest` and of the one after (execution-apis `eth_feeHistory`). Percentiles ascend from 0 to 100.
pub fn history_json(
    chain: &Chain,
    newest: &B256,
    count: u64,
    percentiles: &[f64],
) -> Result<Vec<u8>, ChainError> {
    let mut blocks = Vec::new();
    let mut at = *newest;
    while (blocks.len() as u64) < count {
        let block = chain.shared.stored(&at)?.ok_or(ChainError::UnknownBlock(at))?;
        let (number, parent) = (block.block.header.number, block.block.header.parent_hash);
        blocks.push(block);
        if number == 0 {
            break;
        }
        at = parent;
    }
    blocks.reverse();
    let mut text = Text::with_capacity(256 + blocks.len() * 64);
    text.open('{');
    text.put("oldestBlock", blocks.first().map_or(0, |block| block.block.header.number));
    if !percentiles.is_empty() && !blocks.is_empty() {
        text.key("reward");
        text.open('[');
        blocks.iter().for_each(|block| write_rewards(&mut text, block, percentiles));
        text.close(']');
    }
    let last = blocks.last();
    text.key("baseFeePerGas");
    text.open('[');
    blocks.iter().for_each(|block| text.quantity(block.block.header.base_fee_per_gas.unwrap_or(0)));
    last.iter().for_each(|block| text.quantity(next_base_fee(chain, block)));
    text.close(']');
    text.key("gasUsedRatio");
    text.open('[');
    for block in &blocks {
        let header = &block.block.header;
        text.raw(&ratio(header.gas_used, header.gas_limit));
    }
    text.close(']');
    if last.is_some_and(|block| block.block.header.excess_blob_gas.is_some()) {
        write_blob_history(&mut text, chain, &blocks);
    }
    text.close('}');
    Ok(text.into_bytes())
}

fn write_blob_history(text: &mut Text, chain: &Chain, blocks: &[std::sync::Arc<StoredBlock>]) {
    text.key("baseFeePerBlobGas");
    text.open('[');
    blocks.iter().for_each(|block| text.quantity(blob_base_fee(chain, block)));
    blocks.last().iter().for_each(|block| text.quantity(next_blob_base_fee(chain, block)));
    text.close(']');
    text.key("blobGasUsedRatio");
    text.open('[');
    for block in blocks {
        let max = rules_of(chain, block).blobs.map_or(0, |blobs| blobs.max.saturating_mul(GAS_PER_BLOB));
        text.raw(&ratio(block.block.header.blob_gas_used.unwrap_or(0), max));
    }
    text.close(']');
}

fn ratio(used: u64, limit: u64) -> String {
    if limit == 0 || used == 0 {
        return "0".into();
    }
    if used == limit {
        return "1".into();
    }
    format!("{}", used as f64 / limit as f64)
}

/// Tips at the percentiles of a block's gas, cheapest first.
fn write_rewards(text: &mut Text, block: &StoredBlock, percentiles: &[f64]) {
    let header = &block.block.header;
    let base_fee = header.base_fee_per_gas.unwrap_or(0);
    let mut tips: Vec<(u128, u64)> = block
        .block
        .body
        .transactions
        .iter()
        .zip(&block.receipts)
        .map(|(transaction, receipt)| {
            (transaction.effective_tip_per_gas(base_fee).unwrap_or(0), receipt.gas_used)
        })
        .collect();
    tips.sort_unstable();
    text.open('[');
    for percentile in percentiles {
        let threshold = (header.gas_used as f64 * percentile / 100.0) as u64;
        let mut sum = 0;
        let mut tip = 0;
        for (price, gas) in &tips {
            tip = *price;
            sum += gas;
            if sum >= threshold {
                break;
            }
        }
        text.quantity(tip);
    }
    text.close(']');
}

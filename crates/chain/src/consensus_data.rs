//! The consensus data of our chains' blocks: eight fields whose root stands in the header, so that each is provable in the EVM.
//!
//! The data is the RLP list (version, parent certificate, proposer, original round, VRF proof, evidence, set(h), set(h + 1)). Its root is
//! a positional keccak Merkle tree: leaf `0x00 ‖ index ‖ rlp(field)`, inner `0x01 ‖ left ‖ right`. What the fields must say
//! is for the consensus engine; that the root is theirs, and that the randomness follows its parent's, is checked here.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Header as RlpHeader;
use coc_evm::error::BlockInvalid;
use coc_evm::types::Header;

/// Fields of the consensus data.
pub const FIELDS: usize = 8;

/// Splits the RLP list into its fields, each as its own RLP.
pub fn fields(data: &[u8]) -> Result<Vec<&[u8]>, BlockInvalid> {
    let malformed =
        || BlockInvalid::new("COC_CONSENSUS_DATA", "the consensus data is not an RLP list of eight fields");
    let mut rest = data;
    let header = RlpHeader::decode(&mut rest).map_err(|_| malformed())?;
    if !header.list || header.payload_length != rest.len() {
        return Err(malformed());
    }
    let mut fields = Vec::with_capacity(FIELDS);
    while !rest.is_empty() {
        let start = rest;
        let field = RlpHeader::decode(&mut rest).map_err(|_| malformed())?;
        if field.payload_length > rest.len() {
            return Err(malformed());
        }
        rest = &rest[field.payload_length..];
        fields.push(&start[..start.len() - rest.len()]);
    }
    if fields.len() != FIELDS {
        return Err(malformed());
    }
    Ok(fields)
}

/// Root over the fields of `data`.
pub fn root(data: &[u8]) -> Result<B256, BlockInvalid> {
    let mut level: Vec<B256> = fields(data)?
        .into_iter()
        .enumerate()
        .map(|(index, field)| keccak256([&[0u8, u8::try_from(index).unwrap_or(u8::MAX)], field].concat()))
        .collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => keccak256([&[1u8], left.as_slice(), right.as_slice()].concat()),
                [only] => *only,
                _ => B256::ZERO,
            })
            .collect();
    }
    Ok(level[0])
}

/// The randomness of the block at `number` on a rotation chain before VRF: keccak(parent's ‖ number).
pub fn next_randomness(parent: &B256, number: u64) -> B256 {
    keccak256([parent.as_slice(), &number.to_be_bytes()].concat())
}

/// Checks the fields of `header` that carry our consensus.
pub fn validate(
    header: &Header,
    withdrawals: usize,
    parent: &Header,
    data: &Bytes,
) -> Result<(), BlockInvalid> {
    let root = root(data)?;
    if header.parent_beacon_block_root != Some(root) {
        return Err(BlockInvalid::new(
            "COC_CONSENSUS_ROOT",
            format!(
                "the consensus data has root {root}, the header says {:?}",
                header.parent_beacon_block_root
            ),
        ));
    }
    let randomness = next_randomness(&parent.mix_hash, header.number);
    if header.mix_hash != randomness {
        return Err(BlockInvalid::new(
            "COC_RANDOMNESS",
            format!("the randomness is {}, the parent makes it {randomness}", header.mix_hash),
        ));
    }
    if withdrawals != 0 {
        return Err(BlockInvalid::new(
            "COC_WITHDRAWALS",
            format!("the block mints {withdrawals} withdrawals; the protocol pays none at this height"),
        ));
    }
    Ok(())
}

//! The consensus data of our chains' blocks: eight fields whose root stands in the header, so that each is provable in the EVM.
//!
//! The data is the RLP list (version, parent certificate, proposer, original round, VRF proof, evidence, set(h), set(h + 1)). Its root is
//! a positional keccak Merkle tree: leaf `0x00 ‖ index ‖ rlp(field)`, inner `0x01 ‖ left ‖ right`. What the fields must say
//! is for the consensus engine; that the root is theirs, and that the randomness follows its parent's, is checked here.

use crate::engine::EVIDENCE_PER_BLOCK_MAX;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{Decodable as _, Header as RlpHeader};
use coc_evm::error::BlockInvalid;
use coc_evm::types::Header;
use coc_vrf::{Secp256k1, proof_to_output};

/// Fields of the consensus data.
pub const FIELDS: usize = 8;
/// Where the VRF proof stands among them.
const VRF_PROOF: usize = 4;
/// Where the evidence stands among them.
const EVIDENCE: usize = 5;
/// The step of a signed proposal, which its encoding does not carry.
const PROPOSAL_STEP: u8 = 0;

/// What a piece of evidence proves: this validator signed two messages for one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence {
    /// Who signed both.
    pub validator: Address,
    /// The height they are about.
    pub height: u64,
    /// The round.
    pub round: u64,
    /// 0 for proposals, 1 for prevotes, 2 for precommits.
    pub step: u8,
}

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

/// The offences that the evidence in `data` names. Whether it convicts is for the consensus engine.
pub fn offences(data: &[u8]) -> Result<Vec<Offence>, BlockInvalid> {
    let mut rest = RlpHeader::decode_bytes(&mut fields(data)?[EVIDENCE], true).map_err(|_| no_evidence())?;
    let mut offences = Vec::new();
    while !rest.is_empty() {
        offences.push(offence(&mut rest).map_err(|_| no_evidence())?);
    }
    if offences.len() > EVIDENCE_PER_BLOCK_MAX {
        return Err(BlockInvalid::new(
            "COC_EVIDENCE",
            format!(
                "the block has {} pieces of evidence, {EVIDENCE_PER_BLOCK_MAX} are allowed",
                offences.len()
            ),
        ));
    }
    Ok(offences)
}

/// Reads one piece, the list (is a proposal, first message, second message): the first says it all.
fn offence(rest: &mut &[u8]) -> alloy_rlp::Result<Offence> {
    let mut piece = RlpHeader::decode_bytes(rest, true)?;
    let is_proposal = bool::decode(&mut piece)?;
    let mut message = RlpHeader::decode_bytes(&mut piece, true)?;
    let height = u64::decode(&mut message)?;
    let round = u64::decode(&mut message)?;
    let step = if is_proposal { PROPOSAL_STEP } else { u8::decode(&mut message)? };
    RlpHeader::decode_bytes(&mut message, false)?; // the block
    if is_proposal {
        u64::decode(&mut message)?; // the valid round
    }
    Ok(Offence { validator: Address::decode(&mut message)?, height, round, step })
}

fn no_evidence() -> BlockInvalid {
    BlockInvalid::new("COC_EVIDENCE", "the evidence is not a list of pairs of signed messages")
}

/// The randomness of the block at `number`: keccak(parent's ‖ output of the VRF proof), or, on a chain whose blocks carry no proof,
/// keccak(parent's ‖ number).
pub fn next_randomness(parent: &B256, number: u64, data: &[u8]) -> Result<B256, BlockInvalid> {
    let malformed = |reason: String| BlockInvalid::new("COC_VRF", reason);
    let proof = if data.is_empty() {
        &[]
    } else {
        RlpHeader::decode_bytes(&mut fields(data)?[VRF_PROOF], false)
            .map_err(|_| malformed("the VRF proof is no byte string".into()))?
    };
    if proof.is_empty() {
        return Ok(keccak256([parent.as_slice(), &number.to_be_bytes()].concat()));
    }
    let output = proof_to_output::<Secp256k1>(proof).map_err(|error| malformed(error.to_string()))?;
    Ok(keccak256([parent.as_slice(), &output].concat()))
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
    let randomness = next_randomness(&parent.mix_hash, header.number, data)?;
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

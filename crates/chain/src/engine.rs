//! What the consensus engine of our chains has the protocol do in a block: a function of the block's number and consensus data.
//!
//! Building, validating and the replay after a start ask the same function, so that all three make the same calls. Chains whose
//! genesis names no validator registry make none.

use crate::consensus_data::{self, Offence};
use alloy_primitives::{Address, Bytes, U256, address, keccak256};
use coc_evm::block::EngineCalls;
use coc_evm::error::BlockInvalid;
use coc_evm::executor::SystemCall;
use serde_json::Value;

/// The contract that holds the validator set (SET-1).
pub const VALIDATOR_REGISTRY: Address = address!("00000000000000000000000000000000c0c00001");
/// The contract that is told of double signing.
pub const EQUIVOCATION_DETECTOR: Address = address!("00000000000000000000000000000000c0c00002");

/// Evidence that one block may include: each costs a system call of up to 30 million gas.
pub const EVIDENCE_PER_BLOCK_MAX: usize = 8;

/// What genesis fixes about the engine's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineRules {
    /// Blocks of a set period; `None` where no registry holds the set.
    pub period_blocks: Option<u64>,
}

impl EngineRules {
    /// Reads the `coc` section of a genesis file's config, which Python has checked.
    pub fn of(coc: Option<&Value>) -> EngineRules {
        let registry = coc.and_then(|section| section.get("validatorRegistry"));
        let period = registry.and_then(|registry| registry.get("periodBlocks")).and_then(Value::as_u64);
        EngineRules { period_blocks: period.filter(|blocks| *blocks > 0) }
    }

    /// The calls of the block at `number` with this fee recipient and these consensus data.
    ///
    /// # Errors
    /// [`BlockInvalid`]: the evidence has another shape, or there is too much of it.
    pub fn calls(&self, number: u64, beneficiary: Address, data: &[u8]) -> Result<EngineCalls, BlockInvalid> {
        let offences = if data.is_empty() { Vec::new() } else { consensus_data::offences(data)? };
        let Some(period) = self.period_blocks else {
            return if offences.is_empty() {
                Ok(EngineCalls::default())
            } else {
                Err(BlockInvalid::new("COC_EVIDENCE", "this chain has no registry that evidence could reach"))
            };
        };
        let mut before = Vec::new();
        if number.is_multiple_of(period) {
            before.push(SystemCall { to: VALIDATOR_REGISTRY, data: selector("beginPeriod()").into() });
        }
        before.extend(offences.iter().map(|offence| report(offence, beneficiary)));
        Ok(EngineCalls { before, after: Vec::new() })
    }
}

fn selector(signature: &str) -> Vec<u8> {
    keccak256(signature)[..4].to_vec()
}

fn report(offence: &Offence, beneficiary: Address) -> SystemCall {
    let mut data = selector("report(address,uint64,uint64,uint8,address)");
    data.extend(offence.validator.into_word());
    for number in [offence.height, offence.round, u64::from(offence.step)] {
        data.extend(U256::from(number).to_be_bytes::<32>());
    }
    data.extend(beneficiary.into_word());
    SystemCall { to: EQUIVOCATION_DETECTOR, data: Bytes::from(data) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_rlp::Encodable as _;

    fn data_with(evidence: &[u8]) -> Vec<u8> {
        let mut payload = vec![0x01, 0x80, 0x80, 0x80, 0x80];
        payload.extend_from_slice(evidence);
        payload.extend_from_slice(&[0xc0, 0xc0]);
        let mut data = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut data);
        data.extend(payload);
        data
    }

    fn vote(step: u8, validator: Address) -> Vec<u8> {
        let mut fields = Vec::new();
        7u64.encode(&mut fields);
        3u64.encode(&mut fields);
        step.encode(&mut fields);
        Bytes::from(vec![9u8; 32]).encode(&mut fields);
        validator.encode(&mut fields);
        Bytes::from(vec![1u8; 65]).encode(&mut fields);
        list(&fields)
    }

    fn list(payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut out);
        out.extend_from_slice(payload);
        out
    }

    fn rules() -> EngineRules {
        EngineRules { period_blocks: Some(10) }
    }

    #[test]
    fn a_period_begins_with_a_call_and_other_blocks_have_none() {
        let data = data_with(&[0xc0]);
        let calls = rules().calls(20, Address::ZERO, &data).unwrap();
        assert_eq!(calls.before.len(), 1);
        assert_eq!(calls.before[0].to, VALIDATOR_REGISTRY);
        assert_eq!(rules().calls(21, Address::ZERO, &data).unwrap().before, vec![]);
    }

    #[test]
    fn evidence_becomes_a_report_of_its_place_and_of_who_included_it() {
        let validator = Address::repeat_byte(0x11);
        let pair = [vec![0x80], vote(1, validator), vote(1, validator)].concat();
        let calls = rules().calls(21, Address::repeat_byte(0x22), &data_with(&list(&list(&pair)))).unwrap();
        let data = &calls.before[0].data;
        assert_eq!(calls.before[0].to, EQUIVOCATION_DETECTOR);
        assert_eq!(&data[4..36], validator.into_word().as_slice());
        let words: Vec<u64> =
            data[36..132].chunks(32).map(|word| U256::from_be_slice(word).to::<u64>()).collect();
        assert_eq!(words, [7, 3, 1]);
        assert_eq!(&data[132..], Address::repeat_byte(0x22).into_word().as_slice());
    }

    #[test]
    fn a_chain_without_registry_takes_no_evidence() {
        let validator = Address::repeat_byte(0x11);
        let pair = [vec![0x80], vote(1, validator), vote(1, validator)].concat();
        let refused = EngineRules::default().calls(1, Address::ZERO, &data_with(&list(&list(&pair))));
        assert_eq!(refused.unwrap_err().code, "COC_EVIDENCE");
    }

    #[test]
    fn more_evidence_than_a_block_may_include_is_refused() {
        let validator = Address::repeat_byte(0x11);
        let pair = list(&[vec![0x80], vote(2, validator), vote(2, validator)].concat());
        let fits = data_with(&list(&pair.repeat(EVIDENCE_PER_BLOCK_MAX)));
        assert_eq!(rules().calls(1, Address::ZERO, &fits).unwrap().before.len(), EVIDENCE_PER_BLOCK_MAX);
        let too_much = data_with(&list(&pair.repeat(EVIDENCE_PER_BLOCK_MAX + 1)));
        assert_eq!(rules().calls(1, Address::ZERO, &too_much).unwrap_err().code, "COC_EVIDENCE");
    }
}

//! A block has one encoding: every other spelling of the same transactions is refused, as Ethereum's other clients do.

use alloy_consensus::{SignableTransaction, TxEip2930, TxLegacy};
use alloy_eips::Encodable2718;
use alloy_primitives::{Signature, TxKind, U256};
use alloy_rlp::{Encodable, Header as RlpHeader};
use coc_evm::block::decode_block;
use coc_evm::types::{Block, Body, Header, Transaction};

fn transactions() -> [Transaction; 2] {
    let signature = Signature::new(U256::from(7), U256::from(9), true);
    let typed = TxEip2930 { chain_id: 1, gas_limit: 21_000, to: TxKind::Create, ..TxEip2930::default() };
    let legacy = TxLegacy { chain_id: Some(1), gas_limit: 21_000, ..TxLegacy::default() };
    [typed.into_signed(signature).into(), legacy.into_signed(signature).into()]
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload = items.concat();
    let mut out = Vec::new();
    RlpHeader { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend(payload);
    out
}

/// The block that holds these items for transactions.
fn block_of(items: &[Vec<u8>]) -> Vec<u8> {
    list(&[alloy_rlp::encode(Header::default()), list(items), list(&[])])
}

#[test]
fn the_one_encoding_of_a_block_decodes() {
    let transactions = Vec::from(transactions());
    let items: Vec<Vec<u8>> = transactions.iter().map(alloy_rlp::encode).collect();
    let body = Body { transactions, ommers: Vec::new(), withdrawals: None };
    let block = Block { header: Header::default(), body };
    assert_eq!(alloy_rlp::encode(&block), block_of(&items));
    assert_eq!(decode_block(&block_of(&items)), Ok(block));
}

#[test]
fn a_typed_transaction_is_a_string_as_long_as_it_says() {
    let [typed, legacy] = transactions();
    let raw = typed.encoded_2718();
    let string = |length: usize| {
        let mut item = Vec::new();
        RlpHeader { list: false, payload_length: length }.encode(&mut item);
        item.extend(&raw);
        item
    };
    assert!(decode_block(&block_of(&[string(raw.len())])).is_ok());
    for length in [2, raw.len() - 1, raw.len() + 1, 200] {
        for items in [vec![string(length)], vec![string(length), alloy_rlp::encode(&legacy)]] {
            let refused = decode_block(&block_of(&items)).expect_err("the length is a lie");
            assert_eq!(refused.code, "RLP_STRUCTURES_ENCODING", "{length}");
        }
    }
}

#[test]
fn a_typed_transaction_outside_a_string_and_a_legacy_one_inside_are_refused() {
    let [typed, legacy] = transactions();
    let bare = typed.encoded_2718();
    let mut wrapped = Vec::new();
    legacy.encoded_2718().as_slice().encode(&mut wrapped);
    for item in [bare, wrapped] {
        let refused = decode_block(&block_of(&[item])).expect_err("not a transaction's place");
        assert_eq!(refused.code, "RLP_STRUCTURES_ENCODING");
    }
}
